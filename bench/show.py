"""The messages of a run while it runs."""

import sys


def show(line: str) -> None:
    """Print a message for the person who waits."""
    print(line, file=sys.stderr, flush=True)
