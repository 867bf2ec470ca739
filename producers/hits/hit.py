"""A hit in a tool's log, and its result: a sighting of the partner's indicator, or a piece left out with a reason.

The tool's record has the value that was seen. Whether the partner's indicator is exchanged at present is asked of the
picture: only it states how the partner has marked the indicator.
"""

import enum
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol

import msgspec

from exchange.metrics.labels import HitFate
from producers.readers.reading import LeftOut, Reading, Seen
from producers.sighting import Theirs, group_for, object_of
from schemas.normalise import Invalid, canonical
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType

NO_HIT: Final = "no-hit"
NO_VALUE: Final = "no-value"
OTHER_ORIGIN: Final = "other-origin"
OTHER_SIDE: Final = "other-side"
_COUNTED: Final = "the hit is reported, by another of its values"


class Unknown(enum.StrEnum):
    """Why a value is no indicator that the partner shares with us now."""

    NOT_EXCHANGED = "not-exchanged"
    ENDED = "ended"


RULES: Final = {
    NO_HIT: "records that are no hit on what this exchange has delivered",
    NO_VALUE: "hits whose record lacks the value that was seen: the tool is set not to log it",
    OTHER_ORIGIN: "hits on what another nation has shared, or this one itself has found",
    OTHER_SIDE: "further values of a hit of which one was counted",
    Unknown.NOT_EXCHANGED.value: "hits on a value that the partner has not shared with us",
    Unknown.ENDED.value: "hits on what the partner has revoked or recalled, or what has expired",
}


FATES: Final = {
    Unknown.NOT_EXCHANGED.value: HitFate.NOT_EXCHANGED,
    Unknown.ENDED.value: HitFate.ENDED,
    OTHER_ORIGIN: HitFate.OTHER_ORIGIN,
    NO_VALUE: HitFate.NO_VALUE,
}
"""The rules that leave a hit out, as the metric names them. The others leave out what is no hit, or no further one."""


class Exchanged(Protocol):
    """The indicators that a partner shares with us now. One thread uses it."""

    def indicator(self, kind: IndicatorType, value: str, /) -> Theirs | Unknown:
        """The partner's indicator of this type and canonical value."""
        ...

    def network(self, address: str, /) -> Theirs | Unknown:
        """The smallest of the partner's networks that holds this address."""
        ...


Report = Callable[[Theirs, int], Observation]
"""Makes the sighting of an indicator at a time in milliseconds since 1970, UTC."""


class Asking(msgspec.Struct, frozen=True):
    """What readers of hits need: the partner, what it shares (opened in the reader's own thread), and the report."""

    partner: str
    exchanged: Callable[[], AbstractContextManager[Exchanged]]
    report: Report


class Hit(msgspec.Struct, frozen=True):
    """One alert: its time, the values of which one was hit, and the addresses of which a network was hit."""

    at_ms: int
    values: tuple[tuple[IndicatorType, str], ...] = ()
    addresses: tuple[str, ...] = ()


def readings_of_hit(place: SourcePlace, hit: Hit, exchanged: Exchanged, asking: Asking) -> Iterator[Reading]:
    """A reading for each value, in their order; the number of them depends on the record alone, not on the picture.

    So a record that is read again after a crash is passed over by its position.
    """
    found = [_known(exchanged, kind, value) for kind, value in hit.values]
    found += [exchanged.network(address) for address in hit.addresses]
    if not found:
        yield LeftOut(place, NO_VALUE)
    is_counted = any(isinstance(each, Theirs) for each in found)
    for each in found:
        if isinstance(each, Theirs):
            observation, group = asking.report(each, hit.at_ms), group_for(asking.partner)
            yield Seen(place, observation, object_id=object_of(each.kind, each.value), group=group)
        else:
            yield LeftOut(place, OTHER_SIDE, _COUNTED) if is_counted else LeftOut(place, each.value)


def _known(exchanged: Exchanged, kind: IndicatorType, value: str) -> Theirs | Unknown:
    spelled = canonical(kind, value)
    return Unknown.NOT_EXCHANGED if isinstance(spelled, Invalid) else exchanged.indicator(*spelled)
