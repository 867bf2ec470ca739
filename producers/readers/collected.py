"""Takes a sensor's record out of the object that a collector has put around it.

Elastic puts a record under ``_source``, Filebeat and Fluent Bit its text under ``message`` or ``log``, Splunk under
``_raw`` and ``result``, Graylog under ``full_message``. What the collector has written beside it about sharing counts
for the record.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from producers.markings.marked import NOTHING, Marked
from producers.markings.properties import of_properties
from producers.readers.document import plain, repeated_keys

_KEYS: Final = (
    *("_source", "json", "result", "event", "original", "eve", "suricata", "zeek", "message", "log", "_raw"),
    *("short_message", "full_message"),
)
COLLECTORS: Final = frozenset(_KEYS)
"""The keys under which collectors put records."""
_MOST_NESTED: Final = 3
_Parts = dict[str, msgspec.Raw]


def unwrapped(content: bytes, words: Collection[str]) -> tuple[bytes, Marked] | None:
    """The object inside that has one of these keys, and the statements around it; ``None`` if there is no such object.

    Raises msgspec.DecodeError, ValueError or RecursionError if the content is no JSON, or has a key twice.
    """
    return _inside(content, words, 0)


def _inside(content: bytes, words: Collection[str], depth: int) -> tuple[bytes, Marked] | None:
    parts = msgspec.json.decode(content, type=_Parts)
    if depth and any(word in parts for word in words):
        return content, NOTHING
    for key in _KEYS if depth < _MOST_NESTED else ():
        inner = _object_in(parts.get(key))
        found = _inside(inner, words, depth + 1) if inner else None
        if found is None:
            continue
        if repeated_keys(content):
            raise ValueError("an object in it has a key twice, so the record contradicts itself")
        beside = {name: plain(raw) for name, raw in parts.items() if name != key}
        return found[0], of_properties(beside, (), "collector's").join(found[1])
    return None


def _object_in(raw: msgspec.Raw | None) -> bytes:
    """The object that a property is, or whose text it is; empty if it is neither."""
    text = b"" if raw is None else bytes(raw)
    if text.startswith(b'"{'):
        text = msgspec.json.decode(text, type=str).encode()
    return text if text.startswith(b"{") else b""
