"""Finding tables in the readings of pages: where their cells are, and what stands in each."""
