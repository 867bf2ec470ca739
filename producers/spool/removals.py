"""Withdraws what a complete reading does not name any more, unless suddenly most of it is missing.

An error page or a cut download must not end what a source asserts. If more than half is missing, nothing is withdrawn
before a person agrees.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from producers.spool.assertions import Assertions, Held
from producers.spool.batch import Kept, Step
from producers.spool.taker import Taker
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType, Withdrawal

_MOST: Final = 0.5


def kept(gone: int, named: int, *, agreed: bool) -> Kept | None:
    """Why nothing is withdrawn, if so: of the values before, ``gone`` are missing and ``named`` are there."""
    if agreed or gone <= _MOST * (gone + named):
        return None
    return Kept(gone, gone + named, "more than half of them are missing")


def ended(gone: Iterable[Held], at_ms: int | None, assertions: Assertions, batch: Taker) -> Iterator[Step]:
    """End these assertions, at the time of the version that lacks them; withdraw what no other object asserts.

    Room is made before an assertion ends, so that both are committed together: what a crash leaves is found again.
    """
    for held in gone:
        ending = Observation(IndicatorType(held.kind), held.value, withdrawal=Withdrawal.REMOVED)
        yield from batch.room_for(ending, of_reading=False)
        if assertions.end(held if at_ms is None else msgspec.structs.replace(held, modified_ms=at_ms)):
            yield from batch.add(ending, of_reading=False)
