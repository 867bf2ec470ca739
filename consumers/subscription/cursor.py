"""A subscription's position, as text that a consumer stores with its own results."""

from collections.abc import Mapping

import msgspec

from exchange.errors import ConfigurationError


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A position in one topic. Opaque to the consumer.

    ``next_offsets`` are the offsets to read next, by partition; a partition that is missing is read from its beginning.
    ``current_ms`` is the latest time, in milliseconds since 1970 UTC, of which this is known: whatever was committed by
    then is before the position.
    """

    topic_id: str
    current_ms: int
    next_offsets: Mapping[int, int]

    def to_json(self) -> str:
        """The position as one line of JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Cursor":
        """The position that ``to_json`` wrote. Raises ConfigurationError for any other text."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"the saved position is damaged ({error}): delete it to start anew") from error
