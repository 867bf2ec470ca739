"""Reads Suricata's EVE records: JSON lines, or one JSON array. Finds the records that tell of a threat.

A sensor sees what everybody does; an exchange of threat indicators must not. So only ``alert`` records count, and
of the others only ``fileinfo`` of a flow that has alerted before. DNS queries, HTTP requests, TLS sessions, flows,
mail and anomalies are passed over, and so are alerts of the two classes of Suricata's ``classification.config`` in
which there is no threat: traffic that is not suspicious, and the engine's own notes on protocols.

What of an alert is an indicator is ``suricata_alert``'s answer.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import msgspec

from producers.inputs import Input
from producers.readers.document import document
from producers.readers.lines import Line, decoded, lines
from producers.readers.reading import Defaults, Reading, Rejected, Seen, rejected
from producers.readers.suricata_alert import Alert, Undecided, indicators_of, template_of
from producers.readers.suricata_files import File, hashes_of
from producers.readers.times import milliseconds
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import RejectReason

FORMAT: Final = "suricata-eve"
NO_THREAT: Final = frozenset({"Not Suspicious Traffic", "Generic Protocol Command Decode"})
MAX_ALERTED_FLOWS: Final = 16_384
"""Flows whose later ``fileinfo`` records are still taken; the oldest is forgotten first."""

_Flows = OrderedDict[int, Observation]


class _Which(msgspec.Struct):
    event_type: str
    flow_id: int | None = None


class _Alerting(msgspec.Struct):
    category: str | None = None


class _AlertRecord(msgspec.Struct):
    alert: _Alerting


class _FileRecord(msgspec.Struct):
    timestamp: str
    fileinfo: File


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """The indicators of each record, in the order of the records."""
    flows: _Flows = OrderedDict()
    if source.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        records = document(source, defaults.encoding, list[msgspec.Raw])
        if isinstance(records, Rejected):
            yield records
            return
        source.records = len(records)
        for number, raw in enumerate(records, 1):
            yield from _readings(bytes(raw), SourcePlace(source.name, number), defaults, flows)
        return
    for line in lines(source):
        if isinstance(line, Rejected):
            yield line
        elif line.content.strip():
            yield from _of_line(line, source.name, defaults, flows)


def _of_line(line: Line, name: str, defaults: Defaults, flows: _Flows) -> Iterator[Reading]:
    place = SourcePlace(name, line.number)
    text = decoded(line.content, defaults.encoding, place)
    if isinstance(text, Rejected):
        yield text
    else:
        yield from _readings(text.encode(), place, defaults, flows)


def _readings(record: bytes, place: SourcePlace, defaults: Defaults, flows: _Flows) -> Iterator[Reading]:
    try:
        which = msgspec.json.decode(record, type=_Which)
        if which.event_type == "alert":
            if msgspec.json.decode(record, type=_AlertRecord).alert.category not in NO_THREAT:
                alert = msgspec.json.decode(record, type=Alert)
                yield from _of_alert(alert, which.flow_id, place, defaults, flows, record)
        elif which.event_type == "fileinfo" and (template := flows.get(which.flow_id or 0)) is not None:
            file = msgspec.json.decode(record, type=_FileRecord)
            yield from _of_file(file, template, place, record)
    except (msgspec.DecodeError, RecursionError) as error:
        detail = f"no EVE record: {error}; was the file cut, or is it of another tool?"
        yield rejected(place, RejectReason.UNREADABLE_LINE, detail, record)


def _of_alert(
    alert: Alert, flow_id: int | None, place: SourcePlace, defaults: Defaults, flows: _Flows, record: bytes
) -> Iterator[Reading]:
    at_ms = milliseconds(alert.timestamp)
    found = indicators_of(alert, defaults)
    if at_ms is None:
        detail = f"the timestamp {alert.timestamp[:40]!r} is no ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, record)
        return
    if isinstance(found, Undecided):
        yield rejected(place, RejectReason.UNREADABLE_LINE, found.detail, record)
        return
    template = template_of(alert, at_ms, defaults)
    if flow_id and found:
        flows[flow_id] = template
        flows.move_to_end(flow_id)
        if len(flows) > MAX_ALERTED_FLOWS:
            flows.popitem(last=False)
    for kind, value in found:
        yield Seen(place, msgspec.structs.replace(template, kind=kind, value=value))


def _of_file(file: _FileRecord, template: Observation, place: SourcePlace, record: bytes) -> Iterator[Reading]:
    at_ms = milliseconds(file.timestamp)
    if at_ms is None:
        detail = f"the timestamp {file.timestamp[:40]!r} is no ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, record)
        return
    name = (("file-name", file.fileinfo.filename),) if file.fileinfo.filename else ()
    for kind, value in hashes_of(file.fileinfo):
        yield Seen(
            place,
            msgspec.structs.replace(
                template,
                kind=kind,
                value=value,
                first_seen_ms=at_ms,
                last_seen_ms=at_ms,
                context=(*template.context, *name),
            ),
        )
