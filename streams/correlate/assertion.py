"""What one sensor asserts about one indicator: its latest statement, and counts per marking.

The latest statement is the one with the highest (epoch, sequence), so it does not depend on the order in which reports
arrive. Counts and times are kept under the marking they came with and are released only under the stricter of that
and the current one: a source that tightens its marking tightens its past with it.

All of it is bounded, by rules that give the same result in every order (docs/adr/0038).
"""

from collections.abc import Collection
from typing import Final

import msgspec

from schemas.markings import Marking, joined
from schemas.tearline import TEARLINE, of_context

MAX_SIGHTINGS: Final = 1 << 62  # counts saturate here: an Avro long must hold them for ever
MAX_LABELS: Final = 64
MAX_TALLIES: Final = 8
UNKNOWN_EPOCH: Final = -(1 << 63)  # of a statement that was rebuilt: every report's is later
_NO_EPOCH: Final = 1 << 63
FEW_LABELS: Final = 16
FEW_BYTES: Final = 512  # of labels, of a source that is not kept in full
SHORT_TEXT: Final = 1024  # characters of a description, of a context, and bytes of labels, where sources are many


class Tally(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How often and when seen, under one marking. Times are milliseconds since 1970, UTC."""

    marking: Marking
    count: int
    first_seen_ms: int
    last_seen_ms: int

    def plus(self, other: "Tally") -> "Tally":
        """Both together, under this one's marking: they have the same, or it does not matter."""
        return Tally(
            self.marking,
            min(self.count + other.count, MAX_SIGHTINGS),
            min(self.first_seen_ms, other.first_seen_ms),
            max(self.last_seen_ms, other.last_seen_ms),
        )

    def mixed_with(self, other: "Tally") -> "Tally":
        """Both together, under the join of their markings."""
        return msgspec.structs.replace(self.plus(other), marking=self.marking.join(other.marking))


class Statement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a sensor states about an indicator in one report. Confidence -1 and ``valid_until_ms`` 0: not stated.

    ``appended_ms`` is when the broker appended the report: the one time here that no sensor's clock can bend.
    ``withdrawal`` is the code of ``schemas.vocabulary.Withdrawal`` by which the source ended its assertion, 0 if it
    asserts. ``authenticated`` means that the report was signed by its sensor's key.
    """

    epoch: int
    sequence: int
    appended_ms: int
    marking: Marking
    confidence: int = -1
    valid_until_ms: int = 0
    labels: tuple[str, ...] = ()
    description: str = ""
    context: tuple[tuple[str, str], ...] = ()
    withdrawal: int = 0
    authenticated: bool = False

    def merge(self, other: "Statement") -> "Statement":
        """The later of the two. Statements of one report are joined: it may have been redriven in parts.

        Of the labels the first ones by name are kept, of the contexts the one with the greater tearline, which is the
        same in every order, and whether they were shortened before or are after.
        """
        mine, its = (self.epoch, self.sequence), (other.epoch, other.sequence)
        if mine != its:
            return self if mine > its else other
        if self == other:
            return self
        return Statement(
            self.epoch,
            self.sequence,
            max(self.appended_ms, other.appended_ms),
            self.marking.join(other.marking),
            max(self.confidence, other.confidence),
            max(self.valid_until_ms, other.valid_until_ms),
            tuple(sorted({*self.labels, *other.labels})[:MAX_LABELS]),
            max(self.description, other.description),
            max(self.context, other.context, key=lambda context: (of_context(context), context)),
            min(self.withdrawal, other.withdrawal),
            self.authenticated and other.authenticated,
        )

    @property
    def shortened(self) -> "Statement":
        """This with short texts; a tearline is kept whole, since a part of it may state the opposite."""
        if len(self.description) <= SHORT_TEXT and not self.context and not self.labels:
            return self
        return msgspec.structs.replace(
            self,
            labels=_first(self.labels, MAX_LABELS, SHORT_TEXT),
            description=self.description[:SHORT_TEXT],
            context=_short(self.context),
        )


class Assertion(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that one sensor asserts. ``tallies`` are sorted by marking, one for each; none if all it did was withdraw.

    At most ``MAX_TALLIES`` are kept, those with the plainest markings; ``rest`` is the sum of all others under the join
    of their markings. A marking that is once in the rest stays there, since only plainer ones take a place.

    Anyone who may write reports can use a sensor's name with a newer epoch. So a latest statement that is not
    authenticated, and that is not of the source's first epoch or follows authenticated ones, has at least every
    marking that the source has ever stated (docs/adr/0043). ``first_epoch`` is None if it is the latest statement's;
    ``signed`` means that a statement was authenticated.
    """

    sensor: str
    latest: Statement
    tallies: tuple[Tally, ...]
    rest: Tally | None = None
    first_epoch: int | None = None
    signed: bool = False

    def merge(self, other: "Assertion") -> "Assertion":
        """Both together, in either order. Each report must be merged in once: intake sees to that."""
        latest = self.latest.merge(other.latest)
        if len(self.tallies) == 1 and len(other.tallies) == 1 and self.tallies[0].marking == other.tallies[0].marking:
            both = Assertion(self.sensor, latest, (self.tallies[0].plus(other.tallies[0]),))
        else:
            tallies = {tally.marking: tally for tally in self.tallies}
            for tally in other.tallies:
                known = tallies.get(tally.marking)
                tallies[tally.marking] = tally if known is None else known.plus(tally)
            both = _bounded(self.sensor, latest, tallies.values(), _both(self.rest, other.rest))
        first_epoch = min(_first_epoch(self), _first_epoch(other))
        signed = self.signed or self.latest.authenticated or other.signed or other.latest.authenticated
        return both if first_epoch >= latest.epoch and not signed else _vouched(both, first_epoch, signed=signed)

    @property
    def bounded(self) -> "Assertion":
        """This within ``MAX_TALLIES``: an older release kept all."""
        if len(self.tallies) <= MAX_TALLIES:
            return self
        bounded = _bounded(self.sensor, self.latest, self.tallies, self.rest)
        return msgspec.structs.replace(bounded, first_epoch=self.first_epoch, signed=self.signed)

    @property
    def shortened(self) -> "Assertion":
        """This with short texts, as it is kept where sources are many."""
        return msgspec.structs.replace(self, latest=self.latest.shortened)

    @property
    def slim(self) -> "Assertion":
        """This without its sensor's name and texts, and with few labels, as a source beyond the first ones is kept."""
        latest = msgspec.structs.replace(self.latest, labels=few_labels(self.latest.labels), description="", context=())
        return msgspec.structs.replace(self, sensor="", latest=latest)

    @property
    def pieces(self) -> tuple[Tally, ...]:
        """All tallies, the rest last."""
        return self.tallies if self.rest is None else (*self.tallies, self.rest)

    @property
    def total(self) -> Tally:
        """How often and when seen under any marking.

        A source that has only withdrawn has seen nothing: 0 times, at the time of its report.
        """
        if not self.tallies:
            return Tally(self.latest.marking, 0, self.latest.appended_ms, self.latest.appended_ms)
        first, *others = self.pieces
        for tally in others:
            first = first.plus(tally)
        return first

    @property
    def count(self) -> int:
        """How often seen."""
        return self.total.count

    @property
    def first_seen_ms(self) -> int:
        """First time seen."""
        return self.total.first_seen_ms

    @property
    def last_seen_ms(self) -> int:
        """Last time seen."""
        return self.total.last_seen_ms


def stable(marking: Marking) -> tuple[int, int, bool, tuple[str, ...], tuple[str, ...]]:
    """A key to sort markings by, always in the same order."""
    return (
        int(marking.tlp),
        int(marking.pap),
        marking.releasable_to is None,
        marking.releasable_to or (),
        marking.caveats,
    )


def rank(marking: Marking) -> tuple[object, ...]:
    """A key to sort markings by, the plainest first: those with few caveats, then those with few recipients named."""
    return len(marking.caveats), len(marking.releasable_to or ()), stable(marking)


def few_labels(labels: Collection[str]) -> tuple[str, ...]:
    """The first ones by name, in few bytes."""
    return _first(tuple(sorted(labels)), FEW_LABELS, FEW_BYTES) if labels else ()


def _first(labels: tuple[str, ...], most: int, room: int) -> tuple[str, ...]:
    """The first of these labels, before the first one that has no room."""
    for place, label in enumerate(labels[:most]):
        room -= len(label.encode())
        if room < 0:
            return labels[:place]
    return labels[:most]


def _short(context: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The first ``SHORT_TEXT`` characters of the entries, and the tearline."""
    room, kept, cut = SHORT_TEXT, [], False
    for name, text in context:
        if name == TEARLINE:
            kept.append((name, text))
        elif not cut:
            kept.append((name[:room], text[: max(0, room - len(name))]))
            room -= len(name) + len(text)
            cut = room <= 0
    return tuple(kept)


def _both(one: Tally | None, other: Tally | None) -> Tally | None:
    if one is None or other is None:
        return one or other
    return one.mixed_with(other)


def _bounded(sensor: str, latest: Statement, tallies: Collection[Tally], rest: Tally | None) -> Assertion:
    """An assertion of these tallies: if they are too many, the plainest are kept, and the others join the rest."""
    kept = list(tallies)
    if len(kept) > MAX_TALLIES or rest is not None:
        kept.sort(key=lambda tally: rank(tally.marking))
        for tally in kept[MAX_TALLIES:]:
            rest = tally if rest is None else rest.mixed_with(tally)
        kept = kept[:MAX_TALLIES]
    return Assertion(sensor, latest, tuple(sorted(kept, key=lambda tally: stable(tally.marking))), rest)


def _first_epoch(assertion: Assertion) -> int:
    """The source's first epoch; later than all if it is not known."""
    epoch = assertion.latest.epoch if assertion.first_epoch is None else assertion.first_epoch
    return _NO_EPOCH if epoch == UNKNOWN_EPOCH else epoch


def _vouched(assertion: Assertion, first_epoch: int, *, signed: bool) -> Assertion:
    """The assertion with what is known of all of its source's statements: a marking that no one vouches for is not
    looser than any of theirs."""
    latest, pieces = assertion.latest, assertion.pieces
    is_first = first_epoch >= latest.epoch
    if not latest.authenticated and (signed or not is_first):
        marking = joined((latest.marking, *(tally.marking for tally in pieces)))
        latest = msgspec.structs.replace(latest, marking=marking)
    known = None if is_first else first_epoch
    return Assertion(assertion.sensor, latest, assertion.tallies, assertion.rest, known, signed)
