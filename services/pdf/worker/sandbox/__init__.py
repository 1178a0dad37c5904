"""How a worker locks itself in, before it has seen a byte of a document."""
