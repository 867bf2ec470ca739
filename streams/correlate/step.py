"""Correlate: blocks and commands in; the national picture, partners' releases and the audit of decisions out.

A batch is sorted by indicator here; what happens to one indicator is in ``streams.correlate.indicator``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import QuarantineStage
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, Codec, Undecodable
from schemas.quarantine import Refused
from schemas.records import ObservationBlock
from streams.audit import entry as audit
from streams.blocks import Observed, observed
from streams.correlate import row as rows_of
from streams.correlate.commands import read_command
from streams.correlate.indicator import IndicatorUpdater, ReceivedCommand, together
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.oversized import (
    LEFT_OUT,
    TOO_LARGE,
    Oversized,
    Skip,
    check_size,
    largest,
    leave,
    next_skips,
    refuse_observations,
)
from streams.correlate.redecide import CURSOR_KEY, DECIDED, cursor_of, is_of, portion
from streams.correlate.releases import Releaser
from streams.correlate.work import LARGEST, Work
from streams.enrichment.enrich import Enricher
from streams.refusal import Quarantine, location_of
from streams.rules.classifier import Classifier
from streams.rules.in_force import FixedRules, InForce, Rules
from streams.rules.labels import known

STATE_FORMAT: Final = rows_of.FORMAT
READ_AT_ONCE: Final = 256  # rows: about 20 ms of work


@dataclass(frozen=True, slots=True)
class CorrelateSettings:
    """Who we are, who may receive, who may decide, and how often mere repetition is published (milliseconds).

    ``roster`` gives the officers as they are now: a process reads its roster again if the file changes.
    ``portion`` is how many rows are decided again with each batch after a change of rules.
    """

    nation: str
    partners: tuple[str, ...]
    roll_up_ms: int
    lifetimes: Lifetimes
    roster: Callable[[], Roster]
    shards: int
    portion: int = DECIDED


class Correlate(Step[None]):
    """Correlates for one nation. One instance serves one shard, and keeps nothing between batches."""

    name = str(topics.StepKind.CORRELATE)

    def __init__(
        self, settings: CorrelateSettings, shard: int, codec: Codec, enricher: Enricher, rules: Rules | Classifier
    ) -> None:
        """``rules`` give the rules in force at a shard time; a classifier is in force always."""
        self._settings, self._shard, self._codec, self._enricher = settings, shard, codec, enricher
        self._data = f"{enricher.version}-{known().version}"  # read now, not in the first batch
        self._rules: Rules = FixedRules(rules) if isinstance(rules, Classifier) else rules
        self._quarantine = Quarantine(QuarantineStage.CORRELATE, shard, codec)

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:
        """The cursor's key if other rules are in force than it is of: rows must be decided again, even without input.

        Raises PolicyStale.
        """
        [found] = rows.get_many([CURSOR_KEY])
        return () if is_of(found, self._releaser(self._rules.in_force(now_ms)).rules) else (CURSOR_KEY,)

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        """The effects of these blocks and commands, and of the rows that are due. Raises PolicyStale."""
        effects = self._computed(batch, rows, now_ms)
        if largest(effects.outputs, effects.rows) <= LARGEST:
            return effects
        skips: Mapping[bytes, Skip] = {}
        while True:
            try:
                return self._computed(batch, rows, now_ms, skips)
            except Oversized as oversized:
                skips = next_skips(skips, oversized.key)

    def _computed(
        self, batch: Batch[None], rows: Rows, now_ms: int, skips: Mapping[bytes, Skip] | None = None
    ) -> Effects:
        """The effects of the batch, or with ``skips`` without what they leave out: raises Oversized if that is not
        enough."""
        work = Work(now_ms)
        for skip in (skips or {}).values():
            work.tally[spec.OVERSIZED_INDICATORS.tally(LEFT_OUT[skip])] += 1
        in_force = self._rules.in_force(now_ms)
        releaser = self._releaser(in_force)
        updater = self._updater(in_force, releaser)
        seen, commands = self._sorted(batch.records, updater, skips, work)
        keys = [key for key in dict.fromkeys((*seen, *commands, *batch.due)) if key != CURSOR_KEY]
        head_row, cursor_row = rows.get_many([audit.HEAD_KEY, CURSOR_KEY])
        if head_row is not None:
            work.head = msgspec.msgpack.decode(head_row, type=audit.Head)
        before = work.head
        for some in _read(keys, rows):
            updates = []
            for key, data in some:
                if skips and skips.get(key) is Skip.EVERYTHING:
                    leave(key, data, work)
                    continue
                row = None if data is None else rows_of.decode(data)
                update = updater.update(key, row, seen.get(key, ()), commands.get(key, ()), rows, work)
                updates.append((key, update))
            _run(updates, skips, work)
        more = self._decide_again(cursor_row, releaser.rules, updater, rows, keys, skips, work)
        if work.head != before:
            work.rows.append(RowChange(audit.HEAD_KEY, msgspec.msgpack.encode(work.head)))
        return work.effects(more=more)

    def _releaser(self, in_force: InForce) -> Releaser:
        settings, engine = self._settings, in_force.classifier.engine
        return Releaser(
            settings.nation,
            settings.partners,
            settings.roll_up_ms,
            settings.lifetimes,
            self._shard,
            self._codec,
            in_force.classifier,
            audit.Versions(engine.version, engine.engine_version, self._data),
            in_force.borders,
        )

    def _updater(self, in_force: InForce, releaser: Releaser) -> IndicatorUpdater:
        settings = self._settings
        return IndicatorUpdater(
            settings.partners,
            settings.roll_up_ms,
            settings.lifetimes,
            self._shard,
            self._codec,
            self._enricher,
            in_force.classifier,
            releaser,
            self._quarantine,
            lambda sensors: settings.roster().running(sensors),
        )

    def _sorted(
        self, records: Sequence[Record], updater: IndicatorUpdater, skips: Mapping[bytes, Skip] | None, work: Work
    ) -> tuple[dict[bytes, list[Observed]], dict[bytes, list[ReceivedCommand]]]:
        """The observations and the authorised commands by indicator; the rest goes to quarantine."""
        seen: dict[bytes, list[Observed]] = {}
        commands: dict[bytes, list[ReceivedCommand]] = {}
        for record in records:
            if record.topic != topics.COMMANDS:
                found = self._read(record, work)
                if skips:
                    found = refuse_observations(found, record, skips, self._quarantine, work)
                for each in found:
                    seen.setdefault(each.key, []).append(each)
                continue
            command = read_command(
                record.value,
                record.key,
                self._codec,
                self._settings.roster(),
                appended_ms=record.timestamp_ms,
                partners=self._settings.partners,
                shard=self._shard,
                shards=self._settings.shards,
            )
            if isinstance(command, Refused):
                updater.refuse(record, command, work)
            elif skips and skips.get(command.key) is Skip.EVERYTHING:
                updater.refuse(record, TOO_LARGE, work)
            else:
                commands.setdefault(command.key, []).append(ReceivedCommand(command, record))
        return seen, commands

    def _read(self, record: Record, work: Work) -> Sequence[Observed]:
        """The rows of a block. Blocks are ours, so an invalid one is damaged: it goes to quarantine whole."""
        found = self._codec.decode(OBSERVATION_BLOCK, record.value)
        seen = found if isinstance(found, Undecodable) else observed(cast("ObservationBlock", found))
        if not isinstance(seen, Undecodable | Refused):
            return seen
        self._quarantine.put(location_of(record), seen, record.value or b"", work)
        return ()

    def _decide_again(
        self,
        cursor_row: bytes | None,
        rules: bytes,
        updater: IndicatorUpdater,
        rows: Rows,
        updated: Sequence[bytes],
        skips: Mapping[bytes, Skip] | None,
        work: Work,
    ) -> bool:
        """Decide the next portion of rows that were decided under other rules; whether more of them are left."""
        cursor = cursor_of(cursor_row, rules, work.now_ms)
        if cursor.done:
            return False
        passed = frozenset(updated).union(skips or ())
        found, cursor = portion(cursor, rows, passed, decided=self._settings.portion)
        _run([(key, updater.update(key, row, (), (), rows, work)) for key, row in found], skips, work)
        work.tally[spec.DECIDED_AGAIN.tally()] += len(found)
        work.rows.append(cursor.change(work.now_ms))
        behind_s = 0.0 if cursor.done else (work.now_ms - cursor.since_ms) / 1000
        work.gauges[spec.UNDECIDED_ROWS.at(self.name, self._shard)] = float(cursor.left(rows.size()))
        work.gauges[spec.RULES_BEHIND_SECONDS.at(self.name, self._shard)] = behind_s
        return not cursor.done


def _run(updates: Sequence[tuple[bytes, Iterator[None]]], skips: Mapping[bytes, Skip] | None, work: Work) -> None:
    """Run the updates of these indicators: together, or with ``skips`` one by one, and raise Oversized for one whose
    values are too large."""
    if skips is None:
        together([update for _, update in updates])
        return
    for key, update in updates:
        before_it = len(work.outputs), len(work.rows)
        together([update])
        check_size(key, work, before_it, LARGEST)


def _read(keys: Sequence[bytes], rows: Rows) -> Iterator[list[tuple[bytes, bytes | None]]]:
    """These rows, some at a time: between two reads, urgent records go ahead (``exchange.protocol.preempt``)."""
    for start in range(0, len(keys), READ_AT_ONCE):
        some = keys[start : start + READ_AT_ONCE]
        yield list(zip(some, rows.get_many(some), strict=True))
