"""Which labels may leave: those of known vocabularies. All others are a source's own words, and stay home. Pure.

The vocabularies are data (``policy/vocabularies``), each with owner, source and licence. A label is compared as it is
written: another case or width is another label.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec

from schemas.links import POLICY_FOLDER


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Known labels: by name, and by the form of their ids."""

    owner: str
    source: str
    licence: str
    labels: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class Vocabularies:
    """Several vocabularies, and a version that names all that is in them."""

    def __init__(self, found: Iterable[Vocabulary]) -> None:
        """Raises ValueError if a pattern is invalid."""
        each = list(found)
        self._labels = frozenset(label for one in each for label in one.labels)
        patterns = [pattern for one in each for pattern in one.patterns]
        try:
            self._ids = re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)", re.ASCII)
        except re.error as error:
            raise ValueError(f"vocabularies: {error}: correct the pattern") from error
        self.version = sha256(msgspec.msgpack.encode((sorted(self._labels), patterns))).hexdigest()[:16]

    def knows(self, label: str) -> bool:
        """Whether the label is of one of them."""
        return label in self._labels or self._ids.fullmatch(label) is not None


def load_vocabularies(folder: Path = POLICY_FOLDER / "vocabularies") -> Vocabularies:
    """Read every file of the folder. Raises OSError, or ValueError naming the file that is wrong."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(msgspec.convert(tomllib.loads(path.read_text("utf-8")), Vocabulary))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return Vocabularies(found)


@cache
def known() -> Vocabularies:
    """The vocabularies that ship with the policies."""
    return load_vocabularies()


@lru_cache(maxsize=1 << 14)
def may_leave(label: str) -> bool:
    """Whether a label is of a known vocabulary."""
    return known().knows(label)
