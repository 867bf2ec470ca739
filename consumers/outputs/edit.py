"""Edits files of lines: takes out removed ones and adds new ones at the end, without reading the picture again.

Only a file that is as this process wrote it is edited. After a start, and after another program's change, it is written
whole, so its earlier content does not matter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol

_PORTION: Final = 1 << 20  # bytes of lines that are held at a time


class Named(Protocol):
    """The fields that lines of a file follow from: entries and removals have them."""

    @property
    def type(self) -> str:
        """The indicator's type."""
        ...

    @property
    def value(self) -> str:
        """Its value."""
        ...


@dataclass(slots=True)
class Edit:
    """What changes in one file: ``gone`` are the keys of lines to take out, ``come`` are lines by their keys."""

    gone: set[bytes] = field(default_factory=set)
    come: dict[bytes, bytes] = field(default_factory=dict)

    def put(self, key: bytes, line: bytes) -> None:
        """The file has to have this line, and no other with this key."""
        self.gone.add(key)
        self.come[key] = line

    def remove(self, key: bytes) -> None:
        """The file must not have a line with this key."""
        self.gone.add(key)
        self.come.pop(key, None)

    def write(self, old: Path, skipped: int, new: BinaryIO, key_of: Callable[[bytes], bytes] | None = None) -> int:
        """Write the old file's lines after the first ``skipped`` ones, as they have to be now; how many there are.

        A line is its own key, unless ``key_of`` gives another.
        """
        count = 0
        with old.open("rb") as file:
            for _ in islice(file, skipped):
                pass
            while lines := file.readlines(_PORTION):
                kept = (
                    [line for line in lines if line not in self.gone]
                    if key_of is None
                    else [line for line in lines if key_of(line) not in self.gone]
                )
                new.writelines(kept)
                count += len(kept)
        new.writelines(self.come.values())
        return count + len(self.come)
