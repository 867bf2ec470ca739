"""The rows of correlate, made again from the last record of each: national, released to each partner, and in the audit.

The last records of each indicator are on compacted topics; here they are brought together on disk, key by key. How
rows are made of them, and made strict if something is not known, is in ``streams.repair.rebuilt_row``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar, cast

import msgspec

from exchange.authority.roster import Roster, load_roster
from exchange.clock import now_ms
from exchange.kafka.clients import Cluster
from exchange.protocol.rebuild import BrokenShard, Damage
from exchange.protocol.record import Record, RowChange
from exchange.settings import Settings
from schemas import topics
from schemas.codec import DECISION, INDICATOR, OBSERVATION_BLOCK, RELEASED_INDICATOR, Undecodable
from schemas.identity import indicator_id, indicator_key, key_of_id
from schemas.quarantine import Refused
from schemas.records import Decision, Indicator, ObservationBlock, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL
from streams.audit import entry as audit
from streams.blocks import observed
from streams.correlate import row as rows_of
from streams.correlate.execute import row_with
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.officers import NO_DECISIONS, OfficerDecisions
from streams.correlate.releases import DECISION_HEADER
from streams.correlate.row import Row
from streams.enrichment.enrich import Enricher
from streams.enrichment.installed import installed_enricher
from streams.repair.latest_reports import latest_report_of
from streams.repair.rebuilt_decision import Decided, decided_of
from streams.repair.rebuilt_row import LastRelease, World, last_release_of, row_of
from streams.repair.rows import Tally
from streams.repair.scratch import Scratch
from streams.repair.vetoes import vetoes_of
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load

_NATIONAL: Final = b"n"
_SURVIVING: Final = b"o"
_RELEASES: Final = b"s"
_DECIDED: Final = b"d"
_MANY: Final = 1_000
_UNREADABLE: Final = "records that cannot be read"
Item = TypeVar("Item")


@dataclass
class CorrelateRows:
    """The rows of one nation's correlate."""

    cluster: Cluster
    settings: Settings
    folder: Path
    enricher: Enricher
    classifier: Classifier
    lifetimes: Lifetimes
    roster: Roster
    head: audit.Head = field(default_factory=audit.Head)

    @classmethod
    def load(cls, cluster: Cluster, settings: Settings, folder: Path) -> "CorrelateRows":
        """With the policy and the enrichment of now. Raises if they are not valid."""
        policy_set = load(cluster.nation, settings.policy_folder, version=settings.policy_version)
        classifier = Classifier(Engine(policy_set))
        lifetimes = Lifetimes.load(settings.policy_version, settings.policy_folder)
        roster = load_roster(cluster.nation, settings.officers)
        return cls(cluster, settings, folder, installed_enricher(), classifier, lifetimes, roster)

    def __post_init__(self) -> None:
        self._codec, self._partners = self.cluster.codec(), self.settings.partners(self.cluster.nation)
        self.sources: tuple[str, ...] = (
            topics.NATIONAL,
            *(topics.released(partner) for partner in self._partners),
            topics.AUDIT,
            topics.COMMANDS,
        )
        self._by_officers: dict[bytes, OfficerDecisions] = {}

    def rows(self, shard: BrokenShard, damage: Damage, tally: Tally) -> Iterator[RowChange]:
        """A row for each indicator that the changelog has no row of, or an older one; and the head of the chain.

        A changelog whose end was lost is not used: its rows do not know which statements came after them.
        """
        with Scratch(self.folder) as scratch:
            for rows, _, _ in shard.surviving(damage) if damage.rows_are_last else ():
                scratch.put((_SURVIVING + row.key, row.value) for row in rows)
            for partner in self._partners:
                scratch.put(self._told(shard.records(topics.released(partner)), partner, tally))
            scratch.put(self._decided(shard.records(topics.AUDIT), tally))
            scratch.put(self._national(shard.records(topics.NATIONAL), tally))
            self._by_officers = self._read_officers(shard, damage)
            time_ms = now_ms() if damage.progress is None else damage.progress["shard_time_ms"]
            yield from self._indicators(scratch, self._world(time_ms), tally, time_ms)
            yield RowChange(audit.HEAD_KEY, msgspec.msgpack.encode(self._last_head(scratch)))
            self._lose_repetitions(shard, damage, scratch, tally)

    # -- the last records --------------------------------------------------------------------------------------

    def _told(self, records: Iterable[Record], partner: str, tally: Tally) -> Iterator[tuple[bytes, bytes | None]]:
        for record in records:
            key = _RELEASES + key_of_id((record.key or b"").decode()) + partner.encode()
            if record.value is None:
                yield key, None
                continue
            found = self._codec.decode(RELEASED_INDICATOR, record.value)
            if isinstance(found, Undecodable):
                tally.lose(_UNREADABLE, 1)
                continue
            decision = next((value for name, value in record.headers if name == DECISION_HEADER), b"").decode()
            yield key, msgspec.msgpack.encode(last_release_of(cast("ReleasedIndicator", found), partner, decision))

    def _decided(self, records: Iterable[Record], tally: Tally) -> Iterator[tuple[bytes, bytes]]:
        """The last decision of each indicator and partner; the chain's head, by the way."""
        for record in records:
            found = self._codec.decode(DECISION, record.value)
            if isinstance(found, Undecodable):
                tally.lose(_UNREADABLE, 1)
                continue
            decision = cast("Decision", found)
            self.head = audit.after(audit.Head(decision["sequence"]), record.value or b"")
            key = _DECIDED + key_of_id(decision["indicator_id"]) + decision["partner"].encode()
            yield key, msgspec.msgpack.encode(decided_of(decision))

    def _national(self, records: Iterable[Record], tally: Tally) -> Iterator[tuple[bytes, bytes | None]]:
        for record in records:
            if isinstance(self._codec.decode(INDICATOR, record.value), Undecodable) and record.value is not None:
                tally.lose(_UNREADABLE, 1)
                continue
            yield _NATIONAL + key_of_id((record.key or b"").decode()), record.value

    def _read_officers(self, shard: BrokenShard, damage: Damage) -> dict[bytes, OfficerDecisions]:
        """The vetoes by indicator, from the commands that the shard had read."""
        commands = shard.records(topics.COMMANDS, end=damage.next_offsets[topics.COMMANDS])
        keys = ((record.key or b"").decode("utf-8", "replace") for record in shard.records(topics.QUARANTINE))
        refused = frozenset(key for key in keys if key.startswith(topics.COMMANDS))
        shards = self.settings.shards
        return vetoes_of(commands, refused, self._codec, self.roster, self.classifier, self._partners, shards)

    def _last_head(self, scratch: Scratch) -> audit.Head:
        """The end of the chain; if its topic is empty, after the newest entry that any record names."""
        [surviving] = scratch.get_many([_SURVIVING + audit.HEAD_KEY])
        head = audit.Head() if surviving is None else msgspec.msgpack.decode(surviving, type=audit.Head)
        head = max(head, self.head, key=lambda each: each.sequence)
        if head.sequence:
            return head
        ids = (
            msgspec.msgpack.decode(value, type=LastRelease).sent.decision_id for _, value in scratch.items(_RELEASES)
        )
        return audit.Head(max((int(name.rpartition("-")[2]) + 1 for name in ids if name), default=0))

    def _world(self, time_ms: int) -> World:
        """The inputs of rebuilt rows."""
        known = latest_report_of(self.cluster, self.settings.shards, time_ms)
        return World(self._partners, self.enricher, self.classifier, self.lifetimes, known)

    # -- the rows -----------------------------------------------------------------------------------------------

    def _indicators(self, scratch: Scratch, world: World, tally: Tally, time_ms: int) -> Iterator[RowChange]:
        for batch in _batches(scratch.items(_NATIONAL)):
            keys = [key for key, _ in batch]
            surviving = scratch.get_many([_SURVIVING + key for key in keys])
            releases = self._by_partner(scratch, _RELEASES, keys)
            decided = self._by_partner(scratch, _DECIDED, keys)
            for (key, value), row, released, judged in zip(batch, surviving, releases, decided, strict=True):
                record = cast("Indicator", self._codec.decode(INDICATOR, value))
                if row is not None and _is_whole(rows_of.decode(row), record):
                    tally.kept += 1
                    continue
                made = self._made(
                    key,
                    record,
                    [msgspec.msgpack.decode(each, type=LastRelease) for each in released.values()],
                    {partner: msgspec.msgpack.decode(each, type=Decided) for partner, each in judged.items()},
                    world,
                    tally,
                    time_ms,
                )
                if made is not None:
                    tally.rebuilt += 1
                    yield RowChange(key, rows_of.encode(made), made.due_ms)
        keys = list(self._by_officers)
        known = scratch.get_many([kind + key for key in keys for kind in (_NATIONAL, _SURVIVING)])
        for key, found in zip(keys, zip(known[::2], known[1::2], strict=True), strict=True):
            if found == (None, None):
                tally.rebuilt += 1
                yield RowChange(key, rows_of.encode(row_with(None, self._by_officers[key])))
        self._lose_orphans(scratch, tally)

    def _by_partner(self, scratch: Scratch, kind: bytes, keys: Sequence[bytes]) -> list[Mapping[str, bytes]]:
        """For each key what is known of it by partner."""
        found = scratch.get_many([kind + key + partner.encode() for key in keys for partner in self._partners])
        rows = [found[place : place + len(self._partners)] for place in range(0, len(found), len(self._partners))]
        return [
            {partner: each for partner, each in zip(self._partners, row, strict=True) if each is not None}
            for row in rows
        ]

    def _made(
        self,
        key: bytes,
        record: Indicator,
        releases: Sequence[LastRelease],
        decided: Mapping[str, Decided],
        world: World,
        tally: Tally,
        time_ms: int,
    ) -> Row | None:
        kind = TYPE_BY_LABEL.get(record["type"])
        if kind is None or indicator_key(kind, record["value"]) != key or not record["sources"]:
            tally.lose(_UNREADABLE, 1)
            return None
        made = row_of(record, releases, decided, world, time_ms, self._by_officers.get(key, NO_DECISIONS))
        tally.lose("sources that a national record does not name (it names 32): their counts and texts", made.sources)
        tally.lose(
            "sources whose counts may have come with several markings: all but one are kept under the strictest",
            made.tightened,
        )
        return made.row

    # -- losses -------------------------------------------------------------------------------------------------

    def _lose_orphans(self, scratch: Scratch, tally: Tally) -> None:
        """Releases to a partner of which the nation has no record."""
        for batch in _batches(scratch.items(_RELEASES)):
            keys = {name[:16] for name, _ in batch}
            wanted = [kind + key for key in keys for kind in (_NATIONAL, _SURVIVING)]
            found = {
                name[1:] for name, value in zip(wanted, scratch.get_many(wanted), strict=True) if value is not None
            }
            lost = sorted(keys - found)
            name = f", such as {indicator_id(lost[0])}" if lost else ""
            tally.lose(
                f"indicators that were released to a partner and of which the nation has no record{name}", len(lost)
            )

    def _lose_repetitions(self, shard: BrokenShard, damage: Damage, scratch: Scratch, tally: Tally) -> None:
        """Sightings that waited for a roll-up: read before the position, but after the last record was written."""
        if damage.progress is None or not damage.is_same_source:
            tally.lose("sightings that waited for their roll-up")
            return
        since_ms = damage.progress["shard_time_ms"] - self.settings.roll_up_ms
        count = 0
        for record in shard.records_since(topics.OBSERVATIONS, since_ms, end=damage.next_offsets[topics.OBSERVATIONS]):
            found = self._codec.decode(OBSERVATION_BLOCK, record.value)
            observations = () if isinstance(found, Undecodable) else observed(cast("ObservationBlock", found))
            if isinstance(observations, Refused):
                continue
            keys = [each.key for each in observations]
            nationals = scratch.get_many([_NATIONAL + key for key in keys])
            kept = scratch.get_many([_SURVIVING + key for key in keys])
            for each, national, surviving in zip(observations, nationals, kept, strict=True):
                if national is None or surviving is not None:
                    continue
                version = cast("Indicator", self._codec.decode(INDICATOR, national))["version"]
                count += each.assertion.count if record.timestamp_ms > version else 0
        tally.lose("sightings that waited for their roll-up", count)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, _MANY)):
        yield batch


def _is_whole(row: Row, record: Indicator) -> bool:
    """Whether a row that survived is kept: it is not older than the last record, and has no sources in other rows.

    Those rows may be missing, so a row that has some is made again, of another generation.
    """
    return row.version >= record["version"] and row.further is None
