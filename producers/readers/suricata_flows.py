"""The flows that have alerted: how they are marked, and what the files that are seen in them later state.

What is read of a flow's other records is marked as strictly as all of its alerts together, in whatever order they come:
also those that name no indicator. The other statements are those of its latest alert.

Most of what an alert states is the same for all alerts of its rule: it is kept once. Of a flow its two sides are kept,
as bytes and not as objects, so that all of them need 3 MiB.
"""

from collections import deque
from itertools import count
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from producers.markings.marked import NOTHING, Marked, is_caveat, stricter
from producers.readers.reading import Seen
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType

MAX_ALERTED_FLOWS: Final = 16_384
"""Flows whose later ``fileinfo`` records are still taken; a quarter of them, the oldest, is forgotten at once."""
MAX_MARKED_FLOWS: Final = 65_536
"""Flows whose marking is known: longer than their files are taken, so that no file is taken with less of it."""
_MAX_GIVING_FLOWS: Final = 4_096
_MOST_GIVEN: Final = 16
_MOST_WORDS: Final = 4  # that are not understood, of a flow: more would hold no more
_MOST_ORIGINS: Final = 16
_PARTS: Final = 4
_MOST_COMMON: Final = 1_024
_SIDES: Final = frozenset({"source", "destination"})
_FLOW: Final = "flow"
_NOWHERE: Final = SourcePlace("", 0)
_PACK: Final = msgspec.msgpack.Encoder()
_COMMON: Final = msgspec.msgpack.Decoder(Seen)
_OWN: Final = msgspec.msgpack.Decoder(tuple[int, list[str]])

_Kept = TypeVar("_Kept")


class Given(NamedTuple):
    """Values that were read of a flow; ``record`` is the type of a record that accuses no one, empty of an alert."""

    record: str
    values: tuple[tuple[IndicatorType, str], ...]


class _Newest(Generic[_Kept]):
    """What is kept of the flows that were put last, ``most`` at most."""

    def __init__(self, most: int) -> None:
        self._most, self.parts = most, deque[dict[int, _Kept]]([{}], maxlen=_PARTS)

    def __contains__(self, flow_id: int | None) -> bool:
        return any(flow_id in part for part in self.parts)

    def get(self, flow_id: int | None) -> _Kept | None:
        if flow_id:
            for part in self.parts:
                if flow_id in part:
                    return part[flow_id]
        return None

    def put(self, flow_id: int, kept: _Kept) -> None:
        self.parts[0][flow_id] = kept
        if len(self.parts[0]) >= self._most // _PARTS:
            self.parts.appendleft({})


class AlertedFlows:
    """The markings of flows, and the readings of their alerts, without type and value, by the id of the flow."""

    def __init__(self) -> None:
        self._own = _Newest[bytes](MAX_ALERTED_FLOWS)
        self._markings = _Newest[Marked](MAX_MARKED_FLOWS)
        self._given = _Newest[tuple[Given, ...]](_MAX_GIVING_FLOWS)
        self._common: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._unused = count()
        self._most_common = _MOST_COMMON

    def __contains__(self, flow_id: int | None) -> bool:
        return flow_id in self._own

    def marked(self, flow_id: int | None) -> Marked:
        """What all alerts of this flow so far state about sharing."""
        return self._markings.get(flow_id) or NOTHING

    def mark(self, flow_id: int | None, stated: Marked) -> tuple[Marked, tuple[Given, ...]]:
        """Join what an alert states about sharing: the flow's marking now, and the values given under a looser one."""
        before = self._markings.get(flow_id)
        if not flow_id or (before is None and not stated.origins):
            return stated, ()
        after = _together(before or NOTHING, stated)
        self._markings.put(flow_id, after)
        is_stricter = before is None or after.marking != before.marking
        return after, (self._given.get(flow_id) or ()) if is_stricter else ()

    def gave(self, flow_id: int | None, given: Given) -> None:
        """Note values that were read of a flow: the last of them are given again if a later alert is stricter."""
        if flow_id and given.values:
            before = self._given.get(flow_id)
            if before is None:
                self._given.put(flow_id, (given,))
            elif given not in before:
                self._given.put(flow_id, (*before[1 - _MOST_GIVEN :], given))

    def add(self, flow_id: int, template: Seen) -> None:
        """Keep what an alert of this flow states, in place of what an earlier one did."""
        context = template.observation.context
        sides = [fact for name, fact in context if name in _SIDES]
        common = tuple([(name, "" if name in _SIDES or name == _FLOW else fact) for name, fact in context])
        observation = msgspec.structs.replace(template.observation, context=common, first_seen_ms=0, last_seen_ms=0)
        number = self._number(_PACK.encode(Seen(_NOWHERE, observation, template.marking_from)))
        self._own.put(flow_id, _PACK.encode((number, sides)))
        if len(self._common) > self._most_common:  # also of one flow that alerts again and again
            self._forget()

    def template(self, flow_id: int | None) -> Seen | None:
        """What the flow's latest alert states, without times and place; ``None`` if it did not alert.

        Its marking is that of all of the flow's alerts.
        """
        own = self._own.get(flow_id)
        if own is None:
            return None
        number, facts = _OWN.decode(own)
        found, sides = _COMMON.decode(self._common[number]), iter(facts)
        context = tuple(
            (name, next(sides) if name in _SIDES else str(flow_id) if name == _FLOW else fact)
            for name, fact in found.observation.context
        )
        marked = _together(self.marked(flow_id), Marked(found.observation.marking, found.marking_from))
        observation = msgspec.structs.replace(found.observation, context=context, marking=marked.marking)
        return Seen(found.place, observation, marked.origins)

    def _number(self, common: bytes) -> int:
        number = self._numbers.get(common)
        if number is None:
            number = self._numbers[common] = next(self._unused)
            self._common[number] = common
        return number

    def _forget(self) -> None:
        """Forget what is common to no flow any more."""
        used = {_OWN.decode(own)[0] for part in self._own.parts for own in part.values()}
        self._common = {number: common for number, common in self._common.items() if number in used}
        self._numbers = {common: number for number, common in self._common.items()}
        self._most_common = max(_MOST_COMMON, 2 * len(self._common))


def _together(one: Marked, other: Marked) -> Marked:
    """Both markings and their origins; of words that are not understood the first ones."""
    if one is NOTHING or one == other:
        return Marked(other.marking, other.origins)
    marking = stricter(one.marking, other.marking)
    unknown = [word for word in marking.caveats if not is_caveat(word)]
    if len(unknown) > _MOST_WORDS:
        left_out = set(unknown[_MOST_WORDS:])
        marking = msgspec.structs.replace(
            marking, caveats=tuple(word for word in marking.caveats if word not in left_out)
        )
    return Marked(marking, tuple(dict.fromkeys((*one.origins, *other.origins)))[:_MOST_ORIGINS])
