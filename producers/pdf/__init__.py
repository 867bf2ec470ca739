"""The text of PDF files, taken in a process of its own: a hostile file can cost no more than its limits."""
