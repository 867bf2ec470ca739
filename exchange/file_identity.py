"""Whether a file is still the one that was seen, with the same content."""

from pathlib import Path

Identity = tuple[int, int, int]
"""The identity of a file's content under its name: inode, size and time of its last change. A mounted secret or
ConfigMap that changes has another inode."""


def identity(path: Path) -> Identity | None:
    """That of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
