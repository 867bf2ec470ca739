"""One command a file, each with ``register(app)``. They parse options, call the code that decides, and print."""
