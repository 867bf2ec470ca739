"""The two indexes of a MISP feed, which are in its folder beside its events: neither has a value of its own.

``manifest.json`` names the events; ``hashes.csv`` has the MD5 of each attribute's value, which is no hash of a file.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from producers.inputs import OpenInput
from producers.readers.reader import Head
from producers.readers.reading import LeftOut
from schemas.observation import SourcePlace

INDEX: Final = "feed-index"
_CHUNK_BYTES: Final = 64 << 10
_UUID: Final = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MANIFEST: Final = re.compile(rb'\{\s*"' + _UUID + rb'"\s*:\s*\{')
_HASHES: Final = re.compile(rb"[0-9a-fA-F]{32}," + _UUID + rb"[\r\n]")


def is_index(head: Head) -> bool:
    """Whether an input that begins like this is one of them."""
    if _MANIFEST.match(head.start):
        return b'"Orgc"' in head.start and b'"Attribute"' not in head.start
    return PurePath(head.name).name.startswith("hashes.csv") and bool(_HASHES.match(head.start))


def left_out(source: OpenInput) -> Iterator[LeftOut]:
    """The piece that an index is; it is read to its end."""
    while source.stream.read(_CHUNK_BYTES):
        pass
    yield LeftOut(SourcePlace(source.name, 1), INDEX, "it names the events of a feed, which are files of their own")
