"""One command a file, each with ``register(app)``. No logic: they read options, wire roles and show results."""
