"""The row of one indicator in correlate's state: its sources' assertions, and the last release to each partner.

How assertions are merged into it is in ``streams.correlate.merge``.
"""

from typing import Final

import msgspec

from schemas.markings import Marking, joined
from schemas.vocabulary import IndicatorType, RecordKind, Withdrawal
from streams.correlate.assertion import UNKNOWN_EPOCH, Assertion
from streams.correlate.former_rows import row_fields
from streams.correlate.further import Summary, together
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.officers import OfficerDecisions
from streams.correlate.statement import Statement, last_of_each
from streams.correlate.terms import TERMS
from streams.enrichment.enrich import Enrichment

FORMAT: Final = 6
MAX_SOURCES: Final = 32  # that a row keeps in full, and a national record lists


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last record sent to one partner. ``digest`` is of the content, ``decision`` of the decision behind it.

    ``kind`` is empty if nothing was ever released; ``recalled_through`` is the highest version recalled; ``ends_ms`` is
    when the content ends by itself, 0 never; ``waiting`` means that counts or times have changed since; ``terms`` is a
    digest of whose data was in it, and under which obligations. ``made_ms`` is when it was made, which its version does
    not tell; 0 for a record of an earlier release, whose version does.
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
    made_ms: int = 0

    @property
    def sent_ms(self) -> int:
        """When the last record was made."""
        return self.made_ms or self.version


class Floor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The least marking of a source's statements up to (``epoch``, ``sequence``); an empty ``sensor`` is any other.

    A rebuilt row does not know which of the source's statements were merged before: a late one must not loosen a
    marking that a later, lost one had tightened. Nor does it know the first epoch of a source that it does not name.
    """

    sensor: str
    marking: Marking
    epoch: int
    sequence: int

    def under(self, assertion: Assertion) -> Assertion:
        """The assertion, its statement's marking joined with this one unless the statement is certainly newer, and its
        source's: in another epoch only an authenticated one is."""
        statement = assertion.latest
        is_its_own = statement.authenticated or statement.epoch == self.epoch
        if is_its_own and (statement.epoch, statement.sequence) > (self.epoch, self.sequence):
            return assertion
        strict = statement.under(statement.marking.join(self.marking))
        first_epoch = assertion.first_epoch if self.sensor else UNKNOWN_EPOCH
        return msgspec.structs.replace(assertion, latest=strict, first_epoch=first_epoch)


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One indicator. ``assertions`` are sorted by sensor, one each, at most ``MAX_SOURCES``; ``further`` summarises the
    other sources, whose own rows (``streams.correlate.branches``) are of this ``generation``. ``bounded`` means that no
    assertion is larger than it may be, and that ``further`` is made by this version: a row of an earlier format becomes
    bounded when it is next merged. Only a rebuilt row has ``floors``.

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
    further: Summary | None = None
    generation: int = 0
    bounded: bool = False
    format: int = FORMAT

    def floored(self, sensor: str, assertion: Assertion) -> Assertion:
        """The assertion of this sensor as strict as a rebuilt row demands."""
        if not self.floors:
            return assertion
        of_any = next((floor for floor in self.floors if not floor.sensor), None)
        floor = next((floor for floor in self.floors if floor.sensor == sensor), of_any)
        return assertion if floor is None else floor.under(assertion)

    @property
    def sources(self) -> int:
        """How many sources have reported it, those that withdrew among them."""
        return len(self.assertions) + (0 if self.further is None else self.further.sources)

    @property
    def is_to_be_made_again(self) -> bool:
        """Whether an earlier format kept more sources in full, or a summary that this version makes otherwise."""
        return len(self.assertions) > MAX_SOURCES or (self.further is not None and not self.bounded)

    @property
    def statements(self) -> list[Statement]:
        """The statements that decide when the indicator ends, how confident the nation is of it, and its labels."""
        if len(self.assertions) == 1 and self.further is None:  # most indicators have one source
            return [self.assertions[0].latest]
        last = last_of_each([assertion.latest for assertion in self.assertions])
        return last if self.further is None else [*last, *self.further.statements]

    @property
    def marking(self) -> Marking:
        """The effective marking of all that the nation knows: the join of every source's current one."""
        marking = joined([TERMS[code].marking for code in {assertion.latest.terms for assertion in self.assertions}])
        return marking if self.further is None else marking.join(self.further.marking)

    @property
    def is_seen(self) -> bool:
        """Whether any source ever asserted it. A withdrawal may arrive first, or alone."""
        for assertion in self.assertions:
            if assertion.tallies:  # most often the first one's
                return True
        return self.further is not None and bool(self.further.groups)

    @property
    def has_withdrawals(self) -> bool:
        """Whether any source has withdrawn its assertion."""
        for assertion in self.assertions:
            if TERMS[assertion.latest.terms].withdrawal:
                return True
        return self.further is not None and self.further.withdrawn > 0

    @property
    def withdrawals(self) -> set[int]:
        """The codes of ``Withdrawal`` by which sources ended their assertions."""
        codes = {assertion.latest.withdrawal for assertion in self.assertions} - {0}
        return codes if self.further is None else codes | {*self.further.codes}

    @property
    def withdrawal(self) -> Withdrawal | None:
        """How the indicator ended if every source has withdrawn its assertion; None if any still asserts it."""
        for assertion in self.assertions:
            if not TERMS[assertion.latest.terms].withdrawal:  # most often the first one
                return None
        if self.further is not None and self.further.withdrawn < self.further.sources:
            return None
        return Withdrawal(min(self.withdrawals)) if self.withdrawals else None

    def end(self, lifetimes: Lifetimes) -> int:
        """When the last of the sources' statements ends."""
        return max([lifetimes.end_of(self.kind, statement) for statement in self.statements])

    def confidence(self, lifetimes: Lifetimes, at_ms: int) -> int:
        """The highest decayed confidence of the sources' statements; -1 if none was stated."""
        return max([lifetimes.confidence_at(self.kind, statement, at_ms) for statement in self.statements])

    def next_end(self, lifetimes: Lifetimes, after_ms: int) -> int:
        """When time alone may next change anything after ``after_ms``: an end, or the band of the surest statement.

        0 never. Too early is harmless: the row is looked at again later.
        """
        statements = self.statements
        surest = statements[0]
        times = [sent.ends_ms for sent in self.sent if sent.kind == RecordKind.CONTENT]
        if len(statements) > 1:
            surest = max(statements, key=lambda statement: lifetimes.confidence_at(self.kind, statement, after_ms))
            times.append(max([lifetimes.end_of(self.kind, statement) for statement in statements]))
        times.append(lifetimes.next_change(self.kind, surest, after_ms))
        return min([at for at in times if at > after_ms], default=0)

    def sent_to(self, partner: str) -> Sent:
        """The last record sent to this partner."""
        for sent in self.sent:
            if sent.partner == partner:
                return sent
        return Sent(partner)

    def with_sent(self, sent: Sent) -> "Row":
        """This row after a record was sent to a partner."""
        others = [other for other in self.sent if other.partner != sent.partner]
        every = sorted((*others, sent), key=lambda each: each.partner) if others else (sent,)
        return msgspec.structs.replace(self, sent=tuple(every))


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Row)
_HEAD: Final = b"\xdc" + len(Row.__struct_fields__).to_bytes(2)  # of an array with so many elements, in MessagePack
_LONGER: Final = b"\xdd"  # behind the heads of all arrays with as many elements or more, as a later format may have
_TAIL: Final = bytes([FORMAT])  # its last element


def encode(row: Row) -> bytes:
    """The row as the changelog keeps it."""
    return _ENCODER.encode(row)


def decode(data: bytes) -> Row:
    """The row that the changelog kept, of this format or an earlier one.

    Up to format 5 a summary may have fewer statements and no tearlines: its groups are put together by the rules of
    today, and it is not ``bounded``. Raises ``msgspec.DecodeError`` for damaged bytes and for a later format.
    """
    if data.startswith(_HEAD) and data.endswith(_TAIL):
        return _DECODER.decode(data)
    if _HEAD <= data[:3] < _LONGER:
        row = _DECODER.decode(data)
        check_format(row.format)
    else:
        row = msgspec.convert(row_fields(data), Row)
    if row.further is None:
        return msgspec.structs.replace(row, format=FORMAT)
    return msgspec.structs.replace(row, further=together([row.further]), bounded=False, format=FORMAT)


def check_format(found: int) -> None:
    """Raises ``msgspec.DecodeError`` if a row is of a later format than this version's."""
    if found > FORMAT:
        raise msgspec.DecodeError(
            f"a row has format {found}, but this version reads up to {FORMAT}: run the version that wrote it"
        )
