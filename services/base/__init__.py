"""What every service stands on; knows nothing of any one service."""
