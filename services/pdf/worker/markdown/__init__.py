"""Pages as Markdown, from the blocks of their layout."""
