"""PDF_SEARCH: where a query stands in a document."""
