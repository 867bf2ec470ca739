"""Reads Suricata's EVE records, also printed over several lines, in one array, or within a collector's own objects.

A sensor sees what everyone does; an exchange of threat indicators must not. So only ``alert`` records count, and
of the others only ``fileinfo`` of a flow that has alerted before. All others are left out, and so are alerts of the two
classes of Suricata's ``classification.config`` without a threat: traffic that is not suspicious, and the engine's own
notes on protocols.

``suricata_alert`` decides which parts of an alert are indicators.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

import msgspec

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined, stricter
from producers.readers.collected import unwrapped
from producers.readers.document import repeated_keys, why_invalid
from producers.readers.home import Nothing, Undecided, address_of, is_ours
from producers.readers.json_records import records
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.suricata_alert import indicators_of, template_of
from producers.readers.suricata_files import HASHES, File, hashes_of
from producers.readers.suricata_flows import AlertedFlows, Given
from producers.readers.suricata_record import Alert
from producers.readers.suricata_requested import NO_INDICATOR, ON_REQUEST, requested_value, requested_values
from producers.readers.suricata_rule import FIELDS, Statement, beside_rule, of_fields, stated_in
from producers.readers.times import milliseconds
from schemas.delivered import SURICATA_SIDS
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

_NO_ALERT: Final = "no-alert"
_NO_THREAT: Final = "no-threat"
_OTHER_FILE: Final = "file-without-alert"
_PART_OF_FILE: Final = "part-of-file"
_OUR_FILE: Final = "our-file"
_DELIVERED: Final = "delivered"
_EVENT_TYPE: Final = b'"event_type"'
NO_THREAT: Final = frozenset({"Not Suspicious Traffic", "Generic Protocol Command Decode"})
_READ: Final = frozenset({"alert", "fileinfo"})


class _Which(msgspec.Struct):
    event_type: str = ""
    flow_id: int | None = None


class _Alerting(msgspec.Struct):
    category: str | None = None
    signature_id: int | None = None


class _AlertRecord(msgspec.Struct):
    alert: _Alerting


class _Timed(msgspec.Struct):
    timestamp: str = ""


class _FileRecord(msgspec.Struct):
    timestamp: str
    fileinfo: File
    src_ip: str | None = None


# A collector may have made texts of numbers.
_WHICH: Final = msgspec.json.Decoder(_Which, strict=False)
_ALERTING: Final = msgspec.json.Decoder(_AlertRecord, strict=False)
_TIMED: Final = msgspec.json.Decoder(_Timed, strict=False)
_ALERT: Final = msgspec.json.Decoder(Alert, strict=False)
_FILE: Final = msgspec.json.Decoder(_FileRecord, strict=False)


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """The indicators of each record, in the order of the records."""
    flows = AlertedFlows()
    for record in records(source, defaults.encoding):
        if isinstance(record, Rejected):
            yield record
        else:
            yield from _readings(record.content, record.place, defaults, flows)


def _readings(
    record: bytes, place: SourcePlace, defaults: Defaults, flows: AlertedFlows, outside: Marked = NOTHING
) -> Iterator[Reading]:
    """``outside`` is what a collector has written around the record."""
    try:
        which = _WHICH.decode(record)
        kind, flow_id = which.event_type, which.flow_id
        if not kind:
            inside = unwrapped(record, ("event_type",))
            if inside is None:
                raise ValueError("it has no event_type")
            yield from _readings(inside[0], place, defaults, flows, inside[1])
            return
        is_asked = kind in defaults.include and kind in ON_REQUEST
        if (kind in _READ or is_asked or record.count(_EVENT_TYPE) > 1) and repeated_keys(record):
            detail = "an object in it has a key twice, so the record contradicts itself"
            yield rejected(place, RejectReason.UNREADABLE_LINE, detail, record)
            return
        if kind == "alert":
            yield from _of_alert_record(record, flow_id, outside, place, defaults, flows)
        elif kind == "fileinfo" and (flow_id in flows or _OTHER_FILE not in defaults.include):
            stated = joined((outside, _around(FIELDS.decode(record)), flows.marked(flow_id)))
            yield from _marked(_of_file(record, which, place, defaults, flows), stated)
        elif is_asked or kind == "fileinfo":
            stated = joined((outside, _around(FIELDS.decode(record)), flows.marked(flow_id)))
            yield from _marked(requested_values(record, kind, flow_id, place, defaults, flows), stated)
        else:
            yield LeftOut(place, kind if kind in ON_REQUEST else _NO_ALERT, kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = f"not an EVE record: {why_invalid(error)}; was the file cut, or did another tool write it?"
        yield rejected(place, RejectReason.UNREADABLE_LINE, detail, record)


def _around(fields: dict[str, msgspec.Raw]) -> Marked:
    """What a collector has written about sharing in a record, and in its rule."""
    of_rule = beside_rule(bytes(fields["alert"])) if "alert" in fields else NOTHING
    return joined((of_rule, of_fields(fields, "record")))


def _marked(readings: Iterator[Reading], around: Marked) -> Iterator[Reading]:
    """The same readings with this marking beside their own."""
    return map(partial(_with, around), readings) if around.origins else readings


def _with(around: Marked, reading: Reading) -> Reading:
    if not isinstance(reading, Seen):
        return reading
    marking = stricter(around.marking, reading.observation.marking)
    observation = msgspec.structs.replace(reading.observation, marking=marking)
    origins = tuple(dict.fromkeys((*reading.marking_from, *around.origins)))
    return msgspec.structs.replace(reading, observation=observation, marking_from=origins)


def _of_alert_record(
    record: bytes, flow_id: int | None, outside: Marked, place: SourcePlace, defaults: Defaults, flows: AlertedFlows
) -> Iterable[Reading]:
    """The readings of an alert. What else is read of its flow is marked like it, also if it is left out itself."""
    alerting, fields = _ALERTING.decode(record).alert, FIELDS.decode(record)
    stated = stated_in(bytes(fields["alert"]))
    own = outside.join(_around(fields)).join(stated.marked)
    marked, loosely_given = flows.mark(flow_id, own)
    readings: Iterable[Reading]
    if alerting.signature_id in SURICATA_SIDS:
        readings = (LeftOut(place, _DELIVERED, "`kakehashi sighting follow` reports it"),)
    elif alerting.category not in NO_THREAT:
        stated = stated if own is stated.marked else msgspec.structs.replace(stated, marked=own)
        readings = _of_alert(record, stated, flow_id, marked, place, defaults, flows)
    elif _NO_THREAT in defaults.include:
        unrated = msgspec.structs.replace(defaults, confidence=-1)
        readings = _marked(requested_values(record, "alert", flow_id, place, unrated, flows), own)
    else:
        readings = (LeftOut(place, _NO_THREAT, alerting.category or ""),)
    if not loosely_given:
        return readings
    return _with_earlier(readings, loosely_given, record, flow_id, place, defaults, flows)


def _of_alert(
    record: bytes,
    stated: Statement,
    flow_id: int | None,
    of_flow: Marked,
    place: SourcePlace,
    defaults: Defaults,
    flows: AlertedFlows,
) -> Iterator[Reading]:
    """The values of an alert, marked as it states; the files among them are the flow's."""
    alert = _ALERT.decode(record)
    at_ms = milliseconds(alert.timestamp)
    found = indicators_of(alert, defaults)
    if at_ms is None:
        detail = f"the timestamp {alert.timestamp[:40]!r} is not an ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, record)
        return
    if isinstance(found, Undecided):
        yield rejected(place, found.reason, found.detail, record)
        return
    if isinstance(found, Nothing):
        yield LeftOut(place, NO_INDICATOR, found.detail)
        return
    template = template_of(alert, place, at_ms, defaults, stated)
    if flow_id:
        flows.add(flow_id, template)
    for kind, value in found:
        seen = _seen(template, place, kind=kind, value=value)
        yield _with(of_flow, seen) if kind in HASHES else seen
    if alert.files:
        flows.gave(flow_id, Given("", tuple(each for each in found if each[0] in HASHES)))


def _with_earlier(
    readings: Iterable[Reading],
    given: tuple[Given, ...],
    record: bytes,
    flow_id: int | None,
    place: SourcePlace,
    defaults: Defaults,
    flows: AlertedFlows,
) -> Iterator[Reading]:
    """The readings of an alert that makes its flow's marking stricter, and what was read of the flow before, again."""
    own = set[tuple[IndicatorType, str]]()
    for reading in readings:
        if isinstance(reading, Seen):
            own.add((reading.observation.kind, reading.observation.value))
        yield reading
    at_ms = milliseconds(_TIMED.decode(record).timestamp) or 0
    template, marked = flows.template(flow_id), flows.marked(flow_id).with_default(defaults.marking)
    values = {about: event_type for event_type, values in given for about in values if about not in own}
    for (kind, value), event_type in values.items():
        if template is None or event_type:
            yield requested_value(kind, value, event_type or "alert", at_ms, marked, place, defaults)
        else:
            yield _seen(template, place, kind=kind, value=value, first_seen_ms=at_ms, last_seen_ms=at_ms)


def _of_file(
    record: bytes, which: _Which, place: SourcePlace, defaults: Defaults, flows: AlertedFlows
) -> Iterator[Reading]:
    """The hashes of a file that the threat of an alerted flow has sent."""
    template = flows.template(which.flow_id)
    if template is None:
        yield LeftOut(place, _OTHER_FILE)
        return
    file = _FILE.decode(record)
    at_ms = milliseconds(file.timestamp)
    if at_ms is None:
        detail = f"the timestamp {file.timestamp[:40]!r} is not an ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, record)
        return
    name = file.fileinfo.filename or ""
    sender = address_of(file.src_ip)
    if sender is not None and is_ours(sender, defaults):
        yield LeftOut(place, _OUR_FILE, name)
        return
    if not file.fileinfo.is_whole:
        yield LeftOut(place, _PART_OF_FILE, name)
        return
    found = tuple(hashes_of(file.fileinfo))
    if not found:
        yield LeftOut(place, NO_INDICATOR, "no hash was computed")
    context = (*template.observation.context, *((("file-name", name),) if name else ()))
    for kind, value in found:
        yield _seen(template, place, kind=kind, value=value, first_seen_ms=at_ms, last_seen_ms=at_ms, context=context)
    flows.gave(which.flow_id, Given("", found))


def _seen(template: Seen, place: SourcePlace, **changes: Any) -> Seen:
    return Seen(place, msgspec.structs.replace(template.observation, **changes), template.marking_from)


def _recognise(head: Head) -> Recognition | None:
    """One record of EVE is enough, also behind damaged lines."""
    start = head.unescaped
    at = start.find(_EVENT_TYPE)
    is_json = start.startswith((b"{", b"[")) or any(
        line.startswith(b"{") and _EVENT_TYPE in line for line in start.splitlines()
    )
    return Recognition(Specificity.WORDS, at) if at >= 0 and is_json else None


READER: Final = Reader(
    name="suricata-eve",
    reads="alerts, and the files of flows that have alerted: the address that is not yours, host, URL, SNI, DNS name, "
    "JA3, JA4, certificate, hashes. Name your own networks with `--home-net`: if neither side is yours, the threat "
    "cannot be told from the victim, and the alert is refused",
    leaves_out={
        **{kind: f"records of `{kind}`, which accuse nobody" for kind in ON_REQUEST},
        _NO_ALERT: "all other records that are not alerts",
        _NO_THREAT: f"alerts of the classes {' and '.join(sorted(NO_THREAT))}",
        NO_INDICATOR: "alerts between your own networks, mail servers, and files without a hash",
        _OTHER_FILE: "files of flows that have not alerted",
        _PART_OF_FILE: "files that were not seen whole",
        _OUR_FILE: "files that your own side has sent",
        _DELIVERED: "alerts on what this exchange has delivered, which are sightings: `kakehashi sighting follow`",
    },
    on_request={
        **ON_REQUEST,
        _NO_THREAT: "what the alert names",
        _OTHER_FILE: "hashes of whole files that the other side sent",
    },
    example=b'{"timestamp": "2026-11-20T08:00:00.000000+0000", "event_type": "alert", "src_ip": "10.1.2.3", '
    b'"dest_ip": "198.51.100.7", "alert": {"signature": "made up", "category": "A Network Trojan was detected"}}\n'
    b'{"timestamp": "2026-11-20T08:00:00.000000+0000", "event_type": "dns"}\n',
    recognise=_recognise,
    read=read,
    unit="record",
)
