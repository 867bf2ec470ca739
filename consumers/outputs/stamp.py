"""What a text file holds of a picture, as a comment in its first line: it changes with the content, in one step."""

from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.protocol import Held

_START: Final = b"# kakehashi "
_MOST_BYTES: Final = 512


def stamp(held: Held) -> bytes:
    """The line, for formats in which ``#`` begins a comment."""
    return _START + msgspec.json.encode(held) + b"\n"


def read_stamp(path: Path) -> Held | None:
    """What the file's first line states; None if there is no such file or line."""
    try:
        with path.open("rb") as file:
            line = file.readline(_MOST_BYTES)
    except OSError:
        return None
    try:
        return msgspec.json.decode(line.removeprefix(_START), type=Held) if line.startswith(_START) else None
    except msgspec.DecodeError:
        return None
