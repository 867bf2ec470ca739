"""What a call costs, measured in a process that does nothing else.

Not in the test process: ``tracemalloc.stop`` may crash it while another thread allocates (CPython gh-128679), and the
threads of other tests do.
"""

import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import NamedTuple, TypeVar, TypeVarTuple

Given = TypeVarTuple("Given")
Answer = TypeVar("Answer")


class Cost(NamedTuple):
    """Seconds of processor, and bytes of memory at the highest."""

    seconds: float
    memory: int


def alone(call: Callable[[*Given], Answer], *given: *Given) -> tuple[Answer, Cost]:
    """The answer of an importable function, and what it cost."""
    return _process().submit(_measured, partial(call, *given)).result()


@cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


def _measured(call: Callable[[], Answer]) -> tuple[Answer, Cost]:
    tracemalloc.start()
    try:
        began = time.process_time()
        answer = call()
        return answer, Cost(time.process_time() - began, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
