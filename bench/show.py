"""What a run says while it runs."""

import sys


def show(line: str) -> None:
    """Say something to whoever waits."""
    print(line, file=sys.stderr, flush=True)
