"""The `papermesh` command line: what the adapter does, for people in a terminal."""
