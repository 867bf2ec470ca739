"""A topic's records as they are read on, each decoded once, however often a test looks."""

from typing import Any, Final

from schemas.codec import Codec, Undecodable
from tests.reference.reading import Reading

_CODEC: Final = Codec()


class Decoded:
    """The records of one topic of a reading, without tombstones and what is not of the schema."""

    def __init__(self, reading: Reading, topic: str, schema: str) -> None:
        self._reading, self._topic, self._schema = reading, topic, schema
        self._taken = 0
        self._found: list[dict[str, Any]] = []

    def look(self) -> list[dict[str, Any]]:
        """All that is committed by now, in the order of reading."""
        self._reading.look()
        records = self._reading.records[self._topic]
        for record in records[self._taken :]:
            found = None if record.value is None else _CODEC.decode(self._schema, record.value)
            if found is not None and not isinstance(found, Undecodable):
                self._found.append(found)
        self._taken = len(records)
        return self._found
