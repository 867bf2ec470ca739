"""Takes a sensor's record out of the object that a collector has put around it.

Elastic puts a record under ``_source``, Filebeat and Fluent Bit its text under ``message`` or ``log``, Splunk under
``_raw`` and ``result``. What the collector has written beside it about sharing counts for the record.
"""

from typing import Final

import msgspec

from producers.markings.marked import NOTHING, Marked
from producers.markings.properties import of_properties
from producers.readers.document import plain, repeated_keys

_KEYS: Final = ("_source", "eve", "suricata", "zeek", "json", "result", "event", "original", "message", "log", "_raw")
_MOST_NESTED: Final = 3
_Parts = dict[str, msgspec.Raw]


def unwrapped(content: bytes, word: str) -> tuple[bytes, Marked] | None:
    """The object inside that has the key ``word``, and the statements around it; ``None`` if there is no such object.

    Raises msgspec.DecodeError, ValueError or RecursionError if the content is no JSON, or has a key twice.
    """
    around = NOTHING
    for _ in range(_MOST_NESTED):
        parts = msgspec.json.decode(content, type=_Parts)
        found = next(((key, inner) for key in _KEYS if (inner := _object_in(parts.get(key)))), None)
        if found is None:
            return None
        if repeated_keys(content):
            raise ValueError("an object in it has a key twice, so the record contradicts itself")
        beside = {name: plain(raw) for name, raw in parts.items() if name != found[0]}
        around = around.join(of_properties(beside, (), "collector's"))
        content = found[1]
        if word in msgspec.json.decode(content, type=_Parts):
            return content, around
    return None


def _object_in(raw: msgspec.Raw | None) -> bytes:
    """The object that a property is, or whose text it is; empty if it is neither."""
    text = b"" if raw is None else bytes(raw)
    if text.startswith(b'"{'):
        text = msgspec.json.decode(text, type=str).encode()
    return text if text.startswith(b"{") else b""
