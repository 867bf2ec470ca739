"""Zeek's logs as records: TSV with its header, and JSON in the forms in which collectors write it.

Names of fields are folded: ``id.orig_h`` of TSV, ``id_orig_h`` of Corelight's JSON and ``{"id": {"orig_h": …}}`` are
``id_orig_h``. A field that is not set is not there. Source: Zeek's documentation, "Zeek Log Formats and Inspection".
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

import msgspec

from producers.markings.marked import NOTHING, Marked
from producers.markings.remembered import Answers
from producers.readers.collected import COLLECTORS, unwrapped
from producers.readers.document import plain, repeated_keys

LOGS: Final = frozenset(
    {"conn", "dns", "files", "http", "intel", "notice", "signatures", "smtp", "ssl", "weird", "x509"}
)
# The list of a Zeek intelligence file begins with #fields, too: its first column is no time.
_HEADER: Final = re.compile(r"#(?:separator|set_separator|empty_field|unset_field|path|types)[^\w]|#fields[^\w]ts[^\w]")
_ESCAPED: Final = re.compile(r"\\x([0-9A-Fa-f]{2})")
_CONTAINERS: Final = ("set[", "vector[", "table[", "list[")
_TWICE: Final = "an object in it has a key twice, so the record contradicts itself"
_TIME: Final = "ts"
_PATH_KEYS: Final = ("_path", "@stream", "_stream")
# By which fields a log is known that does not state its name: all of one group.
_SHAPES: Final = (
    ("intel", ("seen_indicator", "seen_indicator_type")),
    ("notice", ("note", "msg", "actions")),
    ("signatures", ("sig_id", "event_msg")),
    ("x509", ("certificate_serial",)),
    ("dns", ("query", "qtype")),
    ("dns", ("trans_id", "rejected")),
    ("http", ("trans_depth", "uri")),
    ("http", ("trans_depth", "status_code")),
    ("smtp", ("trans_depth", "helo")),
    ("ssl", ("cipher", "established")),
    ("ssl", ("established", "resumed")),
    ("files", ("fuid", "analyzers")),
    ("conn", ("conn_state", "history")),
    ("conn", ("conn_state", "orig_pkts")),
    ("weird", ("name", "notice", "peer")),
)


class Layout(msgspec.Struct, frozen=True):
    """What the header lines of a TSV log have stated so far. Columns of ``twice`` have one name: they contradict."""

    log: str = ""
    names: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    lists: frozenset[int] = frozenset()
    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"


def is_header(line: str) -> bool:
    """Whether a line is of the header of a log, also of one whose beginning was cut off."""
    return bool(_HEADER.match(line))


def with_header(layout: Layout, text: str) -> Layout | None:
    """The layout behind a line that begins with ``#``; ``None`` if it is no line of a header."""
    name, _, rest = (
        text.partition("\t" if text.startswith("#separator\t") else " ")
        if text.startswith("#separator")
        else text.partition(layout.separator)
    )
    if name == "#separator":
        return Layout(separator=unescaped(rest.strip(" ")) or "\t")  # a header of its own begins
    if name == "#set_separator":
        return msgspec.structs.replace(layout, set_separator=unescaped(rest))
    if name == "#empty_field":
        return msgspec.structs.replace(layout, empty=rest)
    if name == "#unset_field":
        return msgspec.structs.replace(layout, unset=rest)
    if name == "#path":
        return msgspec.structs.replace(layout, log=rest.strip())
    if name == "#fields":
        names = tuple(map(folded_name, rest.split(layout.separator)))
        counted = Counter(names)
        return msgspec.structs.replace(layout, names=names, twice=tuple(each for each in names if counted[each] > 1))
    if name == "#types":
        types = rest.split(layout.separator)
        lists = frozenset(place for place, each in enumerate(types) if each.startswith(_CONTAINERS))
        return msgspec.structs.replace(layout, lists=lists)
    return layout if name in ("#open", "#close") else None


def fields_of_row(text: str, layout: Layout) -> dict[str, Any] | None:
    """The fields of a row of TSV that are set; ``None`` if the row does not fit the header."""
    cells = text.split(layout.separator)
    if layout.twice or len(cells) != len(layout.names):
        return None
    unset, empty, lists = layout.unset, layout.empty, layout.lists
    return {
        name: _parts(cell, layout) if place in lists else "" if cell == empty else unescaped(cell)
        for place, (name, cell) in enumerate(zip(layout.names, cells, strict=True))
        if cell != unset
    }


def _parts(cell: str, layout: Layout) -> list[str]:
    """The parts of a set or a vector."""
    parts = [] if cell == layout.empty else cell.split(layout.set_separator)
    return [unescaped(part) for part in parts if part != layout.unset]


def unescaped(cell: str) -> str:
    r"""A cell without Zeek's escapes: ``\x09`` stands for a byte; bytes that are no UTF-8 stay as they are written."""
    if "\\" not in cell:
        return cell
    if not _ESCAPED.search(cell):
        return cell.replace("\\\\", "\\")
    content = re.sub(
        rb"\\(?:x([0-9A-Fa-f]{2})|(\\))",
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"\\",
        cell.encode(),
    )
    try:
        return content.decode()
    except UnicodeDecodeError:
        return cell


class Found(msgspec.Struct, frozen=True):
    """A record of JSON: which log it is of, itself, and what a collector has written around it."""

    log: str
    content: bytes
    around: Marked = NOTHING


def record_of_json(content: bytes, file_name: str) -> Found:
    """A record of JSON, without an object around it that names its log, and without a collector's.

    Raises msgspec.DecodeError if it is no object, ValueError if it is no record.
    """
    found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    if len(found) == 1:
        [(log, inner)] = found.items()
        if bytes(inner).startswith(b"{") and log not in COLLECTORS:
            return Found(log, bytes(inner))
    for key in _PATH_KEYS:
        if key in found and bytes(found[key]).startswith(b'"'):
            return Found(msgspec.json.decode(found[key], type=str), content)
    log = log_of(frozenset(map(folded_name, found)), file_name)
    if log or _TIME in found:
        return Found(log, content)
    inside = unwrapped(content, (_TIME, *_PATH_KEYS, *LOGS))
    if inside is None:
        raise ValueError("it has no ts, and is not within what a collector writes")
    record = record_of_json(inside[0], file_name)
    return msgspec.structs.replace(record, around=inside[1].join(record.around))


def fields_of_json(content: bytes, whole: bytes) -> dict[str, Any]:
    """The fields of a record of JSON that are set; numbers are their digits. ``whole`` is what it is in.

    Raises ValueError or RecursionError if it is not one, or has a key twice.
    """
    found = plain(content)
    if repeated_keys(whole):
        raise ValueError(_TWICE)
    fields: dict[str, Any] = {}
    for name, value in _members(found):
        folded = folded_name(name)
        if folded in fields and fields[folded] != value:
            raise ValueError(_TWICE)
        fields[folded] = value
    return fields


def _members(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members that are set, those of ``id`` by their whole names."""
    for name, value in found.items():
        if isinstance(value, Mapping) and name == "id":
            yield from ((f"{name}.{part}", each) for part, each in value.items())
        elif value is not None:
            yield name, value


def log_of(names: Collection[str], file_name: str) -> str:
    """Which log has these fields; else what the file is called."""
    return next((log for log, of_log in _SHAPES if all(name in names for name in of_log)), _of_name(file_name))


def _of_name(file_name: str) -> str:
    """``dns`` of ``dns.log`` and of ``dns.2026-11-30-00-00-00.log.gz``."""
    first = PurePath(file_name).name.split(".")[0]
    return first if first in LOGS else ""


def _folded_name(name: str) -> str:
    return name.strip().replace(".", "_")


folded_name: Final[Callable[[str], str]] = Answers(_folded_name, 4_096).__getitem__
"""A field's name as all forms of a log have it."""
