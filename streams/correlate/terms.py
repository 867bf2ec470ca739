"""The repeated parts of statements: markings, terms and texts. Rows keep their bytes; results are computed once. Pure.

The sensors of a nation repeat the same few markings, confidences and labels. A row keeps each as its
bytes, which are equal if and only if it is equal; what follows from them (bands, order, bytes of a record) is looked
up by these bytes. The tables are caches: missing entries are computed again.
"""

from collections.abc import Callable, Collection
from typing import Final, Generic, TypeVar

import msgspec

from schemas.codec import INDICATOR, form_of_items
from schemas.marking_records import marking_record
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.row_writer import Cut
from schemas.tearline import of_context
from streams.rules.facets import ConfidenceBand, confidence_band
from streams.rules.labels import may_leave

MAX_LABELS: Final = 64
SHORT_TEXT: Final = 1024  # characters of a description, of a context, and bytes of labels, if sources are many
KNOWN_BYTES: Final = 4 << 20  # of codes, in one table
_ENTRY_BYTES: Final = 256

_Stable = tuple[int, int, bool, tuple[str, ...], tuple[str, ...]]
_ENCODE: Final = msgspec.msgpack.Encoder().encode
Known_T = TypeVar("Known_T")
Context = tuple[tuple[str, str], ...]


class Known(dict[bytes, Known_T], Generic[Known_T]):
    """The meaning of bytes. It is emptied when it is full: attackers choose its content."""

    def __init__(self, read: Callable[[bytes], Known_T]) -> None:
        super().__init__()
        self._read, self._room = read, KNOWN_BYTES

    def __missing__(self, code: bytes) -> Known_T:
        self._room -= len(code) + _ENTRY_BYTES
        if self._room < 0:
            self.clear()
            self._room = KNOWN_BYTES
        found = self[code] = self._read(code)
        return found


class Mark:
    """A marking.

    ``stable`` sorts markings, always in the same order, and ``name`` is its bytes; ``rank`` sorts the plainest first:
    those with few caveats, then those with few recipients named.
    """

    __slots__ = ("marking", "name", "rank", "stable")

    def __init__(self, marking: Marking) -> None:
        self.marking = marking
        self.stable = stable(marking)
        self.name = _ENCODE(self.stable)
        self.rank: tuple[int, int, _Stable] = (len(marking.caveats), len(marking.releasable_to or ()), self.stable)


class _Terms(msgspec.Struct, frozen=True, array_like=True):
    mark: bytes
    confidence: int
    labels: tuple[str, ...]
    withdrawal: int


class Terms:
    """A statement without its times and texts: marking, confidence (-1: not stated), labels, and the code
    of ``Withdrawal`` by which the source ended its assertion, 0 if it asserts.

    ``kept_labels`` are those that are kept if sources are many. ``cut`` is all that a source in a national record
    repeats of them (``SOURCE``), but for its texts.
    """

    __slots__ = ("band", "confidence", "cut", "kept_labels", "labels", "mark", "marking", "withdrawal")

    def __init__(self, code: bytes) -> None:
        found = _READ_TERMS(code)
        self.mark, self.confidence, self.labels, self.withdrawal = (
            found.mark, found.confidence, found.labels, found.withdrawal,
        )  # fmt: skip
        self.marking: Marking = MARKS[found.mark].marking
        self.kept_labels = kept_labels(found.labels)
        self.cut: Cut = _cut(self.marking, found.confidence, found.labels, _Texts("", ()))[:-1]
        self.band: ConfidenceBand = confidence_band(found.confidence)


class _Texts(msgspec.Struct, frozen=True, array_like=True):
    description: str
    context: Context


class Texts:
    """A statement's description and context, and the tearline in it; ``end`` is how they end a source in a national
    record."""

    __slots__ = ("context", "description", "end", "tearline")

    def __init__(self, code: bytes) -> None:
        found = _READ_TEXTS(code) if code else _Texts("", ())
        self.description, self.context = found.description, found.context
        self.end: bytes = _cut(Marking(), -1, (), found)[-1]
        self.tearline = of_context(found.context)


def few_labels(labels: Collection[str]) -> tuple[str, ...]:
    """The first labels, before the first one that has no room: first those that may leave, each kind by name.

    So what may leave does not depend on what stays home.
    """
    found = kept_labels(labels)
    return found if sum(map(len, map(str.encode, found))) <= SHORT_TEXT else found[:-1]


def kept_labels(labels: Collection[str]) -> tuple[str, ...]:
    """The labels that the first ones are found in, with any others: those, and the first one that has no room.

    Without that one, a later label of another part would take its place, and the first ones of all would depend on the
    parts in which the sources are kept.
    """
    if not labels:
        return ()
    ordered = sorted(labels, key=lambda label: (not may_leave(label), label))[:MAX_LABELS]
    room = SHORT_TEXT
    for place, label in enumerate(ordered):
        room -= len(label.encode())
        if room < 0:
            return tuple(ordered[: place + 1])
    return tuple(ordered)


def stable(marking: Marking) -> _Stable:
    """A key to sort markings by, always in the same order."""
    return (
        int(marking.tlp),
        int(marking.pap),
        marking.releasable_to is None,
        marking.releasable_to or (),
        marking.caveats,
    )


def mark_of(marking: Marking) -> bytes:
    """The bytes of a marking: a key of ``MARKS``."""
    return _MARK_CODES[marking]


def code_of_terms(marking: Marking, confidence: int, labels: tuple[str, ...], withdrawal: int) -> bytes:
    """The bytes of these terms: a key of ``TERMS``."""
    return _ENCODE((mark_of(marking), confidence, labels, withdrawal))


def code_of_texts(description: str, context: Context) -> bytes:
    """The bytes of these texts: a key of ``TEXTS``; empty if there are none."""
    return _ENCODE((description, context)) if description or context else b""


def _read_mark(code: bytes) -> Mark:
    tlp, pap, nations, caveats = _READ_MARK(code)
    return Mark(Marking(Tlp(tlp), Pap(pap), nations, caveats))


class _MarkCodes(dict[Marking, bytes]):
    def __missing__(self, marking: Marking) -> bytes:
        if len(self) * _ENTRY_BYTES > KNOWN_BYTES:
            self.clear()
        code = self[marking] = _ENCODE(
            (int(marking.tlp), int(marking.pap), marking.releasable_to, [str(caveat) for caveat in marking.caveats])
        )
        return code


def _cut(marking: Marking, confidence: int, labels: tuple[str, ...], texts: _Texts) -> Cut:
    return SOURCE.cut(
        {
            "marking": marking_record(marking),
            "confidence": confidence,
            "labels": labels,
            "description": texts.description,
            "context": dict(texts.context),
        }
    )


SOURCE: Final = form_of_items(
    INDICATOR, "sources", "sensor", "valid_until_ms", "first_seen_ms", "last_seen_ms", "sightings"
)
_READ_MARK: Final = msgspec.msgpack.Decoder(tuple[int, int, tuple[str, ...] | None, tuple[Caveat, ...]]).decode
_READ_TERMS: Final = msgspec.msgpack.Decoder(_Terms).decode
_READ_TEXTS: Final = msgspec.msgpack.Decoder(_Texts).decode
_MARK_CODES: Final = _MarkCodes()
MARKS: Final = Known(_read_mark)
TERMS: Final = Known(Terms)
TEXTS: Final = Known(Texts)
