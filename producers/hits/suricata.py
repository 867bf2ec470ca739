"""Hits in Suricata's ``eve.json``: alerts of the rules that the Suricata output has written, known by their sids.

Source: Suricata's user guide, "Eve JSON Format". The rule states which field was compared, so the value is there, if
Suricata logs the protocol's fields with its alerts (``metadata`` of the alert output, which is on by default).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from producers.hits.hit import NO_HIT, RULES, Asking, Exchanged, Hit, readings_of_hit
from producers.inputs import OpenInput
from producers.readers.collected import unwrapped
from producers.readers.document import why_invalid
from producers.readers.json_records import Record, records
from producers.readers.reader import Reader
from producers.readers.reading import Defaults, LeftOut, Reading, rejected
from producers.readers.suricata_alert import queried
from producers.readers.suricata_files import File
from producers.readers.suricata_record import Handshake, Http
from producers.readers.times import milliseconds
from producers.sighting import TOOL
from schemas.vocabulary import IndicatorType, RejectReason

FORMAT: Final = "suricata-eve"
_GID: Final = 1
_EXAMPLE: Final = (
    b'{"timestamp": "2026-11-20T08:00:00.000000+0000", "event_type": "alert", "src_ip": "10.1.2.3", '
    b'"dest_ip": "198.51.100.7", "alert": {"gid": 1, "signature_id": 3900001}}\n'
)


class Signature(NamedTuple):
    """What a rule of ours compares: the buffer by Suricata's name, and the type of its values; None of any network."""

    buffer: str
    kind: IndicatorType | None


class _Rule(msgspec.Struct):
    signature_id: int | None = None
    gid: int = _GID


class _Alert(msgspec.Struct):
    event_type: str = ""
    timestamp: str = ""
    alert: _Rule | None = None
    src_ip: str | None = None
    dest_ip: str | None = None
    http: Http | None = None
    tls: Handshake | None = None
    quic: Handshake | None = None
    dns: Any = None
    files: list[File] | None = None
    fileinfo: File | None = None


def reader_of(signatures: Mapping[int, Signature], asking: Asking) -> Reader:
    """The reader; ``signatures`` are our rules by their sids."""

    def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
        with asking.exchanged() as exchanged:
            for record in records(source, defaults.encoding):
                if isinstance(record, Record):
                    yield from _readings(record, signatures, exchanged, asking)
                else:
                    yield record

    return Reader(TOOL, "alerts of our own rules", RULES, _EXAMPLE, lambda _head: None, read, unit="record")


def _readings(
    record: Record, signatures: Mapping[int, Signature], exchanged: Exchanged, asking: Asking
) -> Iterator[Reading]:
    place, content = record.place, record.content
    try:
        alert = msgspec.json.decode(content, type=_Alert)
        if not alert.event_type and (inside := unwrapped(content, ("event_type",))) is not None:
            alert = msgspec.json.decode(inside[0], type=_Alert)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = f"not an EVE record: {why_invalid(error)}; was the file cut, or did another tool write it?"
        yield rejected(place, RejectReason.UNREADABLE_LINE, detail, content)
        return
    rule = alert.alert
    signature = None if rule is None or rule.gid != _GID else signatures.get(rule.signature_id or 0)
    if alert.event_type != "alert" or signature is None:
        yield LeftOut(place, NO_HIT, alert.event_type)
        return
    at_ms = milliseconds(alert.timestamp)
    if at_ms is None:
        detail = f"the timestamp {alert.timestamp[:40]!r} is not an ISO 8601 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, content)
        return
    yield from readings_of_hit(place, _hit(alert, signature, at_ms), exchanged, asking)


def _hit(alert: _Alert, signature: Signature, at_ms: int) -> Hit:
    values = tuple(dict.fromkeys(each for each in _VALUES[signature.buffer](alert) if each))
    if signature.kind is None:
        return Hit(at_ms, addresses=values)
    return Hit(at_ms, tuple((signature.kind, value) for value in values))


def _sni(alert: _Alert) -> list[str | None]:
    return [each.sni for each in (alert.tls, alert.quic) if each is not None]


def _ja3(alert: _Alert) -> list[str | None]:
    return [each.ja3_hash for each in (alert.tls, alert.quic) if each is not None]


def _ja4(alert: _Alert) -> list[str | None]:
    return [each.ja4 for each in (alert.tls, alert.quic) if each is not None]


def _files(alert: _Alert) -> list[File]:
    return [*(alert.files or ()), *((alert.fileinfo,) if alert.fileinfo else ())]


_VALUES: Final[Mapping[str, Callable[[_Alert], list[str | None]]]] = {
    "ip.src": lambda alert: [alert.src_ip],
    "ip.dst": lambda alert: [alert.dest_ip],
    "iprep": lambda alert: [alert.src_ip, alert.dest_ip],
    "dns.query": lambda alert: [*queried(alert.dns)],
    "tls.sni": _sni,
    "http.host": lambda alert: [alert.http.hostname if alert.http else None],
    "ja3.hash": _ja3,
    "ja4.hash": _ja4,
    "tls.cert_fingerprint": lambda alert: [(alert.tls.fingerprint or "").replace(":", "") if alert.tls else None],
    "http.user_agent": lambda alert: [alert.http.http_user_agent if alert.http else None],
    "filemd5": lambda alert: [each.md5 for each in _files(alert)],
    "filesha1": lambda alert: [each.sha1 for each in _files(alert)],
    "filesha256": lambda alert: [each.sha256 for each in _files(alert)],
}
