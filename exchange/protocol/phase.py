"""Where a shard is in its life."""

from enum import Enum


class Phase(Enum):
    """Where a shard is in its life."""

    NEW = 0
    RESTORING = 1
    RUNNING = 2
    FENCED = 3
    CLOSED = 4
    WAITING = 5
