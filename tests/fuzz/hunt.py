"""Drives the targets in a process of its own, and watches it: a crash, a hang and a case that eats memory are findings.

The process that watches knows by a pipe which case is under way, so it can name the case that never came back.
"""

import multiprocessing
import resource
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from tests.fuzz.targets import Target, case, targets

HANG_S: Final = 60.0
MEMORY_BYTES: Final = 512 << 20
"""What any one case may take beside what the process held before it."""
_ALL_MEMORY_BYTES: Final = 2 << 30
_SHOWN: Final = 4

Targets = Callable[[], Sequence[Target]]


class Began(msgspec.Struct, frozen=True):
    """A case is under way. ``place`` is where its number stands among the numbers, and its target among the targets."""

    target: str
    number: int
    place: tuple[int, int]


class Ended(msgspec.Struct, frozen=True):
    """It came back: with its fates, or with what was wrong."""

    fates: dict[str, int]
    wrong: str
    seconds: float
    grown: int
    cases: int


class Finding(msgspec.Struct, frozen=True):
    """What must not be, and the case that shows it again."""

    target: str
    number: int
    wrong: str


@dataclass(slots=True)
class Tally:
    """What was tried at one target."""

    cases: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    grown: int = 0


@dataclass(slots=True)
class Found:
    """What came of a hunt."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def every_target() -> list[Target]:
    """The targets, as a process of its own can find them."""
    return list(targets())


def hunt(
    seed: int,
    numbers: range,
    *,
    ends: float = float("inf"),
    of: Targets = every_target,
    hang_s: float = HANG_S,
    memory: int = MEMORY_BYTES,
) -> Found:
    """The cases of these numbers at every target, as far as one comes until ``ends`` (monotonic seconds)."""
    found = Found()
    at: tuple[int, int] | None = (0, 0)
    while at is not None and monotonic() < ends:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, seed, numbers, at, of, memory), daemon=True
        )
        process.start()
        theirs.close()
        try:
            at = _watched(process, ours, found, ends, hang_s)
        finally:
            process.kill()
            process.join()
            ours.close()
    return found


def _watched(
    process: BaseProcess, pipe: Connection, found: Found, ends: float, hang_s: float
) -> tuple[int, int] | None:
    """Until all is done or time is up (None), or until the process is lost: then the next case for another process."""
    under_way: Began | None = None
    while monotonic() < ends:
        if pipe.poll(hang_s if under_way else HANG_S):  # to start and import is no case
            try:
                reported = pipe.recv()
            except EOFError:
                process.join()
                wrong = f"took the process with it (exit {process.exitcode})"
            else:
                if reported is None:
                    return None
                if isinstance(reported, Began):
                    under_way = reported
                else:
                    assert under_way is not None
                    _add(found, under_way, reported)
                continue
        else:
            wrong = f"did not come back within {hang_s:g} s"
        if under_way is None:
            raise RuntimeError(f"The process that tries the cases did not begin: {wrong}")
        found.findings.append(_finding(under_way, wrong))
        place, target = under_way.place
        return place, target + 1
    return None


def _finding(case_: Began, wrong: str) -> Finding:
    return Finding(case_.target, case_.number, wrong)


def _add(found: Found, case_: Began, ended: Ended) -> None:
    tally = found.tallies.setdefault(case_.target, Tally())
    tally.cases += ended.cases
    tally.fates.update(ended.fates)
    tally.slowest_s = max(tally.slowest_s, ended.seconds)
    tally.grown = max(tally.grown, ended.grown)
    if ended.wrong:
        found.findings.append(_finding(case_, ended.wrong))


def _work(pipe: Connection, seed: int, numbers: range, at: tuple[int, int], of: Targets, memory: int) -> None:
    """In the process: number by number, target by target."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (_ALL_MEMORY_BYTES, _ALL_MEMORY_BYTES))
    all_targets, (first, skipped) = of(), at
    for place, number in enumerate(numbers[first:], first):
        for index, target in enumerate(all_targets[skipped:], skipped):
            pipe.send(Began(target.name, number, (place, index)))
            pipe.send(_tried(target, case(target, seed, number), memory))
        skipped = 0
    pipe.send(None)


def _tried(target: Target, data: bytes, memory: int) -> Ended:
    began, held, wrong, fates = monotonic(), _peak(forget=True), "", Counter[str]()
    try:
        fates = target.take(data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in native code is no Exception to Python
        where = traceback.extract_tb(error.__traceback__)[-_SHOWN:]
        steps = " < ".join(f"{step.name} {step.filename.rpartition('/')[2]}:{step.lineno}" for step in reversed(where))
        wrong = f"{type(error).__name__}: {str(error)[:300]} ({steps})"
    grown = _peak() - held
    if grown > memory and not wrong:
        wrong = f"{grown >> 20} MiB of memory for {len(data)} bytes; {memory >> 20} are the most"
    return Ended(dict(fates), wrong, monotonic() - began, grown, target.cases)


def _peak(*, forget: bool = False) -> int:
    """The most memory that this process held since it was last told to forget that; elsewhere than on Linux ever."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if forget:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): resets the peak, VmHWM
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) << 10
