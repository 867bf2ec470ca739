"""Makes changes of folders durable against a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable: files that were made, renamed or deleted in it. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
