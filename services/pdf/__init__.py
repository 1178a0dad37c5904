"""The document engine."""
