"""The position of an output's file in a note beside it, for formats that have no room for it.

The note has a line for the old content and one for the new, each with the content's SHA-256, and is written first. So
whichever of the two is there after a crash, the note has its digest; a change by another program has none.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from consumers.outputs.protocol import Held
from consumers.outputs.replace_file import replaced, scratch_of


def note_of(path: Path) -> Path:
    """The file beside it: ``.NAME.kakehashi``."""
    return path.with_name(f".{path.name}.kakehashi")


def read_note(path: Path) -> Held | None:
    """The position of a file; None if the note does not have its present content."""
    try:
        notes = msgspec.json.decode(note_of(path).read_bytes(), type=dict[str, Held])
        return notes.get(_digest(path))
    except (OSError, msgspec.DecodeError):
        return None


@contextmanager
def replaced_with_note(path: Path, held: Held) -> Iterator[BinaryIO]:
    """As ``replaced``; the note is written before the file takes its name."""
    before = read_note(path)
    notes = {} if before is None else {_digest(path): before}
    with replaced(path) as file:
        yield file
        file.flush()
        notes[_digest(scratch_of(path))] = held
        with replaced(note_of(path)) as note:
            note.write(msgspec.json.encode(notes))


def move_note(path: Path, held: Held) -> None:
    """Note another position of the same content."""
    with replaced(note_of(path)) as note:
        note.write(msgspec.json.encode({_digest(path): held}))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
