"""What may happen to a shard's world, and the moves of its owners: what ``test_shard_laws`` draws from."""

from enum import Enum

from hypothesis import strategies as st

from exchange.protocol.record import Input
from tests.exchange.model_gate import Fate, Gate
from tests.exchange.model_parts import INPUTS

DISKS = 3


class World(Enum):
    """What may happen without anyone's doing."""

    MARKER = "a partition learns of the decision on a transaction"
    LATE = "commits arrive whose clients have given up"
    TIMEOUT = "the broker ends a transaction that is open for too long"
    CLOCK_AHEAD = "the workers' clock jumps"
    CLOCK_RIGHT = "the workers' clock is right"
    CLOCK_BEHIND = "the workers' clock jumps back"
    COMPACTION = "compaction"
    COMPACTION_A_DAY_LATER = "compaction that forgets tombstones"


class End(Enum):
    """How an owner ends."""

    CRASH = "kill -9"
    CRASH_WITH_DISK = "its machine is gone"
    STOP = "stopped in good order"


Report = tuple[Input, list[bytes], bytes, bool]

WHICH = st.integers(0, DISKS - 1)
GATE = st.sampled_from([Gate.END] * 5 + [Gate.POLL, Gate.COMMITTED, Gate.APPLY, Gate.READ] * 2 + list(Gate))
FATE = st.sampled_from([*[Fate.FINE] * 3, *Fate])
REPORT = st.tuples(
    st.sampled_from(INPUTS),
    st.lists(st.sampled_from([b"a", b"b"]), min_size=1, max_size=4),
    st.sampled_from([b"+0", b"+5", b"+50", b"-", b"-", b"!"]),
    st.sampled_from([True, True, True, False]),
)
REPORTS = st.lists(REPORT, min_size=1, max_size=3)
Move = tuple[int, Gate, Fate, Report]
WORK = st.lists(st.tuples(WHICH, GATE, FATE, REPORT), max_size=10)
