"""Takes sightings back when the partner's indicator ends: what the partner has revoked must not live on by ours.

A sighting is our own assertion of the value, with a lifetime of its own, and outputs of both nations act on it. So when
the partner's indicator has expired, or was revoked or recalled, the sensor that reported hits on it withdraws them, as
any source does. The spool knows what was reported (``producers.spool.assertions``): a withdrawal and the note of it are
one commit.
"""

import time
from collections.abc import Callable
from typing import Final

from consumers.picture.entry import Entry
from consumers.picture.shared import Look, Shared
from consumers.subscription.changes import State
from producers.known import unknown_state
from producers.report import MAX_OBSERVATIONS
from producers.sighting import TOOL, scope_for
from producers.snapshot import withdraw
from producers.spool.assertions import Held
from producers.spool.batch import Batch, Sensor
from producers.spool.spool import Spool
from producers.summary import Summary
from schemas.codec import Codec
from schemas.vocabulary import IndicatorType

_WHOLE_EVERY_S: Final = 300.0


class Ends:
    """The sightings of one sensor for one partner, and the last look at the picture. One thread uses it."""

    def __init__(
        self,
        shared: Shared,
        partner: str,
        sensor: Sensor,
        codec: Codec,
        now_ms: Callable[[], int],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared, self._scope, self._sensor = shared, scope_for(partner), sensor
        self._codec, self._now_ms = codec, now_ms
        self._clock_s, self._whole_s = clock_s, clock_s()
        self._looked: Look | None = None
        self._due: set[bytes] = set()  # keys that have changed, and whose hits may not be durable yet

    def look(self, spool: Spool, summary: Summary) -> None:
        """Withdraw the sightings of what has ended since the last look; of everything at the first, and now and then: a
        hit may have been on its way here while the indicator ended.

        Raises TransientError while the picture cannot answer.
        """
        is_whole = self._clock_s() >= self._whole_s
        looked, changed = self._shared.changed(None if is_whole else self._looked)
        if changed is None:
            self._whole_s = self._clock_s() + _WHOLE_EVERY_S
            known = spool.assertions.in_scope(self._scope)
        else:
            self._due |= changed
            known = spool.assertions.of_keys(self._scope, self._due)
        gone = [held for held in known if held.durable and not self._is_live(held.held)]
        self._looked, self._due = looked, {each.held.key for each in known if not each.durable}
        if gone:
            state = unknown_state(f"{TOOL} ended", spool, self._sensor, self._now_ms())
            batch = Batch(state, spool, self._sensor, TOOL, self._codec, self._now_ms, MAX_OBSERVATIONS)
            for step in withdraw([each.held for each in gone], spool, batch):
                summary.add(step)

    def _is_live(self, held: Held) -> bool:
        found = self._shared.indicator(IndicatorType(held.kind), held.value)
        return isinstance(found, Entry) and found.state is State.LIVE
