"""Which rows a batch looks at without a record of theirs, and how many.

What has come goes before what repeats it: a feed that was loaded in a minute is rolled up a minute later, perhaps
beside the next feed. So a batch of records takes few due rows, until they have waited for ``PATIENCE_S``.
"""

from collections.abc import Sequence
from typing import Any, Final

from exchange.protocol.rows import NO_ROWS, State
from exchange.protocol.step import Step
from exchange.protocol.turns import SMALL_ITEMS

LOOK_S: Final = 1.0  # behind its time, a due row of an idle shard waits no longer
PATIENCE_S: Final = 15.0
BESIDE: Final = 128  # due rows in a batch of records
ALONE: Final = 512  # so a record that comes meanwhile is little later
LATE: Final = 2_000
ENOUGH: Final = SMALL_ITEMS + 1  # to see that a batch is not small: it may look for its turn many times


def limit(state: State | None, now_ms: int, *, beside_records: bool) -> int:
    """How many due rows the next batch may have."""
    if state is not None and now_ms - state.due_from_ms > PATIENCE_S * 1000:
        return LATE
    return BESIDE if beside_records else ALONE


def keys(step: Step[Any], state: State | None, now_ms: int, most: int) -> Sequence[bytes]:
    """The rows to look at: those that the step asks for, and at most ``most`` of those whose time has come."""
    due = [] if state is None else state.due(now_ms, most)
    woken = step.wakes(state or NO_ROWS, now_ms)
    return [*woken, *(key for key in due if key not in woken)] if woken else due
