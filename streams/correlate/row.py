"""The row of one indicator in correlate's state: its sources' assertions, and the last release to each partner."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.markings import Marking, joined
from schemas.tearline import of_context
from schemas.vocabulary import IndicatorType, RecordKind, Withdrawal
from streams.correlate.assertion import Assertion
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.officers import OfficerDecisions
from streams.enrichment.enrich import Enrichment
from streams.rules.facets import confidence_band

FORMAT: Final = 2


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last record sent to one partner. ``digest`` is of the content, ``decision`` of the decision behind it.

    ``kind`` is empty if nothing was ever released; ``recalled_through`` is the highest version recalled; ``ends_ms`` is
    when the content ends by itself, 0 never; ``waiting`` means that counts or times have changed since; ``terms`` is a
    digest of whose data was in it, and under which obligations.
    """

    partner: str
    kind: str = ""
    version: int = 0
    digest: bytes = b""
    ends_ms: int = 0
    recalled_through: int = 0
    decision: bytes = b""
    decision_id: str = ""
    waiting: bool = False
    terms: bytes = b""


class Floor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The least marking of a source's statements up to (``epoch``, ``sequence``); an empty ``sensor`` is any other.

    A rebuilt row does not know which of the source's statements were merged before: a late one must not loosen a
    marking that a later, lost one had tightened.
    """

    sensor: str
    marking: Marking
    epoch: int
    sequence: int

    def under(self, assertion: Assertion) -> Assertion:
        """The assertion, its statement's marking joined with this one unless the statement is certainly newer."""
        statement = assertion.latest
        if (statement.epoch, statement.sequence) > (self.epoch, self.sequence):
            return assertion
        stricter = msgspec.structs.replace(statement, marking=statement.marking.join(self.marking))
        return msgspec.structs.replace(assertion, latest=stricter)


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One indicator. ``assertions`` are sorted by sensor, one each. Only a rebuilt row has ``floors``.

    ``version`` and ``emitted_ms`` are of the last record on the national topic, ``expired`` whether it was an end;
    ``pending`` means that counts or times have changed since. ``due_ms`` is when the row must be looked at without
    other input; 0 never. ``officers`` are the officers' decisions. ``rules`` names the rules of the last decision.

    An officer may decide about an indicator that no sensor has reported yet: its row has no assertions and no value.
    """

    kind: IndicatorType
    value: str
    enrichment: Enrichment
    assertions: tuple[Assertion, ...] = ()
    version: int = 0
    emitted_ms: int = 0
    pending: bool = False
    expired: bool = False
    due_ms: int = 0
    sent: tuple[Sent, ...] = ()
    floors: tuple[Floor, ...] = ()
    officers: OfficerDecisions | None = None
    rules: bytes = b""

    def merged(self, assertions: Iterable[Assertion]) -> "Row":
        """This row with more assertions, in any order; nothing is published yet."""
        by_sensor = {assertion.sensor: assertion for assertion in self.assertions}
        for assertion in assertions:
            known = by_sensor.get(assertion.sensor)
            by_sensor[assertion.sensor] = self._floored(assertion if known is None else known.merge(assertion))
        ordered = tuple(by_sensor[sensor] for sensor in sorted(by_sensor))
        return msgspec.structs.replace(self, assertions=ordered, pending=True)

    def _floored(self, assertion: Assertion) -> Assertion:
        if not self.floors:
            return assertion
        of_any = next((floor for floor in self.floors if not floor.sensor), None)
        floor = next((floor for floor in self.floors if floor.sensor == assertion.sensor), of_any)
        return assertion if floor is None else floor.under(assertion)

    def differs_materially(self, earlier: "Row") -> bool:
        """Whether the change is published at once: in a source, marking, confidence band, label, tearline or expiry.

        Repetition (counts and times) waits for the roll-up.
        """
        if len(self.assertions) != len(earlier.assertions):
            return True
        return any(
            mine is not before and _material(mine) != _material(before)
            for mine, before in zip(self.assertions, earlier.assertions, strict=True)
        )

    def is_marked_anew(self, earlier: "Row") -> bool:
        """Whether a source that was there ``earlier`` has another marking now."""
        markings = {assertion.sensor: assertion.latest.marking for assertion in earlier.assertions}
        return any(markings.get(each.sensor, each.latest.marking) != each.latest.marking for each in self.assertions)

    @property
    def marking(self) -> Marking:
        """The effective marking of all that the nation knows: the join of every source's current one."""
        return joined(assertion.latest.marking for assertion in self.assertions)

    @property
    def is_seen(self) -> bool:
        """Whether any source ever asserted it. A withdrawal may arrive first, or alone."""
        return any(assertion.tallies for assertion in self.assertions)

    @property
    def withdrawal(self) -> Withdrawal | None:
        """How the indicator ended if every source has withdrawn its assertion; None if any still asserts it."""
        withdrawals = [assertion.latest.withdrawal for assertion in self.assertions]
        return Withdrawal(min(withdrawals)) if withdrawals and all(withdrawals) else None

    def end(self, lifetimes: Lifetimes) -> int:
        """When the last of the sources' statements ends."""
        return max(lifetimes.end_of(self.kind, assertion.latest) for assertion in self.assertions)

    def next_end(self, lifetimes: Lifetimes, after_ms: int) -> int:
        """When time alone may next change anything after ``after_ms``: an end, or the band of the surest statement.

        0 never. Too early is harmless: the row is looked at again later.
        """
        statements = [assertion.latest for assertion in self.assertions]
        surest = max(statements, key=lambda statement: lifetimes.confidence_at(self.kind, statement, after_ms))
        times = [lifetimes.next_change(self.kind, surest, after_ms), self.end(lifetimes)]
        times += [sent.ends_ms for sent in self.sent if sent.kind == RecordKind.CONTENT]
        return min((at for at in times if at > after_ms), default=0)

    def sent_to(self, partner: str) -> Sent:
        """The last record sent to this partner."""
        return next((sent for sent in self.sent if sent.partner == partner), Sent(partner))

    def with_sent(self, sent: Sent) -> "Row":
        """This row after a record was sent to a partner."""
        others = tuple(other for other in self.sent if other.partner != sent.partner)
        return msgspec.structs.replace(self, sent=tuple(sorted((*others, sent), key=lambda each: each.partner)))


def _material(assertion: Assertion) -> tuple[object, ...]:
    statement = assertion.latest
    return (
        assertion.sensor,
        statement.marking,
        confidence_band(statement.confidence),
        statement.valid_until_ms,
        statement.withdrawal,
        statement.labels,
        of_context(statement.context),
        len(assertion.tallies),
    )


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Row)


def encode(row: Row) -> bytes:
    """The row as the changelog keeps it."""
    return _ENCODER.encode(row)


def decode(data: bytes) -> Row:
    """The row that the changelog kept. Raises ``msgspec.DecodeError`` for damaged bytes."""
    return _DECODER.decode(data)
