"""Reading the text of a picture: what is done to it before Tesseract sees it, and what is made of its answers."""
