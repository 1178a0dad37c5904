"""Pieces of a document for retrieval."""
