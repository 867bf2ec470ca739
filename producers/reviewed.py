"""The list of values that a person has agreed to: one a line, or the lines of ``produce --dry-run --json``."""

import json
from pathlib import Path

from exchange.errors import ConfigurationError
from schemas.normalise import Invalid, canonical, detect


def reviewed_values(path: Path) -> frozenset[str]:
    """The canonical values of the list. Lines that begin with ``#`` are notes.

    Raises ConfigurationError if the list cannot be read, or if a line of it is no value.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the reviewed list {path} cannot be read: {error}") from error
    found = set[str]()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        value = _of_json(text) if text.startswith("{") else _canonical(text)
        if value is None:
            raise ConfigurationError(f"{path}:{number}: {text[:80]!r} is no value: remove the line, or write one value")
        found.add(value)
    return frozenset(found - {""})


def reviewed_files(path: Path) -> dict[str, frozenset[str]]:
    """The values of each file that the list names, by the file's name, of the lines of a dry run.

    A file of which no value is agreed to is named by its other pieces. Raises ConfigurationError as above.
    """
    reviewed_values(path)
    found: dict[str, set[str]] = {}
    for line in path.read_text("utf-8-sig").splitlines():
        if line.strip().startswith("{"):
            values = found.setdefault(Path(str(json.loads(line).get("file"))).name, set())
            values.add(_of_json(line.strip()) or "")
    return {name: frozenset(values - {""}) for name, values in found.items()}


def _of_json(text: str) -> str | None:
    """The value of a piece of a dry run; empty of one that has none."""
    try:
        piece = json.loads(text)
    except ValueError:
        return None
    return str(piece.get("value") or "") if piece.get("outcome") not in ("skip", "refuse") else ""


def _canonical(text: str) -> str | None:
    kind = detect(text)
    known = None if kind is None else canonical(kind, text)
    return None if known is None or isinstance(known, Invalid) else known[1]
