"""The list of values that a person has agreed to: one a line, or the lines of ``produce --dry-run --json``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from exchange.errors import ConfigurationError
from schemas.normalise import Invalid, canonical, detect


class _Piece(NamedTuple):
    """A line of the list: its value, empty of a piece that has none, and the name of the file that the piece is of."""

    value: str
    file: str = ""


def reviewed_values(path: Path) -> frozenset[str]:
    """The canonical values of the list. Lines that begin with ``#`` are notes.

    Raises ConfigurationError if the list cannot be read, or if a line of it is no value.
    """
    return frozenset(piece.value for piece in _pieces(path) if piece.value)


def reviewed_files(path: Path) -> dict[str, frozenset[str]]:
    """The values of each file that the list names, by the file's name, of the lines of a dry run.

    A file of which no value is agreed to is named by its other pieces. Raises ConfigurationError as above.
    """
    found: dict[str, set[str]] = {}
    for piece in _pieces(path):
        if piece.file:
            found.setdefault(piece.file, set()).add(piece.value)
    return {name: frozenset(values - {""}) for name, values in found.items()}


def _pieces(path: Path) -> Iterator[_Piece]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the reviewed list {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        piece = _of_json(text) if text.startswith("{") else _of_value(text)
        if piece is None:
            raise ConfigurationError(f"{path}:{number}: {text[:80]!r} is no value: remove the line, or write one value")
        yield piece


def _of_json(text: str) -> _Piece | None:
    """A piece of a dry run."""
    try:
        piece = json.loads(text)
    except ValueError:
        return None
    is_offered = piece.get("outcome") not in ("skip", "refuse")
    return _Piece(str(piece.get("value") or "") if is_offered else "", Path(str(piece.get("file") or "")).name)


def _of_value(text: str) -> _Piece | None:
    kind = detect(text)
    known = None if kind is None else canonical(kind, text)
    return None if known is None or isinstance(known, Invalid) else _Piece(known[1])
