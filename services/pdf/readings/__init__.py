"""Where readings of pages are kept."""
