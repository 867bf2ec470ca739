"""Holds one direction of a running exchange against the model: what is lost, what is there twice, what is wrong.

Everything is counted from the topics themselves, as a ``read_committed`` reader sees them; no counter of the
exchange's own is believed. What is on its way still shows as lost: audit when the work is done, or until nothing is.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, Final, cast

import fastavro
from fastavro.types import Schema

from exchange import clock
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RECEIPT, RELEASED_INDICATOR, Codec, Undecodable, source
from schemas.records import Decision, Indicator, Quarantined, ReleasedIndicator
from schemas.vocabulary import CommandKind, EndReason, Outcome, RecordKind, RejectReason
from streams.enrichment.enrich import Enricher
from tests.reference.arrivals import Arrival
from tests.reference.model import Counts, Expected, Release, expected
from tests.reference.reading import Reading
from tests.reference.vetoes import Ledger, ledger, left

DAY_MS: Final = 24 * 60 * 60 * 1000
FIRST: Final = 10
_FRAME_BYTES: Final = 5
_CODEC: Final = Codec()
_EARLIER_MS: Final = 1000  # versions of one moment count on from it: what was said then may be said of a little earlier
SLACK_MS: Final = 10_000  # what has ended just now may still be on its way
_BY_HAND: Final = frozenset({EndReason.RECALLED_BY_HAND, EndReason.FALSE_POSITIVE, EndReason.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Audit:
    """One direction. ``lost``, ``duplicated`` and ``wrong`` are numbers of findings; ``findings`` says the first."""

    origin: str
    partner: str
    counts: Counts
    replicated: int
    recalled: int
    lost: int
    duplicated: int
    wrong: int
    findings: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, nothing wrong."""
        return not (self.lost or self.duplicated or self.wrong)

    def __str__(self) -> str:
        words = f"{self.origin} to {self.partner}: lost {self.lost}, duplicated {self.duplicated}, wrong {self.wrong}"
        return "\n  ".join((words, *self.findings))


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands on the topics of one direction: at home, and at the partner what it accepted from us.

    ``urgent`` are the fast lane's copies at home: what retention took of ``released`` before it was read may have
    arrived by them. ``commands`` are what officers have said at home.
    """

    reports: Sequence[Record]
    quarantine: Sequence[Record]
    national: Sequence[Record]
    decisions: Sequence[Record]
    released: Sequence[Record]
    inbox: Sequence[Record]
    accepted: Sequence[Record]
    urgent: Sequence[Record] = ()
    commands: Sequence[Record] = ()


class Direction:
    """Reads one direction from two clusters, again and again, and audits it."""

    def __init__(self, home: Cluster, partner: Cluster, shards: int, enricher: Enricher) -> None:
        self._home, self._partner, self._shards, self._enricher = home.nation, partner.nation, shards, enricher
        released, accepted, inbox = (
            topics.released(partner.nation),
            topics.accepted(home.nation),
            topics.inbox(home.nation),
        )
        self._urgent = topics.urgent(partner.nation)
        at_home = [topics.SENSOR_REPORTS, topics.COMMANDS, topics.QUARANTINE, topics.NATIONAL, topics.AUDIT]
        self._here = Reading(home, [*at_home, released, self._urgent], shards)
        self._there = Reading(partner, [inbox, accepted], shards)
        self._names = (released, inbox, accepted)
        self._expected: tuple[int, Expected] | None = None

    def stand(self) -> Stand:
        """What stands there now."""
        self._here.look()
        self._there.look()
        released, inbox, accepted = self._names
        here, there = self._here.records, self._there.records
        return Stand(
            here[topics.SENSOR_REPORTS],
            here[topics.QUARANTINE],
            here[topics.NATIONAL],
            here[topics.AUDIT],
            here[released],
            [record for record in there[inbox] if _CODEC.schema_of(record.value) != RECEIPT],
            there[accepted],
            here[self._urgent],
            here[topics.COMMANDS],
        )

    def audit(self) -> Audit:
        """Read on, and compare."""
        stand = self.stand()
        return audited(stand, self._wanted(stand), clock.now_ms())

    def undone(self) -> tuple[str, ...]:
        """Read on, and look only for what officers keep back and is not kept back."""
        stand = self.stand()
        return undone(stand, self._wanted(stand))

    def _wanted(self, stand: Stand) -> Expected:
        """The model is asked again only where more reports have come."""
        if self._expected is None or self._expected[0] != len(stand.reports):
            wanted = expected(arrivals(stand.reports), self._home, self._partner, self._shards, self._enricher)
            self._expected = len(stand.reports), wanted
        return self._expected[1]

    def begin_again(self, topic: str) -> None:
        """A topic is another one under its name: what the old one held counts no more."""
        for reading in (self._here, self._there):
            reading.begin_again(topic)

    def forget_inbox(self) -> None:
        """What the inbox holds now may come again: a bridge that has lost its position carries all anew."""
        self._there.look()
        self._there.records[self._names[1]].clear()

    def close(self) -> None:
        """Stop reading."""
        self._here.close()
        self._there.close()


def arrivals(reports: Iterable[Record]) -> list[Arrival]:
    """The records of ``sensor.reports`` as the model takes them."""
    found = [Arrival(record.partition, record.offset, record.timestamp_ms, record.value) for record in reports]
    return sorted(found, key=lambda arrival: (arrival.partition, arrival.offset))


@dataclass(slots=True)
class _Findings:
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class _Reader(Codec):
    """Reads equal bytes once: a release stands on three topics, and a decision is looked at twice."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, bytes | None], dict[str, Any] | Undecodable] = {}

    def decode(self, name: str, data: bytes | None) -> dict[str, Any] | Undecodable:
        found = self._known.get((name, data))
        if found is None:
            found = self._known[name, data] = super().decode(name, data)
        return found


def audited(stand: Stand, wanted: Expected, at_ms: int | None = None) -> Audit:
    """Compare what stands on the topics with what the model wants there at this time. Pure.

    ``at_ms`` is milliseconds since 1970, UTC; by default the time of the last record that stands there.
    """
    codec, found, said = _Reader(), _Findings(), ledger(stand.commands)
    if at_ms is None:
        at_ms = max((record.timestamp_ms for record in (*stand.reports, *stand.national, *stand.accepted)), default=0)
    _audit_quarantine(codec, stand.quarantine, wanted, said, found)
    _audit_national(codec, stand.national, at_ms, wanted, said, found)
    _audit_decisions(codec, stand.decisions, wanted, said, found)
    _audit_chains(codec, stand.decisions, found)
    last = _audit_accepted(codec, stand, at_ms, wanted, said, found)
    findings = [
        f"{what}: {finding}"
        for what, list_ in (("lost", found.lost), ("twice", found.duplicated), ("wrong", found.wrong))
        for finding in islice(list_, FIRST)
    ]
    return Audit(
        origin=wanted.nation,
        partner=wanted.partner,
        counts=wanted.counts,
        replicated=sum(1 for record in last.values() if record["content"] is not None),
        recalled=sum(1 for record in last.values() if record["content"] is None),
        lost=len(found.lost),
        duplicated=len(found.duplicated),
        wrong=len(found.wrong),
        findings=tuple(findings[:FIRST]),
    )


def undone(stand: Stand, wanted: Expected) -> tuple[str, ...]:
    """What officers keep back, and the partner has. Pure. Of a shard that was rebuilt nothing else is known exactly."""
    found, said = _Findings(), ledger(stand.commands)
    last = cast("dict[str, ReleasedIndicator]", _latest(_Reader(), RELEASED_INDICATOR, stand.accepted, found))
    for name, record in last.items():
        vetoes = said.on(name, wanted.partner)
        if vetoes:
            _, ends = left(wanted.releases.get(name), vetoes)
            _audit_end(name, record, ends, wanted.partner, found)
    return tuple(found.wrong)


def _audit_quarantine(
    codec: Codec, records: Sequence[Record], wanted: Expected, said: Ledger, found: _Findings
) -> None:
    """Each refused report, observation and command once, with its reason; of the other steps nothing is expected."""
    reasons: dict[str, str] = {}
    refused = {**wanted.quarantined, **dict.fromkeys(said.idle, RejectReason.NOTHING_TO_DO)}
    for record in records:
        entry = cast("Quarantined | None", _decoded(codec, QUARANTINED, record, found))
        if entry is None or entry["stage"] == "produce":
            continue
        if entry["key"] in reasons and entry["stage"] != "bridge":  # the bridge's may be written again, under its key
            found.duplicated.append(f"quarantine {entry['key']}")
        reasons[entry["key"]] = entry["reason"]
        if entry["key"] not in refused:
            found.wrong.append(f"quarantine {entry['key']} at {entry['stage']}: {entry['reason']}, {entry['detail']}")
    for key, reason in refused.items():
        if key not in reasons:
            found.lost.append(f"quarantine {key}, which is {reason}")
        elif reasons[key] != reason:
            found.wrong.append(f"quarantine {key} says {reasons[key]}, not {reason}")


def _audit_national(
    codec: Codec, records: Sequence[Record], at_ms: int, wanted: Expected, said: Ledger, found: _Findings
) -> None:
    last = cast("dict[str, Indicator]", _latest(codec, INDICATOR, records, found))
    for name, picture in wanted.national.items():
        words = f"national {name} ({picture.indicator['value']})"
        if name not in last:
            found.lost.append(words)
        else:  # a version is the time at which it was said
            version, there = last[name]["version"], {**last[name], "version": 0}
            is_revoked = CommandKind.REVOKE in said.on(name, wanted.partner)
            indicator = picture.at(version, revoked=is_revoked)
            if indicator != there:
                indicator = picture.at(version - _EARLIER_MS, revoked=is_revoked)
            _compare(words, indicator, there, found)
            if last[name]["kind"] == "content" and indicator["valid_until_ms"] < at_ms - SLACK_MS:
                found.lost.append(f"the end of {words}")
    for name in last.keys() - wanted.national.keys():
        found.wrong.append(f"national {name} ({last[name]['value']}) was never observed")


def _audit_decisions(codec: Codec, records: Sequence[Record], wanted: Expected, said: Ledger, found: _Findings) -> None:
    """The last decision on each indicator has the outcome that the rules give, or withholds by the veto on it."""
    last: dict[str, Decision] = {}
    ids: set[str] = set()
    for record in records:
        decision = cast("Decision | None", _decoded(codec, DECISION, record, found))
        if decision is None or decision["partner"] != wanted.partner:
            continue
        if decision["decision_id"] in ids:
            found.duplicated.append(f"decision {decision['decision_id']}")
        ids.add(decision["decision_id"])
        last[decision["indicator_id"]] = decision
    for name, by_rules in wanted.outcomes.items():
        vetoes = said.on(name, wanted.partner)
        outcome = Outcome.WITHHOLD if vetoes else by_rules
        if name not in last:
            found.lost.append(f"decision on {name}, which is {outcome}")
            continue
        decision_id, there, veto = last[name]["decision_id"], last[name]["outcome"], last[name]["veto"]
        if there != outcome:
            found.wrong.append(f"decision {decision_id} on {name} is {there}: {outcome}")
        if (set() if veto is None else {veto["kind"]}) != set(sorted(vetoes)[:1]):  # a recall goes before a revocation
            found.wrong.append(f"decision {decision_id} on {name} has the veto {veto}, and there are {sorted(vetoes)}")


def _audit_chains(codec: Codec, records: Sequence[Record], found: _Findings) -> None:
    """Each partition is one chain: numbered from 0 without a gap, each entry naming the hash of the one before."""
    heads: dict[int, tuple[int, bytes]] = {}
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        decision = cast("Decision | None", _decoded(codec, DECISION, record, found))
        if decision is None:
            continue
        head = heads.get(record.partition, (0, b""))
        if (decision["sequence"], decision["previous"]) != head:
            found.wrong.append(f"audit chain {record.partition} breaks at {decision['decision_id']}")
        heads[record.partition] = (decision["sequence"] + 1, sha256(record.value or b"").digest())


def _audit_accepted(
    codec: Codec, stand: Stand, at_ms: int, wanted: Expected, said: Ledger, found: _Findings
) -> Mapping[str, ReleasedIndicator]:
    """What the partner has: each released record once, of each indicator the content or nothing that stands."""
    for name, records in (("released", stand.released), ("inbox", stand.inbox), ("urgent", stand.urgent)):
        _latest(codec, RELEASED_INDICATOR, records, found, name)
    released = cast("dict[str, ReleasedIndicator]", _latest(codec, RELEASED_INDICATOR, stand.released, _Findings()))
    ahead = cast("dict[str, ReleasedIndicator]", _latest(codec, RELEASED_INDICATOR, stand.urgent, _Findings()))
    last = cast("dict[str, ReleasedIndicator]", _latest(codec, RELEASED_INDICATOR, stand.accepted, found))
    for name in wanted.releases.keys() | last.keys():
        release, ends = left(wanted.releases.get(name), said.on(name, wanted.partner))
        if name in wanted.withdrawn:  # recalled if a marking was tightened first, which the model leaves open
            ends |= {RecordKind.REVOKED, RecordKind.EXPIRED}
        if release is not None:
            _audit_release(name, release, last.get(name), at_ms, wanted.partner, found)
        elif name in last:
            _audit_end(name, last[name], ends, wanted.partner, found)
    for name, record in last.items():
        by_source = record["reason"] == EndReason.WITHDRAWN and name in wanted.withdrawn
        if record["reason"] in _BY_HAND and not by_source and not said.knows(name):
            found.wrong.append(f"{name} is {record['kind']} ({record['reason']}), and nobody has said so")
        if record["origin"] != wanted.nation or record["hops"] != [wanted.nation]:
            found.wrong.append(f"{name} is of {record['origin']} by {record['hops']}")
    for name in released.keys() | ahead.keys():
        record = max((each[name] for each in (released, ahead) if name in each), key=lambda record: record["version"])
        version = last[name]["version"] if name in last else 0
        # Behind what only the fast lane still holds, the partner may have what a topic held that is not there any more.
        is_as_told = version == record["version"] or (version > record["version"] and record is not released.get(name))
        if not is_as_told:
            found.lost.append(f"{name} version {record['version']} ({record['kind']}), which was released")
    return last


def _audit_end(
    name: str, record: ReleasedIndicator, ends: frozenset[RecordKind], partner: str, found: _Findings
) -> None:
    """One indicator that may not be at the partner, by the rules or by hand: what it was told of it has ended."""
    if record["content"] is not None:
        found.wrong.append(f"{name} ({record['content']['value']}) is at {partner} and may not be")
    elif record["kind"] not in ends:
        found.wrong.append(f"{name} is {record['kind']} at {partner}, should be {' or '.join(sorted(ends))}")


def _audit_release(
    name: str, release: Release, record: ReleasedIndicator | None, at_ms: int, partner: str, found: _Findings
) -> None:
    """One indicator that may be at the partner: its content while it is valid, its end or nothing after that."""
    what = f"{name} ({release.content['value']})"
    valid_until_ms = release.content["valid_until_ms"]
    if record is None or record["content"] is None:
        if at_ms < valid_until_ms:
            kind = "nowhere" if record is None else record["kind"]
            (found.lost if record is None else found.wrong).append(f"{what} is {kind} at {partner}, should be there")
        return
    if valid_until_ms < at_ms - SLACK_MS:
        found.lost.append(f"the end of {what} at {partner}")
    content = record["content"]
    said = {**content, "release_expires_ms": 0}
    wanted = release.at(record["version"])
    _compare(what, wanted if wanted == said else release.at(record["version"] - _EARLIER_MS), said, found)
    ends_ms, wanted_ms = content["release_expires_ms"], record["version"] + release.days * DAY_MS
    if not -1000 <= ends_ms - wanted_ms <= DAY_MS:  # rounded up to a day; the version may be of the next moment
        found.wrong.append(f"{what} ends at {ends_ms}, not on the day of {wanted_ms}")


def _latest(
    codec: Codec, schema: str, records: Sequence[Record], found: _Findings, topic: str = ""
) -> dict[str, dict[str, Any]]:
    """The last record of each key. A version that is there twice, or that is below an earlier one, is a finding, and so
    is a recall that says less than all that was ever there."""
    last: dict[str, tuple[int, Record]] = {}
    contents: dict[str, int] = {}
    versions: set[tuple[str, int]] = set()
    for record in records:
        if record.value is None:
            continue
        name, head = (record.key or b"").decode(), _head(schema, record.value)
        version = head["version"]
        if (name, version) in versions:
            found.duplicated.append(f"{topic or record.topic} {name} version {version}")
        elif name in last and version < last[name][0]:
            found.wrong.append(f"{topic or record.topic} {name} goes back to version {version}")
        if head["id"] != name:
            found.wrong.append(f"{topic or record.topic} {name} holds {head['id']}")
        if head["kind"] == RecordKind.CONTENT:
            contents[name] = version
        versions.add((name, version))
        last[name] = version, record
    found_last = {name: _decoded(codec, schema, record, found) for name, (_, record) in last.items()}
    decoded = {name: record for name, record in found_last.items() if record is not None}
    for name, there in decoded.items():
        if there["kind"] == RecordKind.RECALLED and there["recalled_through"] < contents.get(name, 0):
            found.wrong.append(f"{topic or last[name][1].topic} {name} does not recall version {contents[name]}")
    return decoded


def _head(schema: str, value: bytes) -> dict[str, Any]:
    """The first fields of a record, up to its version: all that is needed of one that another has followed."""
    found = fastavro.schemaless_reader(io.BytesIO(value[_FRAME_BYTES:]), _head_schema(schema), None)
    return cast("dict[str, Any]", found)


@cache
def _head_schema(schema: str) -> Schema:
    record = json.loads(source(schema))
    fields = [field["name"] for field in record["fields"]]
    return fastavro.parse_schema(
        {**record, "name": f"{record['name']}Head", "fields": record["fields"][: fields.index("version") + 1]}
    )


def _decoded(codec: Codec, schema: str, record: Record, found: _Findings) -> dict[str, Any] | None:
    decoded = codec.decode(schema, record.value)
    if isinstance(decoded, Undecodable):
        found.wrong.append(f"{record.topic}-{record.partition}-{record.offset}: {decoded.detail}")
        return None
    return decoded


def _compare(what: str, wanted: Mapping[str, Any], there: Mapping[str, Any], found: _Findings) -> None:
    for name, value in wanted.items():
        if there[name] != value:
            found.wrong.append(f"{what}: {name} is {there[name]!r}, should be {value!r}")
            return
