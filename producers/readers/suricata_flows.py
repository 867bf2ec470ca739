"""The flows that have alerted, because the files that are seen in them later are the threat's, too.

Most of what an alert states is the same for all alerts of its rule: it is kept once. Of a flow its two sides are kept,
as bytes and not as objects, so that all of them need 3 MiB.
"""

from collections import deque
from itertools import count
from typing import Final

import msgspec

from producers.readers.reading import Seen
from schemas.observation import SourcePlace

MAX_ALERTED_FLOWS: Final = 16_384
"""Flows whose later ``fileinfo`` records are still taken; a quarter of them, the oldest, is forgotten at once."""
_PARTS: Final = 4
_MOST_COMMON: Final = 1_024
_SIDES: Final = frozenset({"source", "destination"})
_FLOW: Final = "flow"
_NOWHERE: Final = SourcePlace("", 0)
_PACK: Final = msgspec.msgpack.Encoder()
_COMMON: Final = msgspec.msgpack.Decoder(Seen)
_OWN: Final = msgspec.msgpack.Decoder(tuple[int, list[str]])


class AlertedFlows:
    """The readings of the alerts, without type and value, by the id of their flow."""

    def __init__(self) -> None:
        self._own: deque[dict[int, bytes]] = deque([{}], maxlen=_PARTS)  # the newest first
        self._common: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._unused = count()
        self._most_common = _MOST_COMMON

    def __contains__(self, flow_id: int | None) -> bool:
        return any(flow_id in part for part in self._own)

    def add(self, flow_id: int, template: Seen) -> None:
        """Keep what an alert of this flow states, in place of what an earlier one did."""
        context = template.observation.context
        sides = [fact for name, fact in context if name in _SIDES]
        common = tuple([(name, "" if name in _SIDES or name == _FLOW else fact) for name, fact in context])
        observation = msgspec.structs.replace(template.observation, context=common, first_seen_ms=0, last_seen_ms=0)
        number = self._number(_PACK.encode(Seen(_NOWHERE, observation, template.marking_from)))
        self._own[0][flow_id] = _PACK.encode((number, sides))
        if len(self._own[0]) >= MAX_ALERTED_FLOWS // _PARTS:
            self._own.appendleft({})
        if len(self._common) > self._most_common:  # also of one flow that alerts again and again
            self._forget()

    def template(self, flow_id: int | None) -> Seen | None:
        """What the flow's latest alert states, without times and place; ``None`` if it did not alert."""
        own = next((part[flow_id] for part in self._own if flow_id in part), None) if flow_id else None
        if own is None:
            return None
        number, facts = _OWN.decode(own)
        found, sides = _COMMON.decode(self._common[number]), iter(facts)
        context = tuple(
            (name, next(sides) if name in _SIDES else str(flow_id) if name == _FLOW else fact)
            for name, fact in found.observation.context
        )
        return Seen(found.place, msgspec.structs.replace(found.observation, context=context), found.marking_from)

    def _number(self, common: bytes) -> int:
        number = self._numbers.get(common)
        if number is None:
            number = self._numbers[common] = next(self._unused)
            self._common[number] = common
        return number

    def _forget(self) -> None:
        """Forget what is common to no flow any more."""
        used = {_OWN.decode(own)[0] for part in self._own for own in part.values()}
        self._common = {number: common for number, common in self._common.items() if number in used}
        self._numbers = {common: number for number, common in self._common.items()}
        self._most_common = max(_MOST_COMMON, 2 * len(self._common))
