"""What stands on a page, in which order: blocks made of a reading's lines by rules (`rules.py`)."""
