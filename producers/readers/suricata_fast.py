"""Reads Suricata's ``fast.log``, and Snort's alerts of the same form: one line an alert.

The line has no protocol of the application: it follows from the port, so that no resolver and no mail server is taken
for the threat. Its time has no zone and is taken as UTC. EVE has more fields, and is better.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from producers.comments import is_comment
from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked
from producers.readers.home import Nothing, Undecided
from producers.readers.lines import Line
from producers.readers.list_heading import (
    Heading,
    comments_of,
    marking_of_line,
    marking_of_unreadable_comment,
)
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.suricata_alert import MAIL_PORTS, indicators_of, template_of
from producers.readers.suricata_eve import NO_THREAT
from producers.readers.suricata_record import Alert, Rule
from producers.readers.suricata_rule import statement_of
from producers.readers.times import milliseconds
from schemas.vocabulary import RejectReason

_COMMENT: Final = "comment"
_NO_THREAT: Final = "no-threat"
_NO_INDICATOR: Final = "no-indicator"
_LINE: Final = re.compile(
    r"(?P<time>\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d\.\d{1,6})\s+(?:\[(?P<action>\w+)\]\s+)?\[\*\*\]\s+"
    r"\[\d+:(?P<id>\d+):\d+\]\s+(?P<message>.*?)\s+\[\*\*\]"
    r"(?:\s+\[Classification: (?P<class>[^\]]*)\])?(?:\s+\[Priority: (?P<priority>\d+)\])?"
    r"\s+\{(?P<proto>[^}]+)\}\s+(?P<source>\S+)\s+->\s+(?P<destination>\S+)\s*"
)
_BEGINS: Final = re.compile(r"\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d\.\d+\s+(?:\[\w+\]\s+)?\[\*\*\]")
_FULL_YEAR: Final = 10  # characters of 11/30/2026
_NO_YEAR: Final = 5  # of 11/30, as Snort writes it by default


def _read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    heading = Heading(source, defaults.encoding, _of_comment, comments_of, marking_of_unreadable_comment)
    for line in heading.lines():
        if isinstance(line, Rejected):
            yield line
        elif is_comment(line.text):
            yield LeftOut(line.place, _COMMENT)
        elif line.text.strip():
            yield from _readings(line, heading.marked, defaults)


def _of_comment(line: Line) -> Marked:
    return marking_of_line(line) if is_comment(line.text) else NOTHING


def _readings(line: Line, heading: Marked, defaults: Defaults) -> Iterator[Reading]:
    found = _LINE.fullmatch(line.text)
    if found is None:
        detail = "the line is no alert of fast.log: was it cut?"
        yield rejected(line.place, RejectReason.UNREADABLE_LINE, detail, line.original)
        return
    if len(date := found["time"].partition("-")[0]) == _NO_YEAR:
        detail = "the time has no year: start Snort with -y (show_year in Snort 3)"
        yield rejected(line.place, RejectReason.TIME_OUT_OF_RANGE, detail, line.original)
        return
    alert = _alert(found)
    is_asked = _NO_THREAT in defaults.include
    if alert.alert.category in NO_THREAT:
        if not is_asked:
            yield LeftOut(line.place, _NO_THREAT, alert.alert.category or "")
            return
        defaults = msgspec.structs.replace(defaults, confidence=-1)
    form = f"%m/%d/%{'Y' if len(date) == _FULL_YEAR else 'y'}-%H:%M:%S.%f"
    at_ms = milliseconds(found["time"], form, defaults.time_zone)
    values = indicators_of(alert, defaults)
    if isinstance(values, Nothing):
        yield LeftOut(line.place, _NO_INDICATOR, values.detail)
    elif isinstance(values, Undecided):
        yield rejected(line.place, values.reason, values.detail, line.original)
    elif at_ms is None:
        detail = f"{found['time']} is not a time: the form is month/day/year"
        yield rejected(line.place, RejectReason.TIME_OUT_OF_RANGE, detail, line.original)
    else:
        template = template_of(alert, line.place, at_ms, defaults, statement_of(alert.alert))
        marked = Marked(template.observation.marking, template.marking_from).join(heading)
        for kind, value in values:
            changed = msgspec.structs.replace(template.observation, kind=kind, value=value, marking=marked.marking)
            yield Seen(line.place, changed, marked.origins)


def _alert(found: re.Match[str]) -> Alert:
    (source_ip, source_port), (dest_ip, dest_port) = (_side(found[name]) for name in ("source", "destination"))
    return Alert(
        timestamp="",
        alert=Rule(
            signature=found["message"],
            signature_id=int(found["id"][:18]),
            category=found["class"],
            severity=int(found["priority"][:9]) if found["priority"] else None,
            action=found["action"],
        ),
        src_ip=source_ip,
        src_port=source_port,
        dest_ip=dest_ip,
        dest_port=dest_port,
        proto=found["proto"],
        app_proto="smtp" if MAIL_PORTS & {source_port, dest_port} else None,
    )


def _side(text: str) -> tuple[str, int | None]:
    """Address and port. Suricata writes a port behind every address, also of IPv6 and without brackets."""
    address, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and len(port) <= 5):
        return text, None
    return address.strip("[]"), int(port)


def _recognise(head: Head) -> Recognition | None:
    return Recognition(Specificity.WORDS) if any(map(_BEGINS.match, head.rows)) else None


READER: Final = Reader(
    name="suricata-fast",
    reads="alerts of Suricata's `fast.log`: the address that is not yours. Its times are UTC without `--time-zone`",
    leaves_out={
        _NO_THREAT: f"alerts of the classes {' and '.join(sorted(NO_THREAT))}",
        _NO_INDICATOR: "alerts between your own networks, and mail servers",
        _COMMENT: "lines that begin with `#` or `//`",
    },
    on_request={_NO_THREAT: "what the alert names"},
    example=b"11/20/2026-08:00:00.250000  [**] [1:2024001:3] made up [**] [Classification: Misc Attack] "
    b"[Priority: 1] {TCP} 10.1.2.3:50123 -> 198.51.100.7:443\n"
    b"11/20/2026-08:00:01.250000  [**] [1:2024002:1] made up [**] [Classification: Not Suspicious Traffic] "
    b"[Priority: 3] {TCP} 10.1.2.3:50124 -> 198.51.100.8:443\n# made up\n",
    recognise=_recognise,
    read=_read,
)
