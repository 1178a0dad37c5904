"""The differences between two documents, found from what was read of their pages."""
