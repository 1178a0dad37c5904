"""The processes behind the engine: pools, zygotes, and who is asked when."""
