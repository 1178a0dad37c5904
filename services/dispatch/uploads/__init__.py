"""Documents that callers bring: how they come in, whose they are, and how they go."""
