"""Stock lists that people upload: checked without writing anything, then written into the book in the background."""
