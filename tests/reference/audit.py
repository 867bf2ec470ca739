"""Compares one direction of a running exchange with the model: what is lost, duplicated or wrong.

Everything is counted from the topics, as a ``read_committed`` reader sees them, and never from the exchange's own
metrics. A record that is still on its way counts as lost: audit when the work is done, or repeat until nothing is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final, cast

from exchange.protocol.record import Record
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RELEASED_INDICATOR, Codec
from schemas.records import Decision, Indicator, Quarantined, ReleasedIndicator
from schemas.vocabulary import CommandKind, EndReason, Outcome, RecordKind, RejectReason
from tests.reference.arrivals import Arrival
from tests.reference.latest import Findings, Reader, compare, decoded, latest
from tests.reference.model import Counts, Expected, Release
from tests.reference.vetoes import Ledger, ledger, left

DAY_MS: Final = 24 * 60 * 60 * 1000
FIRST: Final = 10
_EARLIER_MS: Final = 1000  # versions of one millisecond count on: a record may be of a little earlier than its version
SLACK_MS: Final = 10_000  # an end of just now may still be on its way
_BY_HAND: Final = frozenset({EndReason.RECALLED_BY_HAND, EndReason.FALSE_POSITIVE, EndReason.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Audit:
    """One direction. ``lost``, ``duplicated`` and ``wrong`` count findings; ``findings`` are the first ones."""

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
    """The records on the topics of one direction: at home, and those that the partner accepted from us.

    ``urgent`` are the fast lane's copies at home. A release that retention deleted before it was read may have arrived
    as a copy. ``commands`` are the officers' commands at home.
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


def arrivals(reports: Iterable[Record]) -> list[Arrival]:
    """The records of ``sensor.reports`` as the model takes them."""
    found = [Arrival(each.partition, each.offset, each.timestamp_ms, each.value, each.headers) for each in reports]
    return sorted(found, key=lambda arrival: (arrival.partition, arrival.offset))


def audited(stand: Stand, wanted: Expected, at_ms: int | None = None) -> Audit:
    """Compare the records on the topics with those that the model expects at this time. Pure.

    ``at_ms`` is milliseconds since 1970, UTC; by default the time of the last record.
    """
    codec, found, stated = Reader(), Findings(), ledger(stand.commands)
    if at_ms is None:
        at_ms = max((record.timestamp_ms for record in (*stand.reports, *stand.national, *stand.accepted)), default=0)
    _audit_quarantine(codec, stand.quarantine, wanted, stated, found)
    _audit_national(codec, stand.national, at_ms, wanted, stated, found)
    _audit_decisions(codec, stand.decisions, wanted, stated, found)
    _audit_chains(codec, stand.decisions, found)
    last = _audit_accepted(codec, stand, at_ms, wanted, stated, found)
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
    """The indicators that officers vetoed and the partner still has. Pure. All that is exact after a rebuild."""
    found, stated = Findings(), ledger(stand.commands)
    last = cast("dict[str, ReleasedIndicator]", latest(Reader(), RELEASED_INDICATOR, stand.accepted, found))
    for name, record in last.items():
        vetoes = stated.on(name, wanted.partner)
        if vetoes:
            _, ends = left(wanted.releases.get(name), vetoes)
            _audit_end(name, record, ends, wanted.partner, found)
    return tuple(found.wrong)


def _audit_quarantine(
    codec: Codec, records: Sequence[Record], wanted: Expected, stated: Ledger, found: Findings
) -> None:
    """Each refused report, observation and command once, with its reason; of the other steps nothing is expected."""
    reasons: dict[str, str] = {}
    refused = {**wanted.quarantined, **dict.fromkeys(stated.idle, RejectReason.NOTHING_TO_DO)}
    for record in records:
        entry = cast("Quarantined | None", decoded(codec, QUARANTINED, record, found))
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
    codec: Codec, records: Sequence[Record], at_ms: int, wanted: Expected, stated: Ledger, found: Findings
) -> None:
    last = cast("dict[str, Indicator]", latest(codec, INDICATOR, records, found))
    for name, picture in wanted.national.items():
        words = f"national {name} ({picture.indicator['value']})"
        if name not in last:
            found.lost.append(words)
        else:  # a version is the time at which it was stated
            version, there = last[name]["version"], {**last[name], "version": 0}
            is_revoked = CommandKind.REVOKE in stated.on(name, wanted.partner)
            indicator = picture.at(version, revoked=is_revoked)
            if indicator != there:
                indicator = picture.at(version - _EARLIER_MS, revoked=is_revoked)
            compare(words, indicator, there, found)
            if last[name]["kind"] == "content" and indicator["valid_until_ms"] < at_ms - SLACK_MS:
                found.lost.append(f"the end of {words}")
    for name in last.keys() - wanted.national.keys():
        found.wrong.append(f"national {name} ({last[name]['value']}) was never observed")


def _audit_decisions(
    codec: Codec, records: Sequence[Record], wanted: Expected, stated: Ledger, found: Findings
) -> None:
    """The last decision on each indicator has the outcome that the rules give, or withholds by the veto on it."""
    last: dict[str, Decision] = {}
    ids: set[str] = set()
    for record in records:
        decision = cast("Decision | None", decoded(codec, DECISION, record, found))
        if decision is None or decision["partner"] != wanted.partner:
            continue
        if decision["decision_id"] in ids:
            found.duplicated.append(f"decision {decision['decision_id']}")
        ids.add(decision["decision_id"])
        last[decision["indicator_id"]] = decision
    for name, by_rules in wanted.outcomes.items():
        vetoes = stated.on(name, wanted.partner)
        outcome = Outcome.WITHHOLD if vetoes else by_rules
        if name not in last:
            found.lost.append(f"decision on {name}, which is {outcome}")
            continue
        decision_id, there, veto = last[name]["decision_id"], last[name]["outcome"], last[name]["veto"]
        if there != outcome:
            found.wrong.append(f"decision {decision_id} on {name} is {there}: {outcome}")
        if (set() if veto is None else {veto["kind"]}) != set(sorted(vetoes)[:1]):  # a recall goes before a revocation
            found.wrong.append(f"decision {decision_id} on {name} has the veto {veto}, and there are {sorted(vetoes)}")


def _audit_chains(codec: Codec, records: Sequence[Record], found: Findings) -> None:
    """Each partition is one chain: numbered from 0 without a gap, each entry naming the hash of the one before."""
    heads: dict[int, tuple[int, bytes]] = {}
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        decision = cast("Decision | None", decoded(codec, DECISION, record, found))
        if decision is None:
            continue
        head = heads.get(record.partition, (0, b""))
        if (decision["sequence"], decision["previous"]) != head:
            found.wrong.append(f"audit chain {record.partition} breaks at {decision['decision_id']}")
        heads[record.partition] = (decision["sequence"] + 1, sha256(record.value or b"").digest())


def _audit_accepted(
    codec: Codec, stand: Stand, at_ms: int, wanted: Expected, stated: Ledger, found: Findings
) -> Mapping[str, ReleasedIndicator]:
    """What the partner has: each released record once, of each indicator the content or nothing that stands."""
    for name, records in (("released", stand.released), ("inbox", stand.inbox), ("urgent", stand.urgent)):
        latest(codec, RELEASED_INDICATOR, records, found, name)
    released = cast("dict[str, ReleasedIndicator]", latest(codec, RELEASED_INDICATOR, stand.released, Findings()))
    ahead = cast("dict[str, ReleasedIndicator]", latest(codec, RELEASED_INDICATOR, stand.urgent, Findings()))
    last = cast("dict[str, ReleasedIndicator]", latest(codec, RELEASED_INDICATOR, stand.accepted, found))
    for name in wanted.releases.keys() | last.keys():
        release, ends = left(wanted.releases.get(name), stated.on(name, wanted.partner))
        if name in wanted.withdrawn:  # recalled if a marking was tightened first, which the model leaves open
            ends |= {RecordKind.REVOKED, RecordKind.EXPIRED}
        if release is not None:
            _audit_release(name, release, last.get(name), at_ms, wanted.partner, found)
        elif name in last:
            _audit_end(name, last[name], ends, wanted.partner, found)
    for name, record in last.items():
        by_source = record["reason"] == EndReason.WITHDRAWN and name in wanted.withdrawn
        if record["reason"] in _BY_HAND and not by_source and not stated.knows(name):
            found.wrong.append(f"{name} is {record['kind']} ({record['reason']}), and nobody has said so")
        if record["origin"] != wanted.nation or record["hops"] != [wanted.nation]:
            found.wrong.append(f"{name} is of {record['origin']} by {record['hops']}")
    for name in released.keys() | ahead.keys():
        record = max((each[name] for each in (released, ahead) if name in each), key=lambda record: record["version"])
        version = last[name]["version"] if name in last else 0
        # Behind what only the fast lane still holds, the partner may have what a topic held that is not there any more.
        is_as_announced = version == record["version"] or (
            version > record["version"] and record is not released.get(name)
        )
        if not is_as_announced:
            found.lost.append(f"{name} version {record['version']} ({record['kind']}), which was released")
    return last


def _audit_end(
    name: str, record: ReleasedIndicator, ends: frozenset[RecordKind], partner: str, found: Findings
) -> None:
    """One indicator that may not be at the partner, by the rules or by hand: what it received of it has ended."""
    if record["content"] is not None:
        found.wrong.append(f"{name} ({record['content']['value']}) is at {partner} and may not be")
    elif record["kind"] not in ends:
        found.wrong.append(f"{name} is {record['kind']} at {partner}, should be {' or '.join(sorted(ends))}")


def _audit_release(
    name: str, release: Release, record: ReleasedIndicator | None, at_ms: int, partner: str, found: Findings
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
    stated = {**content, "release_expires_ms": 0}
    compare(what, release.at(record["version"]), stated, found)  # a version shows the day
    ends_ms, wanted_ms = content["release_expires_ms"], record["version"] + release.days * DAY_MS
    if not -1000 <= ends_ms - wanted_ms <= DAY_MS:  # rounded up to a day; the version is of the morning, or a bit later
        found.wrong.append(f"{what} ends at {ends_ms}, not on the day of {wanted_ms}")
