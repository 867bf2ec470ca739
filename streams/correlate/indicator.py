"""Brings one indicator's row up to date, and publishes the results: the national record, then partners' releases.

The path: enrich a new one → merge what sensors assert → execute officers' commands → compare with the row before →
national record → for each partner a release (``streams.correlate.releases``) → when the row is due next.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from exchange.metrics import spec
from exchange.metrics.labels import CommandFate, IndicatorChange
from exchange.protocol.record import Output, Record, RowChange
from exchange.protocol.rows import Lookup
from schemas import topics
from schemas.codec import Codec
from schemas.identity import indicator_id
from schemas.quarantine import Refused
from schemas.vocabulary import CommandKind, RecordKind
from streams.blocks import Observed
from streams.correlate import row as rows_of
from streams.correlate.commands import AuthorisedCommand
from streams.correlate.execute import execute
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.merge import Merged, merge, reporting
from streams.correlate.national import TAKEN_BACK, national
from streams.correlate.officers import OfficerDecisions
from streams.correlate.releases import Releaser
from streams.correlate.row import Row
from streams.correlate.work import Work
from streams.enrichment.enrich import Enricher
from streams.refusal import Quarantine, location_of
from streams.rules.classifier import Classifier
from streams.rules.facets import confidence_band

NATION_ITSELF: Final = ""
NEVER_MS: Final = 1 << 63
_ENDED: Final = object()
_COUNTERS: Final = {change: spec.INDICATORS.tally(change) for change in IndicatorChange}


class ReceivedCommand(msgspec.Struct, frozen=True):
    """An authorised command, and its record."""

    authorised: AuthorisedCommand
    record: Record


class IndicatorUpdater:
    """Updates rows under the rules of one batch. It keeps nothing between calls: the effects go to ``work``."""

    def __init__(
        self,
        partners: Sequence[str],
        roll_up_ms: int,
        lifetimes: Lifetimes,
        shard: int,
        codec: Codec,
        enricher: Enricher,
        classifier: Classifier,
        releaser: Releaser,
        quarantine: Quarantine,
        running: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        """``running`` returns the people who run any of these sensors."""
        self._partners, self._roll_up_ms, self._lifetimes = partners, roll_up_ms, lifetimes
        self._shard, self._codec, self._enricher = shard, codec, enricher
        self._classifier, self._releaser, self._quarantine = classifier, releaser, quarantine
        self._running = running

    def update(
        self,
        key: bytes,
        before: Row | None,
        observed: Sequence[Observed],
        commands: Sequence[ReceivedCommand],
        rows: Lookup,
        work: Work,
    ) -> Iterator[None]:
        """Update one row, in stages: see ``together``. Without observations and commands it is decided again, because
        it is due or rules changed.

        ``rows`` has the rows of its further sources.
        """
        known = before
        if observed and (before is None or not before.assertions):
            known = self._begun(before, observed[0])
        yield
        merged = self._merged(key, known, observed, rows)
        row, nodes = (None, ()) if merged is None else (merged.row, merged.nodes)
        work.rows += nodes
        earlier = None if before is None else before.officers
        again: frozenset[str] = frozenset()
        if commands or (row is not None and row.officers is not None and observed):
            row, again = self._under_officers(key, before, row, observed, commands, rows, work)
        if row is None:
            return
        if not row.is_seen:  # officers have decided about an indicator, or a source withdrew it, before any report
            if observed:
                work.tally[_COUNTERS[IndicatorChange.WITHDRAWN]] += 1
            work.rows.append(RowChange(key, rows_of.encode(row)))
            return
        if before is not None and not before.is_seen:
            before = None
        enrichment, stale = row.enrichment, before is not None and row.rules != self._releaser.rules
        if stale:
            row = msgspec.structs.replace(row, enrichment=self._enricher.enrich(row.kind, row.value))
        change = self._change(before, row, merged, work.now_ms)
        if observed:
            work.tally[_COUNTERS[change]] += 1
        roll_up_ms = row.emitted_ms + self._roll_up_ms
        repeated = change is IndicatorChange.REPEATED
        news = not repeated or (row.pending and work.now_ms >= roll_up_ms) or self._changed_by_time(row, work.now_ms)
        news = news or row.enrichment != enrichment
        yield
        if news or NATION_ITSELF in again or (commands and _is_revoked(row.officers) != _is_revoked(earlier)):
            row = self._publish_national(key, row, work)
        yield
        asked_anew = before is not None and row.officers != before.officers
        revives = bool(observed) and _has_expired(row)
        if news or stale or commands or asked_anew or revives or min(self._waits(row), default=NEVER_MS) <= work.now_ms:
            changed = None if repeated else before
            row = self._releaser.release(key, changed, row, earlier, work, again=again, merged=merged)
        yield
        waits = self._waits(row)
        due_ms = row.due_ms if repeated and row.due_ms > work.now_ms else row.next_end(self._lifetimes, work.now_ms)
        if row.pending:
            waits.append(roll_up_ms)
        due_ms = min([at for at in (due_ms, *waits) if at > work.now_ms], default=0)
        if due_ms != row.due_ms:
            row = msgspec.structs.replace(row, due_ms=due_ms)
        work.rows.append(RowChange(key, rows_of.encode(row), due_ms))

    def _under_officers(
        self,
        key: bytes,
        before: Row | None,
        row: Row | None,
        observed: Sequence[Observed],
        commands: Sequence[ReceivedCommand],
        rows: Lookup,
        work: Work,
    ) -> tuple[Row | None, frozenset[str]]:
        """The row after officers' commands, without approvals of own reports, and the partners to send it to again."""
        if row is not None and row.officers is not None and observed:
            row = self._without_own_approvals(row, row.officers, observed)
        if not commands:
            return row, frozenset()
        here = {each.assertion.sensor for each in observed}

        def own(sensors: frozenset[str]) -> frozenset[str]:
            return sensors & here | (reporting(before, key, sensors, rows) if before else frozenset())

        return self._executed(row, commands, own, work)

    def _without_own_approvals(self, row: Row, decisions: OfficerDecisions, observed: Sequence[Observed]) -> Row:
        """The row without the approvals of people whose own sensors report it now: no one approves their own report."""
        if not decisions.reviews:
            return row
        persons = self._running({each.assertion.sensor for each in observed})
        return msgspec.structs.replace(row, officers=decisions.without_approvals_by(persons)) if persons else row

    def refuse(self, record: Record, refused: Refused, work: Work) -> None:
        """Count a command that is not executed, and put it into quarantine."""
        work.tally[spec.COMMANDS.tally(CommandFate.REFUSED)] += 1
        self._quarantine.put(location_of(record), refused, record.value or b"", work)

    def _executed(
        self,
        row: Row | None,
        commands: Sequence[ReceivedCommand],
        own: Callable[[frozenset[str]], frozenset[str]],
        work: Work,
    ) -> tuple[Row | None, frozenset[str]]:
        """The row after these commands, one by one, and the partners to send it to again.

        ``own`` returns those of an officer's sensors that have reported the indicator.
        """
        again: frozenset[str] = frozenset()
        for each in commands:
            reported = own(each.authorised.officer.sensors)
            done = execute(each.authorised, row, self._classifier, work.now_ms, self._partners, reported)
            if isinstance(done, Refused):
                self.refuse(each.record, done, work)
                continue
            work.tally[spec.COMMANDS.tally(CommandFate.OBEYED)] += 1
            if each.authorised.kind is CommandKind.REVOKE:
                work.tally[_COUNTERS[IndicatorChange.REVOKED]] += 1
            row, again = done.row, again | done.reissue
        return row, again

    def _waits(self, row: Row) -> list[int]:
        """When partners must be looked at again: for repetition, one roll-up after their last record.

        The nation's own roll-up does not decide it: it depends on sources that the partner must not know of. Open
        reviews lapse at their deadlines.
        """
        waits = [
            sent.sent_ms + self._roll_up_ms
            for sent in row.sent
            if (row.pending or sent.waiting) and sent.kind == RecordKind.CONTENT
        ]
        return waits if row.officers is None else waits + row.officers.deadlines()

    def _change(self, before: Row | None, row: Row, merged: Merged | None, now_ms: int) -> IndicatorChange:
        """How this batch has changed the row. An indicator that had ended and lives again has changed."""
        if before is None:
            return IndicatorChange.NEW
        revived = row.expired and now_ms < row.end(self._lifetimes)
        return IndicatorChange.CHANGED if revived or (merged and merged.is_news(before)) else IndicatorChange.REPEATED

    def _changed_by_time(self, row: Row, now_ms: int) -> bool:
        """Whether time alone has changed what was last published: by an end, or a band of the decayed confidence."""
        for sent in row.sent:
            if 0 < sent.ends_ms <= now_ms and sent.kind == RecordKind.CONTENT:
                return True
        return 0 < row.due_ms <= now_ms and self._phase(row, row.emitted_ms) != self._phase(row, now_ms)

    def _phase(self, row: Row, at_ms: int) -> tuple[bool, str]:
        return row.end(self._lifetimes) <= at_ms, confidence_band(row.confidence(self._lifetimes, at_ms))

    def _begun(self, before: Row | None, first: Observed) -> Row:
        """The row of an indicator that no sensor has reported before: at most officers have decided about it."""
        decisions = None if before is None else before.officers
        enrichment = self._enricher.enrich(first.kind, first.value)
        return Row(first.kind, first.value, enrichment, officers=decisions, bounded=True)

    def _merged(self, key: bytes, known: Row | None, observed: Sequence[Observed], rows: Lookup) -> Merged | None:
        if known is None:
            return None
        if not observed and not known.is_to_be_made_again:
            return Merged(known)
        return merge(known, key, [each.assertion for each in observed], rows)

    def _publish_national(self, key: bytes, row: Row, work: Work) -> Row:
        """Write the national record; the row after that."""
        version = max(row.version + 1, work.now_ms)
        name = indicator_id(key).encode()
        kind, value = national(self._codec, key, row, version, self._lifetimes, work.now_ms)
        expired = kind == "expired"
        if expired:
            work.tally[_COUNTERS[IndicatorChange.EXPIRED]] += 1
        elif row.withdrawal in TAKEN_BACK:
            work.tally[_COUNTERS[IndicatorChange.WITHDRAWN]] += 1
        work.outputs.append(Output(topics.NATIONAL, self._shard, name, value))
        return msgspec.structs.replace(row, version=version, emitted_ms=work.now_ms, pending=False, expired=expired)


def together(updates: Iterable[Iterator[None]]) -> None:
    """Run these updates stage by stage: what one stage needs of code and data stays in the processor's caches while it
    is done for one indicator after the other. Each topic gets its records in the order of the updates."""
    running = list(updates)
    while running:
        running = [update for update in running if next(update, _ENDED) is None]


def _has_expired(row: Row) -> bool:
    """Whether it has expired for a partner: others may keep it alive here, and a report may revive it there."""
    return RecordKind.EXPIRED in [sent.kind for sent in row.sent]


def _is_revoked(decisions: OfficerDecisions | None) -> bool:
    return decisions is not None and decisions.revoked
