"""Rows of a Zeek intelligence file: how a value is written in it, and how a row is read back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.protocol import LONGEST_VALUE, LeftOut
from consumers.picture.entry import Entry
from schemas.delivered import ZEEK_SOURCE
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

FIELDS: Final = "indicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.do_notice\tmeta.remove"
TYPES: Final[Mapping[IndicatorType, str]] = {
    IndicatorType.IPV4_ADDR: "Intel::ADDR",
    IndicatorType.IPV6_ADDR: "Intel::ADDR",
    IndicatorType.IPV4_NET: "Intel::SUBNET",
    IndicatorType.IPV6_NET: "Intel::SUBNET",
    IndicatorType.DOMAIN_NAME: "Intel::DOMAIN",
    IndicatorType.URL: "Intel::URL",
    IndicatorType.EMAIL_ADDR: "Intel::EMAIL",
    IndicatorType.FILE_NAME: "Intel::FILE_NAME",
    IndicatorType.FILE_MD5: "Intel::FILE_HASH",
    IndicatorType.FILE_SHA1: "Intel::FILE_HASH",
    IndicatorType.FILE_SHA256: "Intel::FILE_HASH",
    IndicatorType.X509_SHA1: "Intel::CERT_HASH",  # Zeek compares the SHA-1 alone (policy/frameworks/intel/seen/x509)
    IndicatorType.USER_AGENT: "Intel::SOFTWARE",  # the header's value (policy/frameworks/intel/seen/http-headers)
}
_SCHEME: Final = re.compile(r"(https?)://(.+)")
_ROW: Final = re.compile(
    r"(?P<value>[^\t]+)\t(?P<type>Intel::[A-Z_]+)\t(?P<source>kakehashi-[^\t]+)\t"
    r"(?P<id>indicator--[0-9a-f-]{36})(?: removed (?P<removed>[0-9]{1,15}))?\t(?P<notice>[TF])\t[TF]\n"
)


class Row(msgspec.Struct, frozen=True):
    """One row; ``value`` is as it is written. ``removed_ms`` is the time at which it became a tombstone, 0 if it is
    none. ``source`` is one for each origin and, of a URL, scheme: Zeek's URLs have none, and the removal of one must
    not take out the other."""

    value: str
    type: str
    source: str
    id: str
    do_notice: bool
    removed_ms: int = 0

    @property
    def line(self) -> bytes:
        """The line of the file."""
        about = f"{self.id} removed {self.removed_ms}" if self.removed_ms else self.id
        flags = f"{'T' if self.do_notice else 'F'}\t{'T' if self.removed_ms else 'F'}"
        return f"{self.value}\t{self.type}\t{self.source}\t{about}\t{flags}\n".encode()

    def tombstone(self, since_ms: int) -> "Row":
        """The row that makes Zeek forget it."""
        return msgspec.structs.replace(self, do_notice=False, removed_ms=since_ms)


def row_of(entry: Entry, kind: IndicatorType) -> Row | LeftOut:
    """An indicator's row, or why it has none. A notice can make Zeek act, so it needs a PAP that allows a block."""
    value, source = entry.value, f"{ZEEK_SOURCE}{entry.origin}"
    if kind is IndicatorType.URL:
        parts = _SCHEME.fullmatch(value)
        if parts is None:
            return LeftOut.VALUE
        value, source = parts[2], f"{source}-{parts[1]}"
    if len(value) > LONGEST_VALUE:
        return LeftOut.LIMIT
    if not value.isprintable() or not value or value.strip() != value or '"' in value or value in {"-", "(empty)"}:
        return LeftOut.VALUE
    return Row(_escaped(value), TYPES[kind], source, entry.id, entry.pap_code.allows(Activity.ACTIVE))


def rows_in(path: Path) -> Iterator[Row]:
    """The rows of a file, in the order of their ids; a line that is invalid or out of order is skipped."""
    try:
        file = path.open(encoding="utf-8", errors="replace", newline="\n")
    except OSError:
        return
    with file:
        last = ""
        for line in file:
            found = _ROW.fullmatch(line)
            if found is not None and found["id"] >= last:
                last = found["id"]
                removed_ms = int(found["removed"] or 0)
                yield Row(found["value"], found["type"], found["source"], last, found["notice"] == "T", removed_ms)


def _escaped(value: str) -> str:
    """The reader undoes ``\\xHH``. A line that begins with ``#`` is a comment."""
    value = value.replace("\\", "\\x5c")
    return f"\\x23{value[1:]}" if value.startswith("#") else value
