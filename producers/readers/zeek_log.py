"""Reads Zeek's logs, TSV or JSON. Finds the records that report a threat.

A sensor sees what everyone does; an exchange of threat indicators must not. So only the logs count in which Zeek itself
accuses someone: ``notice``, ``intel`` and ``signatures``. Records of other logs are left out under the log's name; of
some of them the operator may ask for the values. ``zeek_indicators`` decides what is an indicator.

A header may come again, as in files that were joined. A line before the first header, and a row that does not fit it,
are refused.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final

import msgspec

from producers.comments import is_comment
from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined
from producers.markings.properties import may_restrict, of_properties, restricting
from producers.markings.understanding import of_file_names, of_prose
from producers.readers.document import why_invalid
from producers.readers.home import Nothing, Undecided
from producers.readers.json_records import Record, records
from producers.readers.lines import Line
from producers.readers.list_heading import (
    Heading,
    comments_of,
    marking_of_line,
    marking_of_unreadable_comment,
)
from producers.readers.list_times import list_milliseconds
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.zeek_indicators import INTEL_NOTICE, NO_THREAT, found_in, text_of
from producers.readers.zeek_record import (
    LOGS,
    Layout,
    fields_of_json,
    fields_of_row,
    is_header,
    log_of,
    record_of_json,
    with_header,
)
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

_HEADER: Final = "header"
_COMMENT: Final = "comment"
_NO_THREAT: Final = "no-threat"
_NO_INDICATOR: Final = "no-indicator"
_OTHER_LOG: Final = "other-log"
_INTEL_NOTICE: Final = "intel-notice"
_READ: Final = frozenset({"notice", "intel", "signatures"})
_ON_REQUEST: Final = {
    "conn": "the other side's address",
    "dns": "the name that one of yours asked for",
    "files": "hashes of whole files that the other side sent",
    "http": "address, host and URL of the server that one of yours asked",
    "smtp": "the address of a client that sent you a mail",
    "ssl": "the server's address, name and certificate, the client's JA3 and JA4",
    "weird": "the other side's address",
}
_KEYS: Final = (b'"id.orig_h"', b'"id_orig_h"', b'"orig_h"', b'"_path"', b'"seen.indicator"', b'"seen_indicator"')
_MORE_KEYS: Final = (b'"certificate.serial"', b'"certificate_serial"', b'"fuid"', b'"@stream"')
_BEGINS: Final = re.compile(rb'\{\s*"(?:ts|_path|_write_ts|@stream)"\s*:')


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """The indicators of each record, in the order of the records."""
    start = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"{", b"[")):
        of_name = of_file_names(source.names)
        for record in records(source, defaults.encoding):
            yield from _of_json(record, of_name, defaults) if isinstance(record, Record) else (record,)
        return
    heading = Heading(source, defaults.encoding, _Comments().marking_of, comments_of, marking_of_unreadable_comment)
    layout = Layout()
    for line in heading.lines():
        if isinstance(line, Rejected):
            yield line
        elif is_comment(line.text):
            header = with_header(layout, line.text)
            yield LeftOut(line.place, _COMMENT if header is None else _HEADER)
            layout = layout if header is None else header
        elif line.text.strip():
            yield from _of_row(line, layout, heading.marked, defaults)


class _Comments:
    """The comments of a log, in their order: the lines of its header name the separator."""

    def __init__(self) -> None:
        self._layout = Layout()

    def marking_of(self, line: Line) -> Marked:
        """What this line states about the whole log."""
        if not is_comment(line.text):
            return NOTHING
        header = with_header(self._layout, line.text)
        self._layout = header or self._layout
        return marking_of_line(line) if header is None else NOTHING


def _of_row(line: Line, layout: Layout, heading: Marked, defaults: Defaults) -> Iterator[Reading]:
    rule = _left_out(layout.log, defaults)
    if rule and layout.log:
        yield LeftOut(line.place, rule, layout.log)
        return
    if layout.twice:
        names = ", ".join(dict.fromkeys(layout.twice))
        detail = f"the line #fields has several columns with the name {names}: give each a name of its own in Zeek"
        yield rejected(line.place, RejectReason.UNREADABLE_LINE, detail, line.original)
        return
    fields = fields_of_row(line.text, layout) if layout.names else None
    if fields is None:
        detail = (
            f"the row has {line.text.count(layout.separator) + 1} cells and the line #fields names {len(layout.names)}"
            if layout.names
            else "no line #fields names its columns: was the beginning of the file cut off?"
        )
        yield rejected(line.place, RejectReason.UNREADABLE_LINE, detail, line.original)
        return
    log = layout.log or log_of(fields, line.place.file)
    yield from _readings(log, fields, line.place, line.original, heading, defaults)


def _of_json(record: Record, heading: Marked, defaults: Defaults) -> Iterator[Reading]:
    try:
        found = record_of_json(record.content, record.place.file)
        if rule := _left_out(found.log, defaults):
            yield LeftOut(record.place, rule, found.log)
            return
        fields = fields_of_json(found.content, record.content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = f"not a record of Zeek: {why_invalid(error)}; was the file cut, or did another tool write it?"
        yield rejected(record.place, RejectReason.UNREADABLE_LINE, detail, record.content)
        return
    yield from _readings(found.log, fields, record.place, record.content, heading.join(found.around), defaults)


def _readings(
    log: str, fields: dict[str, Any], place: SourcePlace, original: bytes, heading: Marked, defaults: Defaults
) -> Iterator[Reading]:
    rule = _left_out(log, defaults)
    if rule:
        yield LeftOut(place, rule, log)
        return
    note = text_of(fields, "note")
    if log == "notice" and note.startswith(NO_THREAT) and _NO_THREAT not in defaults.include:
        yield LeftOut(place, _NO_THREAT, note)
        return
    if log == "notice" and note == INTEL_NOTICE and _INTEL_NOTICE not in defaults.include:
        yield LeftOut(place, _INTEL_NOTICE, "it may be what this exchange has delivered")
        return
    found = found_in(log, fields, defaults)
    at_ms = list_milliseconds(text_of(fields, "ts"))
    if isinstance(found, Nothing):
        yield LeftOut(place, _NO_INDICATOR, found.detail)
    elif isinstance(found, Undecided):
        yield rejected(place, found.reason, found.detail, original, found.kind)
    elif at_ms is None:
        detail = f"the time {text_of(fields, 'ts')[:40]!r} is neither seconds since 1970 nor ISO 8601"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, original)
    else:
        is_accused = log in _READ and not note.startswith(NO_THREAT) and note != INTEL_NOTICE
        marked = heading.join(_marking(fields)).with_default(defaults.marking)
        template = Observation(
            kind=IndicatorType.IPV4_ADDR,
            value="",
            first_seen_ms=at_ms,
            last_seen_ms=at_ms,
            confidence=defaults.confidence if is_accused else -1,
            marking=marked.marking,
            labels=defaults.labels,
            description=text_of(fields, "msg") or text_of(fields, "event_msg"),
            context=(
                ("log", log),
                *[(name, text) for name in _FACTS if name in fields and (text := text_of(fields, name))],
            ),
        )
        for kind, value in found:
            observation = msgspec.structs.replace(template, kind=kind, value=value)
            yield Seen(place, observation, marked.origins)


_TEXTS: Final = (
    "msg",
    "sub",
    "event_msg",
    "sub_msg",
    "sources",
    "desc",
    "description",
    "comment",
    "meta_desc",
    "remark",
)
_MOST_NAMES: Final = 256
"""Names of a record that are remembered: more would fill the memory."""
_FACTS: Final = (
    *("note", "sub", "sig_id", "seen_where", "uid", "id_orig_h", "id_orig_p", "id_resp_h", "id_resp_p", "proto"),
    *("service", "filename", "name"),
)


def _left_out(log: str, defaults: Defaults) -> str:
    """The rule that leaves all records of a log out; empty if they are read."""
    if log in _READ or (log in _ON_REQUEST and log in defaults.include):
        return ""
    return log if log in LOGS else _OTHER_LOG


def _marking(fields: dict[str, Any]) -> Marked:
    """What a record states about sharing: in its texts, and in what a collector has added."""
    texts = [of_prose(text, name) for name in _TEXTS if name in fields for text in _texts_of(fields[name])]
    names = restricting(tuple(fields)) if len(fields) <= _MOST_NAMES else filter(may_restrict, fields)
    beside = {name: fields[name] for name in names}
    return joined(texts).join(of_properties(beside, (), "record")) if beside else joined(texts)


def _texts_of(value: Any) -> Iterator[str]:
    """The texts of a field; a set has several."""
    for each in value if isinstance(value, list) else (value,):
        if each and isinstance(each, str):
            yield each


def _recognise(head: Head) -> Recognition | None:
    start = head.start
    if start.startswith(b"#"):
        is_ours = any(map(is_header, takewhile(_is_comment, head.lines)))
        return Recognition(Specificity.WORDS) if is_ours else None
    if not start.startswith((b"{", b"[")):
        return None
    start = head.unescaped
    keys = [at for key in (*_KEYS, *_MORE_KEYS) if (at := start.find(key)) >= 0]
    if keys:
        return Recognition(Specificity.WORDS, min(keys))
    return Recognition(Specificity.SHAPE) if _BEGINS.match(start.lstrip(b"[ \r\n\t")) else None


def _is_comment(line: str) -> bool:
    return line.startswith("#") or not line.strip()


READER: Final = Reader(
    name="zeek-log",
    reads="`notice`, `intel` and `signatures`, in TSV or JSON: the address that is not yours, the value of an intel "
    "hit, the hash of a match in the malware hash registry. Name your own networks with `--home-net`",
    leaves_out={
        **{log: f"records of `{log}`, which accuse nobody" for log in sorted(LOGS - _READ)},
        _OTHER_LOG: "records of all other logs",
        _NO_THREAT: "notices that accuse nobody: weak keys, certificates, vulnerable software, Zeek itself",
        _NO_INDICATOR: "records between your own networks, hits of what this exchange has delivered, and records that "
        "name nobody else",
        _INTEL_NOTICE: "notices of the intelligence framework, which do not name the source of the value: `intel` does",
        _HEADER: "header lines",
        _COMMENT: "other lines that begin with `#` or `//`",
    },
    on_request={
        **_ON_REQUEST,
        _NO_THREAT: "the address that is not yours",
        _INTEL_NOTICE: "the value; only for a Zeek that this exchange delivers nothing to",
    },
    example=b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tnotice\n"
    b"#fields\tts\tid.orig_h\tid.resp_h\tnote\tmsg\n#types\ttime\taddr\taddr\tenum\tstring\n"
    b"1795000000.5\t10.1.2.3\t198.51.100.7\tSignatures::Sensitive_Signature\tmade up\n"
    b"1795000001.5\t10.1.2.3\t198.51.100.9\tSSL::Weak_Key\tmade up\n#close\t2026-11-20-08-00-00\n",
    recognise=_recognise,
    read=read,
    unit="record",
)
