"""The position of a text file, as a comment in its first line: it changes with the content, in one step."""

from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.protocol import Held

_NAME: Final = b" kakehashi "
_MOST_BYTES: Final = 512


def stamp(held: Held, comment: str = "#") -> bytes:
    """The line. ``comment`` begins a comment in the format."""
    return comment.encode() + _NAME + msgspec.json.encode(held) + b"\n"


def read_stamp(path: Path, comment: str = "#") -> Held | None:
    """What the file's first line states; None if there is no such file or line."""
    try:
        with path.open("rb") as file:
            line = file.readline(_MOST_BYTES)
    except OSError:
        return None
    start = comment.encode() + _NAME
    try:
        return msgspec.json.decode(line.removeprefix(start), type=Held) if line.startswith(start) else None
    except msgspec.DecodeError:
        return None
