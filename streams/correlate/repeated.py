"""The repeated parts of records, written once: a cache that is bounded in bytes, since attackers choose its content."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

from schemas.row_writer import Cut, Form

KNOWN_BYTES: Final = 4 << 20  # in one table
_ENTRY_BYTES: Final = 512


class Repeated(dict[Hashable, Cut]):
    """The cuts of records of one form, by all that follows from nothing else. It is emptied when it is full."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self._form, self._room = form, KNOWN_BYTES

    def cut(self, repeated: Hashable, record: Mapping[str, Any]) -> Cut:
        """Cut this record, and keep it for all that have the same to repeat."""
        cut = self._form.cut(record)
        self._room -= _ENTRY_BYTES + 2 * sum(map(len, cut))  # its key is about as long
        if self._room < 0:
            self.clear()
            self._room = KNOWN_BYTES
        self[repeated] = cut
        return cut
