"""Correlate: blocks and commands in; the nation's picture, the partners' releases and the audit of decisions out.

The path of an indicator: merge with its row → obey what officers say of it → is it material, or only more of the same
→ national record → for each partner decide, redact, compare with what was sent (``streams.correlate.disclose``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import CommandFate, IndicatorChange, QuarantineStage
from exchange.protocol.effects import Effects
from exchange.protocol.record import Output, Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.codec import INDICATOR, OBSERVATION_BLOCK, QUARANTINED, Codec, Undecodable
from schemas.identity import indicator_id
from schemas.records import ObservationBlock
from schemas.vocabulary import CommandKind, RecordKind, RejectReason
from streams.audit import entry as audit
from streams.blocks import Said, assertions
from streams.correlate import row as rows_of
from streams.correlate.commands import Order, RefusedCommand, read_command
from streams.correlate.disclose import Discloser
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.national import national
from streams.correlate.obey import obey
from streams.correlate.redecide import CURSOR_KEY, DECIDED, Cursor, cursor_of, portion
from streams.correlate.release import Classifier
from streams.correlate.row import Row
from streams.correlate.standing import Standing
from streams.correlate.work import Work
from streams.enrichment.enrich import Enricher
from streams.intake.columns import WholeReject
from streams.refusal import Place, refusal
from streams.rules.facets import confidence_band
from streams.rules.rulebook import FixedRules, InForce, Rules

STATE_FORMAT: Final = rows_of.FORMAT
NATION_ITSELF: Final = ""


@dataclass(frozen=True, slots=True)
class CorrelateSettings:
    """Who we are, who may get what, who may decide, and how often mere repetition is told (milliseconds).

    ``portion`` is how much is decided again with a batch after a change of rules.
    """

    nation: str
    partners: tuple[str, ...]
    roll_up_ms: int
    lifetimes: Lifetimes
    roster: Roster
    shards: int
    portion: int = DECIDED


class Ordered(msgspec.Struct, frozen=True):
    """An order, and the record that brought it."""

    order: Order
    record: Record


class Correlate(Step[None]):
    """Correlates for one nation. One instance serves one shard."""

    name = "correlate"

    def __init__(
        self, settings: CorrelateSettings, shard: int, codec: Codec, enricher: Enricher, rules: Rules | Classifier
    ) -> None:
        """``rules`` say at each shard time what is in force; a classifier is in force always."""
        self._settings, self._shard, self._codec = settings, shard, codec
        self._enricher, self._lifetimes = enricher, settings.lifetimes
        self._book: Rules = FixedRules(rules) if isinstance(rules, Classifier) else rules
        self._in_force: InForce | None = None

    def _follow(self, now_ms: int) -> None:
        """Decide by what is in force at this shard time."""
        in_force = self._book.in_force(now_ms)
        if self._in_force is None or self._in_force.name != in_force.name:
            self._adopt(in_force)

    def _adopt(self, in_force: InForce) -> None:
        """Decide by this from now on. What was decided under other rules is decided again, a portion each batch."""
        self._in_force, self._classifier, self._is_new = in_force, in_force.classifier, True
        settings, engine = self._settings, in_force.classifier.engine
        versions = audit.Versions(engine.version, engine.engine_version, self._enricher.version)
        self._discloser = Discloser(
            settings.nation,
            settings.partners,
            settings.roll_up_ms,
            settings.lifetimes,
            self._shard,
            self._codec,
            in_force.classifier,
            versions,
            in_force.borders,
        )

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002  # what is in force is not in a row
        """The cursor's key where rules are new here: there may be something to decide again, though nothing comes.

        Raises PolicyStale.
        """
        self._follow(now_ms)
        return (CURSOR_KEY,) if self._is_new else ()

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        """Everything that follows from these blocks and commands, and from the rows whose time has come."""
        self._follow(now_ms)
        work = Work(now_ms)
        said: dict[bytes, list[Said]] = {}
        orders: dict[bytes, list[Ordered]] = {}
        for record in batch.records:
            if record.topic == topics.COMMANDS:
                self._hear(record, orders, work)
                continue
            for each in self._read(record, work):
                said.setdefault(each.key, []).append(each)
        keys = [key for key in dict.fromkeys((*said, *orders, *batch.due)) if key != CURSOR_KEY]
        head_row, cursor_row, *found = rows.get_many([audit.HEAD_KEY, CURSOR_KEY, *keys])
        work.head = before = audit.Head() if head_row is None else msgspec.msgpack.decode(head_row, type=audit.Head)
        for key, data in zip(keys, found, strict=True):
            row = None if data is None else rows_of.decode(data)
            self._settle(key, row, said.get(key, ()), orders.get(key, ()), work)
        more = self._decide_again(cursor_of(cursor_row, self._discloser.rules, now_ms), rows, keys, work)
        if work.head != before:
            work.rows.append(RowChange(audit.HEAD_KEY, msgspec.msgpack.encode(work.head)))
        return Effects(work.outputs, rows=work.rows, tallies=work.tally, gauges=work.gauges, more=more)

    def _decide_again(self, cursor: Cursor, rows: Rows, settled: Sequence[bytes], work: Work) -> bool:
        """Go on with what was decided under other rules; whether there is more of it."""
        self._is_new = False
        if cursor.done:
            return False
        found, cursor = portion(cursor, rows, frozenset(settled), decided=self._settings.portion)
        for key, row in found:
            self._settle(key, row, (), (), work)
        work.tally[spec.DECIDED_AGAIN.tally()] += len(found)
        work.rows.append(cursor.change())
        behind_s = 0.0 if cursor.done else (work.now_ms - cursor.since_ms) / 1000
        work.gauges[spec.UNDECIDED_ROWS.at(self.name, self._shard)] = float(cursor.left(rows.size()))
        work.gauges[spec.RULES_BEHIND_SECONDS.at(self.name, self._shard)] = behind_s
        return not cursor.done

    def _read(self, record: Record, work: Work) -> Iterable[Said]:
        """The rows of a block. One that is none can only be damage: it goes to quarantine whole."""
        found = self._codec.decode(OBSERVATION_BLOCK, record.value)
        said = found if isinstance(found, Undecodable) else assertions(cast(ObservationBlock, found))
        if not isinstance(said, Undecodable | WholeReject):
            return said
        self._quarantine(record, said.reason, said.detail, work)
        return ()

    def _hear(self, record: Record, orders: dict[bytes, list[Ordered]], work: Work) -> None:
        """The order in a command, with those on its indicator. One that may not be obeyed goes to quarantine."""
        found = read_command(
            record.value,
            record.key,
            self._codec,
            self._settings.roster,
            appended_ms=record.timestamp_ms,
            partners=self._settings.partners,
            shard=self._shard,
            shards=self._settings.shards,
        )
        if isinstance(found, RefusedCommand):
            self._refuse(record, found, work)
        else:
            orders.setdefault(found.key, []).append(Ordered(found, record))

    def _refuse(self, record: Record, refused: RefusedCommand, work: Work) -> None:
        work.tally[spec.COMMANDS.tally(CommandFate.REFUSED)] += 1
        self._quarantine(record, refused.reason, refused.detail, work)

    def _quarantine(self, record: Record, reason: RejectReason, detail: str, work: Work) -> None:
        place = Place(record.topic, record.partition, record.offset)
        kept = refusal(place, reason, detail, record.value or b"", stage=self.name, at_ms=work.now_ms)
        value = self._codec.encode(QUARANTINED, kept)
        work.outputs.append(Output(topics.QUARANTINE, self._shard, kept["key"].encode(), value))
        work.tally[spec.QUARANTINED_RECORDS.tally(QuarantineStage.CORRELATE, reason)] += 1

    def _settle(
        self, key: bytes, before: Row | None, said: Sequence[Said], orders: Sequence[Ordered], work: Work
    ) -> None:
        """Bring one indicator's row up to date, and say what must be said now."""
        row = self._merged(before, said)
        earlier = None if before is None else before.standing
        again: frozenset[str] = frozenset()
        if orders:
            row, again = self._obeyed(row, orders, work)
        if row is None:
            return
        if not row.assertions:  # officers have spoken of what nobody has reported yet
            work.rows.append(RowChange(key, rows_of.encode(row)))
            return
        if before is not None and not before.assertions:
            before = None
        known, stale = row.enrichment, before is not None and row.rules != self._discloser.rules
        if stale:
            row = msgspec.structs.replace(row, enrichment=self._enricher.enrich(row.kind, row.value))
        change = self._change(before, row, work.now_ms)
        if said:
            work.tally[spec.INDICATORS.tally(change)] += 1
        roll_up_ms = row.emitted_ms + self._settings.roll_up_ms
        repeated = change is IndicatorChange.REPEATED
        waits = self._waits(row)
        news = not repeated or (row.pending and work.now_ms >= roll_up_ms) or self._time_has_told(row, work.now_ms)
        news = news or row.enrichment != known
        if news or NATION_ITSELF in again or (orders and _is_revoked(row.standing) != _is_revoked(earlier)):
            row = self._tell_nation(key, row, work)
        if news or stale or orders or any(at <= work.now_ms for at in waits):
            row = self._discloser.tell(key, None if repeated else before, row, earlier, work, again=again)
            waits = self._waits(row)
        due_ms = row.due_ms if repeated and row.due_ms > work.now_ms else row.next_end(self._lifetimes, work.now_ms)
        if row.pending:
            waits.append(roll_up_ms)
        due_ms = min((at for at in (due_ms, *waits) if at > work.now_ms), default=0)
        if due_ms != row.due_ms:
            row = msgspec.structs.replace(row, due_ms=due_ms)
        work.rows.append(RowChange(key, rows_of.encode(row), due_ms))

    def _obeyed(self, row: Row | None, orders: Sequence[Ordered], work: Work) -> tuple[Row | None, frozenset[str]]:
        """The row after these orders, one by one, and who is to be told again."""
        again: frozenset[str] = frozenset()
        for each in orders:
            done = obey(each.order, row, self._classifier, work.now_ms, self._settings.partners)
            if isinstance(done, RefusedCommand):
                self._refuse(each.record, done, work)
                continue
            work.tally[spec.COMMANDS.tally(CommandFate.OBEYED)] += 1
            if each.order.kind is CommandKind.REVOKE:
                work.tally[spec.INDICATORS.tally(IndicatorChange.REVOKED)] += 1
            row, again = done.row, again | done.reissue
        return row, again

    def _waits(self, row: Row) -> list[int]:
        """When partners are to be looked at again: what has only been repeated is told so long after what was told.

        The nation's own roll-up does not decide it: that depends on sources that the partner must not know of. And
        reviews that are open lapse.
        """
        waits = [
            sent.version + self._settings.roll_up_ms
            for sent in row.sent
            if (row.pending or sent.waiting) and sent.kind == RecordKind.CONTENT
        ]
        return waits if row.standing is None else waits + row.standing.deadlines()

    def _change(self, before: Row | None, row: Row, now_ms: int) -> IndicatorChange:
        """What the new words have done to the row. One that had ended and lives again has changed."""
        if before is None:
            return IndicatorChange.NEW
        revived = row.expired and now_ms < row.end(self._lifetimes)
        return IndicatorChange.CHANGED if revived or row.differs_materially(before) else IndicatorChange.REPEATED

    def _time_has_told(self, row: Row, now_ms: int) -> bool:
        """Whether time alone has changed what was last told: an end, or a band of the decayed confidence."""
        if any(sent.kind == RecordKind.CONTENT and 0 < sent.ends_ms <= now_ms for sent in row.sent):
            return True
        return 0 < row.due_ms <= now_ms and self._phase(row, row.emitted_ms) != self._phase(row, now_ms)

    def _phase(self, row: Row, at_ms: int) -> tuple[bool, str]:
        confidence = max(self._lifetimes.confidence_at(row.kind, each.word, at_ms) for each in row.assertions)
        return row.end(self._lifetimes) <= at_ms, confidence_band(confidence)

    def _merged(self, before: Row | None, said: Sequence[Said]) -> Row | None:
        if not said:
            return before
        if before is None or not before.assertions:
            first = said[0]
            enrichment = self._enricher.enrich(first.kind, first.value)
            standing = None if before is None else before.standing
            before = Row(first.kind, first.value, enrichment, standing=standing)
        return before.merged(each.assertion for each in said)

    def _tell_nation(self, key: bytes, row: Row, work: Work) -> Row:
        """Tell the nation; the row as it is after that."""
        version = max(row.version + 1, work.now_ms)
        name = indicator_id(key).encode()
        record = national(key, row, version, self._lifetimes, work.now_ms)
        expired = record["kind"] == "expired"
        if expired:
            work.tally[spec.INDICATORS.tally(IndicatorChange.EXPIRED)] += 1
        value = self._codec.encode(INDICATOR, record)
        work.outputs.append(Output(topics.NATIONAL, self._shard, name, value))
        return msgspec.structs.replace(row, version=version, emitted_ms=work.now_ms, pending=False, expired=expired)


def _is_revoked(standing: Standing | None) -> bool:
    return standing is not None and standing.revoked
