"""The link to Redis: its address, its protocol, and calls that end in time."""
