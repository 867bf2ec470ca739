"""The values of EVE's records that accuse no one, for operators who ask for them.

The table of directions of ``suricata_alert`` holds for them, too. The answers of a resolver are not taken: they may be
anyone's.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.markings.marked import NOTHING, Marked
from producers.readers.home import Nothing, Undecided, address_of, is_ours
from producers.readers.reading import Defaults, LeftOut, Reading, Seen, rejected
from producers.readers.suricata_alert import Found, named_by
from producers.readers.suricata_files import File, hashes_of
from producers.readers.suricata_flows import AlertedFlows, Given
from producers.readers.suricata_record import Alert
from producers.readers.times import milliseconds
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

NO_INDICATOR: Final = "no-indicator"
ON_REQUEST: Final = {
    "anomaly": "the other side's address",
    "dns": "the name that one of yours asked for",
    "flow": "the other side's address",
    "http": "address, host and URL of the server that one of yours asked",
    "quic": "the server's address and name, the client's JA3 and JA4",
    "smtp": "the address of a client that sent you a mail",
    "tls": "the server's address, name and certificate, the client's JA3 and JA4",
}
"""By the records' ``event_type``."""


class _WithFile(Alert):
    """A ``fileinfo`` record."""

    fileinfo: File | None = None


_RECORD: Final = msgspec.json.Decoder(_WithFile, strict=False)


def requested_values(
    record: bytes, event_type: str, flow_id: int | None, place: SourcePlace, defaults: Defaults, flows: AlertedFlows
) -> Iterator[Reading]:
    """The values of a record that accuses no one: without a confidence. Raises msgspec.DecodeError."""
    timestamp, found = _requested(record, event_type, defaults)
    at_ms = milliseconds(timestamp)
    if isinstance(found, Nothing):
        yield LeftOut(place, NO_INDICATOR, found.detail)
    elif isinstance(found, Undecided):
        yield rejected(place, found.reason, found.detail, record)
    elif at_ms is None:
        detail = f"the timestamp {timestamp[:40]!r} is not an ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, record)
    else:
        marked = NOTHING.with_default(defaults.marking)
        for kind, value in found:
            yield requested_value(kind, value, event_type, at_ms, marked, place, defaults)
        if event_type != "alert":  # its values are marked as it states itself
            flows.gave(flow_id, Given(event_type, found))


def requested_value(
    kind: IndicatorType, value: str, event_type: str, at_ms: int, marked: Marked, place: SourcePlace, defaults: Defaults
) -> Seen:
    """One of these values, with its marking."""
    observation = Observation(
        kind=kind,
        value=value,
        first_seen_ms=at_ms,
        last_seen_ms=at_ms,
        marking=marked.marking,
        labels=defaults.labels,
        context=(("record", event_type),),
    )
    return Seen(place, observation, marked.origins)


def _requested(
    record: bytes, event_type: str, defaults: Defaults
) -> tuple[str, tuple[Found, ...] | Undecided | Nothing]:
    """The timestamp of a record, and types and values or why there are none. Raises msgspec.DecodeError."""
    flow = _RECORD.decode(record)
    if event_type == "fileinfo":
        return flow.timestamp, _of_file(flow, defaults)
    if event_type == "dns" and not flow.app_proto:
        flow.app_proto = "dns"
    if event_type == "smtp":
        flow.app_proto = "smtp"
    return flow.timestamp, named_by(flow, defaults)


def _of_file(flow: _WithFile, defaults: Defaults) -> tuple[Found, ...] | Nothing:
    """The hashes of a whole file that the other side sent; the record's source is its sender."""
    sender = address_of(flow.src_ip)
    if sender is None or is_ours(sender, defaults):
        return Nothing("our own side sent the file, or it is not stated who did")
    if flow.fileinfo is None or not flow.fileinfo.is_whole:
        return Nothing("the file was not seen whole")
    return tuple(hashes_of(flow.fileinfo)) or Nothing("no hash was computed")
