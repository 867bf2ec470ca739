"""What of a file that Suricata saw is an indicator: its hashes, or its name if no hash was computed."""

from collections.abc import Iterator

import msgspec

from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType


class File(msgspec.Struct):
    """A ``fileinfo`` object, or an entry of an alert's ``files``."""

    filename: str | None = None
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None


def hashes_of(file: File) -> Iterator[tuple[IndicatorType, str]]:
    """Types and values. A name that is a path with nothing at its end, as of a start page, is none."""
    hashes = {
        IndicatorType.FILE_MD5: file.md5,
        IndicatorType.FILE_SHA1: file.sha1,
        IndicatorType.FILE_SHA256: file.sha256,
    }
    for kind, digest in hashes.items():
        if digest:
            yield kind, digest
    if not any(hashes.values()) and file.filename:
        name = canonical(IndicatorType.FILE_NAME, file.filename)
        if not isinstance(name, Invalid):
            yield name
