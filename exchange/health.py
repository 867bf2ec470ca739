"""Whether a process lives and whether it is ready, as functions of its shards; who asks and how is elsewhere.

*Live* asks for a restart when the answer is no, so it is no only if a restart helps: a thread that no longer
turns. *Ready* lets a roll-out continue, so it is no until every shard of this process works and every cluster that it
needs answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exchange.protocol.shard import Phase

_SHOULD_TURN: Final = frozenset({Phase.NEW, Phase.RESTORING, Phase.RUNNING, Phase.WAITING})


@dataclass(frozen=True, slots=True)
class Pulse:
    """One shard as its owner last saw it. ``turned_at_ms``: when it last ended a turn or a portion of a restore."""

    phase: Phase
    turned_at_ms: int


@dataclass(frozen=True, slots=True)
class Health:
    """Yes or no, and why in words for a person; ``why`` names steps and shards, never an indicator."""

    ok: bool
    why: str


def liveness(shards: Mapping[tuple[str, int], Pulse], now_ms: int, stalled_after_ms: int) -> Health:
    """No if a shard that should turn has not for ``stalled_after_ms``.

    A fenced or closed shard does not turn and is no reason for a restart: a new assignment may come. A process
    without shards lives. Both times are of the same clock.
    """
    stalled = [
        f"{_name(key)} has not turned for {(now_ms - pulse.turned_at_ms) // 1000} s while {_word(pulse.phase)}"
        for key, pulse in sorted(shards.items())
        if pulse.phase in _SHOULD_TURN and now_ms - pulse.turned_at_ms > stalled_after_ms
    ]
    return Health(not stalled, "; ".join(stalled) or "every shard turns")


def readiness(shards: Mapping[tuple[str, int], Pulse], *, assigned: bool) -> Health:
    """Yes once an assignment has come (``assigned``) and every shard of it runs.

    An assignment without shards is one too: a worker that is spare must not stop a roll-out. Closed shards have
    been given back and are not waited for.
    """
    if not assigned:
        return Health(False, "no assignment has come yet")
    waiting = [
        f"{_name(key)} is {_word(pulse.phase)}"
        for key, pulse in sorted(shards.items())
        if pulse.phase not in (Phase.RUNNING, Phase.CLOSED)
    ]
    return Health(not waiting, "; ".join(waiting) or "every shard runs")


def reach(silent_s: Mapping[str, float], limit_s: float) -> Health:
    """No if a cluster has not answered for longer than ``limit_s``; ``silent_s`` is by nation."""
    silent = [
        f"{nation}'s Kafka has not answered for {seconds:.0f} s"
        for nation, seconds in sorted(silent_s.items())
        if seconds > limit_s
    ]
    return Health(not silent, "; ".join(silent) or "every cluster answers")


def all_of(*parts: Health) -> Health:
    """Yes if all are; otherwise why not, of each that is not."""
    wrong = [each.why for each in parts if not each.ok]
    return Health(not wrong, "; ".join(wrong) or "; ".join(each.why for each in parts))


def _name(key: tuple[str, int]) -> str:
    step, shard = key
    return f"{step} shard {shard}"


def _word(phase: Phase) -> str:
    return phase.name.lower()
