"""Which of a document's passages answer a question: by what they mean, and by the words that they share with it."""
