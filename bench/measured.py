"""Runs one part after the other, each within its bound: a failure or hang costs a part, never the run."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from bench import results
from bench.parts import Parts
from bench.plan import Plan
from bench.show import show
from exchange.errors import NotFound

_LEAST_S: Final = 60.0  # a part is not begun with less left


class OutOfTime(Exception):
    """A part has taken longer than it may."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in the main thread if the block takes longer."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"not done within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measured(plan: Plan, parts: Parts, total_s: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part's section as soon as it is measured, within ``total_s`` for all. ``void`` of a section states why there
    is none: the part has failed, was stopped, or had no time left. One that cannot be installed here is left out."""
    ends = time.monotonic() + total_s
    for part in plan.parts:
        began = time.monotonic()
        bound_s = min(plan.bound_s(part), ends - began)
        if bound_s < _LEAST_S:
            yield part, {"void": "no time was left for it"}
            continue
        show(f"{part} …")
        try:
            with within(bound_s):
                data = parts.measure(part)
        except NotFound as error:
            show(f"{part}: left out: {error}")
            continue
        except Exception as error:  # whatever it is, the other parts are measured
            parts.close()
            show(f"{part}: FAILED after {time.monotonic() - began:.0f} s: {type(error).__name__}: {error}")
            yield part, {"void": f"{type(error).__name__}: {error}"}
            continue
        show(f"{part}: done in {time.monotonic() - began:.0f} s")
        yield part, results.section(f"python -m bench --only {part}", plan.seed, data)
