"""How a worker confines itself before it has seen a byte of a document."""
