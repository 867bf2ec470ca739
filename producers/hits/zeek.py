"""Hits in Zeek's ``intel.log``, and the notices that ``policy/frameworks/intel/do_notice.zeek`` makes of them.

Source: Zeek's ``base/frameworks/intel/main.zeek`` (``Intel::Info``: ``seen.indicator``, ``seen.indicator_type``,
``matched``, ``sources``) and ``do_notice.zeek`` (``Intel::Notice`` with the value in ``sub``). Of one hit Zeek writes
both: only one of the two logs may be followed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.hits.hit import NO_HIT, OTHER_ORIGIN, RULES, Asking, Exchanged, Hit, readings_of_hit
from producers.inputs import OpenInput
from producers.readers.document import why_invalid
from producers.readers.json_records import Record, records
from producers.readers.lines import lines
from producers.readers.list_times import list_milliseconds
from producers.readers.reader import Reader
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, rejected
from producers.readers.zeek_indicators import INTEL_NOTICE, text_of
from producers.readers.zeek_record import Layout, fields_of_json, fields_of_row, log_of, record_of_json, with_header
from producers.sighting import TOOL
from schemas.delivered import ZEEK_SOURCE
from schemas.normalise import detect
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

INTEL: Final = "zeek-intel"
NOTICE: Final = "zeek-notice"
_LOGS: Final = {INTEL: "intel", NOTICE: "notice"}
_SUBNET: Final = "Intel::SUBNET"
_SCHEMES: Final = ("http", "https")
_EXAMPLE: Final = (
    b'{"_path": "intel", "ts": 1795000000.5, "seen.indicator": "198.51.100.7", "seen.indicator_type": "Intel::ADDR", '
    b'"matched": ["Intel::ADDR"], "sources": ["kakehashi-GBR"]}\n'
)
_KINDS: Final[Mapping[str, tuple[IndicatorType, ...]]] = {
    "Intel::ADDR": (IndicatorType.IPV4_ADDR,),  # its spelling states whether it is of version 6
    "Intel::DOMAIN": (IndicatorType.DOMAIN_NAME,),
    "Intel::URL": (IndicatorType.URL,),
    "Intel::EMAIL": (IndicatorType.EMAIL_ADDR,),
    "Intel::FILE_NAME": (IndicatorType.FILE_NAME,),
    "Intel::CERT_HASH": (IndicatorType.X509_SHA1,),
    "Intel::SOFTWARE": (IndicatorType.USER_AGENT,),
}
_HASHES: Final = {32: IndicatorType.FILE_MD5, 40: IndicatorType.FILE_SHA1, 64: IndicatorType.FILE_SHA256}

_Values = tuple[tuple[IndicatorType, str], ...]


class _Found(msgspec.Struct, frozen=True):
    """A record of a log: its fields, and its bytes."""

    place: SourcePlace
    log: str
    fields: dict[str, Any]
    original: bytes


def reader_of(name: str, asking: Asking) -> Reader:
    """The reader of ``zeek-intel`` or ``zeek-notice``."""

    def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
        with asking.exchanged() as exchanged:
            for each in _records(source, defaults.encoding):
                yield from _readings(each, _LOGS[name], exchanged, asking) if isinstance(each, _Found) else (each,)

    return Reader(TOOL, f"hits in {_LOGS[name]}.log", RULES, _EXAMPLE, lambda _head: None, read, unit="record")


def _records(source: OpenInput, encoding: str) -> Iterator[_Found | Rejected | LeftOut]:
    """The records of a log, in TSV or JSON. A line of the header is left out."""
    if source.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        for record in records(source, encoding):
            yield _of_json(record) if isinstance(record, Record) else record
        return
    layout = Layout()
    for line in lines(source, encoding):
        if isinstance(line, Rejected):
            yield line
        elif line.text.startswith("#"):
            layout = with_header(layout, line.text) or layout
        elif line.text.strip():
            fields = fields_of_row(line.text, layout) if layout.names else None
            if fields is None:
                detail = "the row does not fit the line #fields: was the beginning of the file cut off?"
                yield rejected(line.place, RejectReason.UNREADABLE_LINE, detail, line.original)
            else:
                log = layout.log or log_of(fields, line.place.file)
                yield _Found(line.place, log, fields, line.original)


def _of_json(record: Record) -> _Found | Rejected:
    try:
        found = record_of_json(record.content, record.place.file)
        return _Found(record.place, found.log, fields_of_json(found.content, record.content), record.content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = f"not a record of Zeek: {why_invalid(error)}; was the file cut, or did another tool write it?"
        return rejected(record.place, RejectReason.UNREADABLE_LINE, detail, record.content)


def _readings(found: _Found, log: str, exchanged: Exchanged, asking: Asking) -> Iterator[Reading]:
    fields, place = found.fields, found.place
    sources = [each for each in _items(fields, "sources") if each.startswith(ZEEK_SOURCE)]
    note = text_of(fields, "note")
    is_ours = bool(sources) if log == "intel" else note == INTEL_NOTICE
    if found.log != log or not is_ours:
        yield LeftOut(place, NO_HIT, note or found.log)
        return
    at_ms = list_milliseconds(text_of(fields, "ts"))
    if at_ms is None:
        detail = f"the time {text_of(fields, 'ts')[:40]!r} is neither seconds since 1970 nor ISO 8601"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, found.original)
        return
    if log == "notice":
        hit = Hit(at_ms, _of_notice(text_of(fields, "sub")))
    else:
        ours = f"{ZEEK_SOURCE}{asking.partner}"
        named = [each for each in sources if each == ours or each.startswith(f"{ours}-")]
        if not named:
            yield LeftOut(place, OTHER_ORIGIN, ", ".join(sources))
            return
        hit = _of_intel(fields, [each.removeprefix(ours).removeprefix("-") for each in named], at_ms)
    yield from readings_of_hit(place, hit, exchanged, asking)


def _of_intel(fields: dict[str, Any], schemes: list[str], at_ms: int) -> Hit:
    """The value that was seen. ``matched`` are the types of the items that it matched: an address may be in a network
    that is listed, and not be listed itself."""
    value, stated = text_of(fields, "seen_indicator"), text_of(fields, "seen_indicator_type")
    matched = _items(fields, "matched") or [stated]
    if not value:
        return Hit(at_ms)
    if stated == "Intel::URL":
        return Hit(at_ms, tuple((IndicatorType.URL, f"{scheme}://{value}") for scheme in schemes if scheme))
    kinds = _HASHES.get(len(value)) if stated == "Intel::FILE_HASH" else None
    of_type = (kinds,) if kinds is not None else _KINDS.get(stated, ())
    values = tuple((kind, value) for kind in of_type) if stated in matched else ()
    return Hit(at_ms, values, (value,) if _SUBNET in matched else ())


def _of_notice(value: str) -> _Values:
    """What ``sub`` can be: it has no type, and of a URL no scheme."""
    if "/" in value:
        return tuple((IndicatorType.URL, f"{scheme}://{value}") for scheme in _SCHEMES)
    kinds = (
        *(detect(value) or IndicatorType.DOMAIN_NAME, IndicatorType.FILE_NAME),
        *(IndicatorType.X509_SHA1, IndicatorType.USER_AGENT),
    )
    return tuple((kind, value) for kind in dict.fromkeys(kinds) if value)


def _items(fields: dict[str, Any], name: str) -> list[str]:
    value = fields.get(name)
    return [str(each) for each in value] if isinstance(value, list) else [] if value is None else str(value).split(",")
