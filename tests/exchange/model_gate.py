"""Where an owner of a shard stops in the model, and what the world may do there."""

from collections.abc import Callable
from enum import Enum


class Fate(Enum):
    """What the world does at a gate. A gate that does not know a fate lets pass."""

    FINE = "it goes well"
    ABORT = "the transaction is aborted"
    LOST = "the request to commit is lost"
    REPLY_LOST = "it is committed, but the answer is lost"
    LATE = "the request to commit is late, and the client gives up"
    UNPLACED = "it is committed, but where its rows are is not told"
    HALF = "half of it is written, and the client gives up"
    BUSY = "it is another shard's turn to be computed"


class Gate(Enum):
    """Where an owner stops: before, or after, each thing that changes or asks the world."""

    FENCE = "fence"
    FENCED = "fenced"
    OPEN = "open"
    READ = "read"
    APPLY = "apply"
    POLL = "poll"
    TURN = "turn"
    HOME = "home"
    APPEND = "append"
    END = "end"
    COMMITTED = "committed"


class Crash(BaseException):
    """The process is gone: no one catches this."""


Stop = Callable[[Gate], Fate]
"""Called by the owner: wait at the gate, and learn what is to happen."""
