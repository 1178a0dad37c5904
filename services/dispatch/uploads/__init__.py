"""Documents that callers upload: how they arrive, who holds them, and how they are deleted."""
