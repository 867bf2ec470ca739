"""Deterministic identities: the same value has the same id in all nations, for ever.

An indicator's id is a STIX 2.1 identifier with a UUIDv5 (RFC 9562, section 5.5) over its type and canonical
value. Nothing of where, when or by whom it was seen goes in.
"""

import uuid
from functools import lru_cache
from hashlib import sha1
from typing import Final

from schemas.vocabulary import IndicatorType

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:kakehashi:indicator:v1")
_SEEDS: Final = {
    kind: sha1(NAMESPACE.bytes + kind.label.encode() + b":", usedforsecurity=False) for kind in IndicatorType
}


def indicator_key(kind: IndicatorType, value: str) -> bytes:
    """The 16 bytes of an indicator's UUID. ``value`` is canonical already."""
    digest = _SEEDS[kind].copy()
    digest.update(value.encode())
    raw = bytearray(digest.digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    return bytes(raw)


@lru_cache(maxsize=1024)  # each record of an indicator asks for it again; a batch is done 256 indicators at a time
def indicator_id(key: bytes) -> str:
    """``indicator--xxxxxxxx-xxxx-5xxx-…`` of the 16 bytes."""
    text = key.hex()
    return f"indicator--{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def key_of_id(indicator: str) -> bytes:
    """The 16 bytes of an id. Raises ``ValueError`` if it is not an indicator id."""
    prefix, _, text = indicator.partition("--")
    if prefix != "indicator":
        raise ValueError(f"not an indicator id: {indicator!r}")
    return uuid.UUID(text).bytes


def shard_of_key(key: bytes, shards: int) -> int:
    """The partition of everything that can change this indicator's row: the one partitioner there is."""
    return int.from_bytes(key[:4]) % shards


def shard_of_sensor(sensor: str, shards: int) -> int:
    """The partition of all reports of one sensor, so that one shard sees all of its sequence."""
    return int.from_bytes(sha1(sensor.encode(), usedforsecurity=False).digest()[:4]) % shards
