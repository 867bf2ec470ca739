"""Facts of what a sensor has published: its reports on the nation's topic, read committed, with what was refused."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, cast

from consumers.queries.quarantine import entries
from consumers.queries.redriven import State, identity_of, states
from consumers.subscription.topic_reader import TopicReader
from exchange.authority.roster import Roster
from exchange.authority.sensor_keys import KeyState
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import settings_of
from exchange.protocol.record import Record
from kakehashi.conformance.statements import statements
from producers.conformance.facts import (
    Fact,
    FactPlace,
    Kept,
    Refusal,
    Sent,
    Signature,
    Span,
    Statement,
    Unread,
    of_partition,
)
from producers.conformance.report import Fed
from schemas import topics
from schemas.codec import QUARANTINED, SENSOR_REPORT, SENSOR_REPORT_V2, Codec, Undecodable
from schemas.quarantine import Location
from schemas.records import SensorReport
from schemas.report_signature import is_signed_by, signature_in
from streams.intake.collapse import Normaliser
from streams.intake.columns import check_columns

_LENGTH: Final = 8
Reported = Sent | Statement | Unread
"""What one record shows."""


class Published:
    """The reports of one sensor. ``fed`` has each partition with its digest, once it was read."""

    def __init__(self, cluster: Cluster, sensor: str, roster: Roster) -> None:
        self.fed: list[Fed] = []
        self._cluster, self._sensor, self._roster = cluster, sensor, roster
        self._codec = cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2, QUARANTINED)
        self._normaliser = Normaliser()
        self._accepted: frozenset[str] = frozenset()
        self._since_ms: int | None = None

    def facts(self, wanted: Mapping[int, tuple[int, int]] | None = None) -> Iterator[Fact]:
        """All facts: topics, refusals, reports. ``wanted`` limits the offsets of partitions.

        Raises BrokerUnavailable, and NotFound for a nation without these topics.
        """
        yield from self._kept()
        refusals = self._refusals()
        self._accepted = frozenset(each.key for each in refusals if not each.is_open)
        yield from self._reports(wanted)
        # What was refused before the first report that is still there belongs to the time before it.
        yield from (each for each in refusals if each.at_ms >= (self._since_ms or 0))

    def fingerprints(self, wanted: Mapping[int, tuple[int, int]]) -> list[Fed]:
        """The digests of the sensor's records in these offsets alone."""
        for _ in self._reports(wanted):
            pass
        return self.fed

    def _kept(self) -> Iterator[Kept]:
        nation = self._cluster.nation
        wanted = [
            each
            for each in topics.topics_of(nation, (), 1)
            if each.name in (topics.SENSOR_REPORTS, topics.QUARANTINE, topics.AUDIT)
        ]
        for name, settings in settings_of(self._cluster, wanted).items():
            is_deleted = "delete" in settings.get("cleanup.policy", "")
            retention_ms = int(settings.get("retention.ms", "0")) if is_deleted else topics.FOR_EVER
            yield Kept(name, retention_ms, settings.get("message.timestamp.type") == "LogAppendTime")

    def _refusals(self) -> list[Refusal]:
        with TopicReader(self._cluster, topics.QUARANTINE) as reader:
            ours = [each for each in entries(reader, self._codec) if each["sensor"] == self._sensor]
        known = states(self._cluster, ours, self._codec)
        return [
            Refusal(
                each["key"],
                each["reason"],
                each["at_ms"],
                known.of(identity_of(each, self._codec)) is not State.ACCEPTED,
            )
            for each in ours
        ]

    def _reports(self, wanted: Mapping[int, tuple[int, int]] | None) -> Iterator[Fact]:
        name = self._sensor.encode()
        with TopicReader(self._cluster, topics.SENSOR_REPORTS) as reader:
            for partition in reader.partitions:
                begin, end = reader.bounds(partition) if wanted is None else wanted.get(partition, (0, 0))
                yield Span(partition, begin, end)
                digest, size, count = sha256(), 0, 0
                for record in reader.read(partition, begin, end):
                    # Avro writes a text as its UTF-8: a report without these bytes is not the sensor's.
                    if record.key != name and name not in (record.value or b""):
                        continue
                    facts = list(report_facts(record, self._sensor, self._codec, self._roster, self._normaliser))
                    if not facts:
                        continue
                    size += _add(digest, record)
                    count += 1
                    self._note(record.timestamp_ms)
                    yield from (each for each in facts if not self._is_corrected(record, each))
                if count:
                    fed = Fed(
                        name=f"{topics.SENSOR_REPORTS}-{partition}",
                        sha256=digest.hexdigest(),
                        size=size,
                        records=count,
                        partition=partition,
                        begin=begin,
                        end=end,
                    )
                    self.fed.append(fed)

    def _note(self, at_ms: int) -> None:
        self._since_ms = at_ms if self._since_ms is None else min(self._since_ms, at_ms)

    def _is_corrected(self, record: Record, fact: Reported) -> bool:
        """Whether what was refused has been accepted since: the officer's copy of it is judged in its place."""
        if isinstance(fact, Sent):
            return False
        return Location(record.topic, record.partition, record.offset, fact.place.index).key in self._accepted


def report_facts(
    record: Record, sensor: str, codec: Codec, roster: Roster, normaliser: Normaliser
) -> Iterator[Reported]:
    """The facts of one record; none if it is not about this sensor. An officer's redrive is no report of the sensor."""
    place = FactPlace(of_partition(record.partition), record.offset)
    key = (record.key or b"").decode("utf-8", "replace")
    found = codec.decode(SENSOR_REPORT, record.value)
    if isinstance(found, Undecodable):
        if key == sensor:
            yield Unread(place, found.reason, is_whole=True)
        return
    report = cast("SensorReport", found)
    if sensor not in (report["sensor"], key):
        return
    if not report["redrive_of"]:
        yield _sent(record, report, key, place, codec, roster)
    if report["sensor"] != sensor:
        return
    refused = check_columns(report)
    if refused is not None:
        yield Unread(place, refused.reason, is_whole=True)
        return
    yield from statements(
        report, lambda index: FactPlace(place.where, place.at, index), record.timestamp_ms, normaliser
    )


def _sent(record: Record, report: SensorReport, key: str, place: FactPlace, codec: Codec, roster: Roster) -> Sent:
    value = record.value or b""
    return Sent(
        place=place,
        key=key,
        nation=report["nation"],
        sensor=report["sensor"],
        epoch=report["epoch"],
        sequence=report["sequence"],
        built_ms=report["produced_at_ms"],
        published_ms=record.timestamp_ms,
        digest=sha256(value).digest(),
        signature=_signature(record, report["sensor"], codec, roster),
    )


def _signature(record: Record, sensor: str, codec: Codec, roster: Roster) -> Signature:
    """How the report is signed, at the time when the broker appended it (``streams.intake.authenticity``)."""
    found = signature_in(record.headers)
    if found is None:
        return Signature.MISSING
    if not roster.sensors.by_sensor.get(sensor):
        return Signature.NO_ROSTER_KEY
    key = roster.sensors.find(sensor, found.key)
    standing = KeyState.NOT_YET if key is None else key.standing(record.timestamp_ms)
    if key is None or standing is not KeyState.VALID:
        return Signature.REVOKED_KEY if standing is KeyState.REVOKED else Signature.UNKNOWN_KEY
    return Signature.VALID if is_signed_by(key.key, codec, record.value or b"", found) else Signature.INVALID


def _add(digest: Any, record: Record) -> int:
    """Add offset, key, value and headers of a record, each behind its length. Returns the bytes of key and value."""
    key, value = record.key or b"", record.value or b""
    headers = (part for name, content in record.headers for part in (name.encode(), content))
    for part in (str(record.offset).encode(), key, value, *headers):
        digest.update(len(part).to_bytes(_LENGTH, "big") + part)
    return len(key) + len(value)
