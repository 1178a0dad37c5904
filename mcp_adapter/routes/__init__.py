"""What the adapter answers: one module for each group of paths."""
