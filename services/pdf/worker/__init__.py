"""The side of the engine that opens documents: it runs in processes that may die."""
