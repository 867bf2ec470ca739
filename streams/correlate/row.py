"""The row of one indicator in correlate's state: what its sources say, and what was last said to whom."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.markings import Marking, joined
from schemas.tearline import of_context
from schemas.vocabulary import IndicatorType, RecordKind
from streams.correlate.assertion import Assertion
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.standing import Standing
from streams.enrichment.enrich import Enrichment
from streams.rules.facets import confidence_band

FORMAT: Final = 2


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one partner was last told. ``digest`` is of the content, ``decision`` of the decision behind it.

    ``kind`` is empty where nothing was ever released; ``recalled_through`` is the highest version recalled;
    ``ends_ms`` is when the content ends by itself, 0 never; ``waiting`` says that counts or times have moved since;
    ``terms`` is of whose data was in it and what was owed for it.
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
    """The least marking that a source's words have up to (``epoch``, ``sequence``); an empty ``sensor`` is any other.

    A row that was rebuilt from what was told does not know which of the source's words it has heard: a late one must
    not loosen what a later one, that is forgotten, had tightened.
    """

    sensor: str
    marking: Marking
    epoch: int
    sequence: int

    def under(self, assertion: Assertion) -> Assertion:
        """The assertion, its word's marking joined with this one unless the word is certainly newer."""
        word = assertion.word
        if (word.epoch, word.sequence) > (self.epoch, self.sequence):
            return assertion
        stricter = msgspec.structs.replace(word, marking=word.marking.join(self.marking))
        return msgspec.structs.replace(assertion, word=stricter)


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One indicator. ``assertions`` are sorted by sensor, one each. Only a rebuilt row has ``floors``.

    ``version`` and ``emitted_ms`` are of the last record on the national topic, ``expired`` what it said;
    ``pending`` says that counts or times have moved since. ``due_ms`` is when the row wants to be looked at without
    other input; 0 never. ``standing`` is what officers have said. ``rules`` names what was decided under last.

    An officer may speak of an indicator that nobody has reported yet: its row has no assertions, and no value.
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
    standing: Standing | None = None
    rules: bytes = b""

    def merged(self, said: Iterable[Assertion]) -> "Row":
        """This row with more said, in any order; nothing is emitted yet."""
        by_sensor = {assertion.sensor: assertion for assertion in self.assertions}
        for assertion in said:
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
        """Whether subscribers should hear at once: a source, a marking, a confidence band, a label, a
        tearline, an expiry.

        More of the same (counts and times) waits for the roll-up.
        """
        if len(self.assertions) != len(earlier.assertions):
            return True
        return any(
            mine is not before and _material(mine) != _material(before)
            for mine, before in zip(self.assertions, earlier.assertions, strict=True)
        )

    def is_marked_anew(self, earlier: "Row") -> bool:
        """Whether a source that was there ``earlier`` has another marking now."""
        markings = {assertion.sensor: assertion.word.marking for assertion in earlier.assertions}
        return any(markings.get(each.sensor, each.word.marking) != each.word.marking for each in self.assertions)

    @property
    def marking(self) -> Marking:
        """The effective marking of all that the nation knows: the join of every source's current one."""
        return joined(assertion.word.marking for assertion in self.assertions)

    def end(self, lifetimes: Lifetimes) -> int:
        """When the last of the sources' words ends."""
        return max(lifetimes.end_of(self.kind, assertion.word) for assertion in self.assertions)

    def next_end(self, lifetimes: Lifetimes, after_ms: int) -> int:
        """When time alone may next change anything after ``after_ms``: an end, or the band of the surest word; 0 never.

        Looking too early is harmless: the row is then asked again.
        """
        words = [assertion.word for assertion in self.assertions]
        surest = max(words, key=lambda word: lifetimes.confidence_at(self.kind, word, after_ms))
        times = [lifetimes.next_change(self.kind, surest, after_ms), self.end(lifetimes)]
        times += [sent.ends_ms for sent in self.sent if sent.kind == RecordKind.CONTENT]
        return min((at for at in times if at > after_ms), default=0)

    def sent_to(self, partner: str) -> Sent:
        """What this partner was last told."""
        return next((sent for sent in self.sent if sent.partner == partner), Sent(partner))

    def with_sent(self, sent: Sent) -> "Row":
        """This row after a partner was told something."""
        others = tuple(other for other in self.sent if other.partner != sent.partner)
        return msgspec.structs.replace(self, sent=tuple(sorted((*others, sent), key=lambda each: each.partner)))


def _material(assertion: Assertion) -> tuple[object, ...]:
    word = assertion.word
    return (
        assertion.sensor,
        word.marking,
        confidence_band(word.confidence),
        word.valid_until_ms,
        word.labels,
        of_context(word.context),
        len(assertion.tallies),
    )


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Row)


def encode(row: Row) -> bytes:
    """The row as the changelog keeps it."""
    return _ENCODER.encode(row)


def decode(data: bytes) -> Row:
    """The row that the changelog kept. Raises ``msgspec.DecodeError`` for bytes that are none: damage."""
    return _DECODER.decode(data)
