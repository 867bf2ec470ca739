"""Measures the processor time of a piece of code by sampling its stack, so that no part is slowed down more.

A profiler that hooks every call makes small functions look expensive, and stages that are timed by hand must be kept
in step with the code. Here the kernel's profiling timer (``ITIMER_PROF``) interrupts the main thread every
millisecond of processor time, and the innermost frame of this project states whose time it was.
"""

import ast
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

_ROOT: Final = str(Path(__file__).resolve().parent.parent) + "/"
_EVERY_S: Final = 0.001
_OURS: Final = ("schemas/", "streams/", "exchange/", "consumers/")
_CODEC: Final = "schemas/codec.py"


@dataclass(slots=True)
class Samples:
    """Processor time by (file, function); a codec's time is its caller's, marked so."""

    seconds: float = 0.0
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)

    def share_us(self, per: int) -> dict[tuple[str, str], float]:
        """Microseconds of each place for one of ``per`` things; together they are all of the time."""
        total = sum(self.hits.values()) or 1
        return {place: count / total * self.seconds / per * 1e6 for place, count in self.hits.items()}

    def hit(self, _number: int, frame: FrameType | None) -> None:
        """A signal handler: one more sample of where the main thread is."""
        self.hits[place_of(frame)] += 1


def place_of(frame: FrameType | None) -> tuple[str, str]:
    """The innermost frame of this project: its file and function; of a codec, its caller's with what it did."""
    done = ""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_ROOT):
            name = path[len(_ROOT) :]
            if name == _CODEC:
                done = done or f" → {frame.f_code.co_name}"
            elif name.startswith(_OURS):
                return name, _plain(frame.f_code.co_qualname) + done
        frame = frame.f_back
    return "elsewhere", ""


def _plain(name: str) -> str:
    """Without the comprehension or inner function of the line."""
    return name.partition(".<locals>")[0]


@contextmanager
def sampling(samples: Samples) -> Iterator[None]:
    """Add the block's processor time to ``samples``. Main thread only."""
    before = signal.signal(signal.SIGPROF, samples.hit)
    began = time.thread_time()
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        samples.seconds += time.thread_time() - began
        signal.signal(signal.SIGPROF, before)


def grouped(shares: Mapping[tuple[str, str], float], groups: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    """The shares by group: a place belongs to the first group that names its file or ``file:function``."""
    totals = dict.fromkeys((*groups, "other"), 0.0)
    for (file, function), share in shares.items():
        places = (f"{file}:{function}", file)
        found = next((group for group, names in groups.items() if any(_names(name, places) for name in names)), "other")
        totals[found] += share
    return totals


def unknown(groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names in these groups that no file or function of this project has: their time would go to another group."""
    return [name for names in groups.values() for name in names if not _is_known(name)]


def _is_known(name: str) -> bool:
    path, _, rest = name.partition(":")
    if path.endswith("*"):
        return any(Path(_ROOT).glob(f"{path}.py"))
    if not (Path(_ROOT) / path).is_file():
        return False
    function, _, done = rest.partition(" → ")
    if done and done not in _functions(_CODEC, "Codec"):
        return False
    known = _functions(path)
    return not rest or (
        any(each.startswith(function[:-1]) for each in known) if function[-1] == "*" else function in known
    )


@cache
def _functions(path: str, within: str = "") -> frozenset[str]:
    """The functions and methods of a file, by their qualified names; or of a class in it, by their own."""
    tree = ast.parse((Path(_ROOT) / path).read_text("utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            found |= methods if node.name == within else {f"{node.name}.{method}" for method in methods}
    return frozenset(found)


def _names(name: str, places: tuple[str, str]) -> bool:
    return name in places or (name.endswith("*") and any(place.startswith(name[:-1]) for place in places))
