"""The leak hunt for as long as one likes: ``python -m tests.leaks.run --cases 10000000 --seed 7``.

Cases are indicators in correlate's rows, and feeds at the door (``tests.leaks.door``). As many processes as there are
processors, each with batches of its own. The seed and a batch's number give its cases,
so a leak that was found is found again, on every machine.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import count
from typing import Final, Protocol

from tests.leaks.door import door_batch
from tests.leaks.hunt import Found, Hunter

BATCH: Final = 10_000
FEEDS: Final = 1_000
"""Feeds in a batch beside its cases: through readers and the whole exchange."""
SAY_EVERY_S: Final = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long to hunt; 0: until --cases are done")
    parser.add_argument("--cases", type=int, default=10_000_000, help="how many indicators, where no time is given")
    parser.add_argument("--seed", type=int, default=1, help="chooses the cases")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    ends = began + options.minutes * 60 if options.minutes else None
    total = hunt(options.seed, options.cases, options.processes, ends)
    seconds = time.monotonic() - began
    log(f"seed {options.seed}, {options.processes} processes: {words(total.tallies)} in {seconds:.0f} s")
    for leak in total.leaks:
        log(f"LEAK: {leak}")
    log(f"leaks {total.tallies['leaks']}")
    return 1 if total.tallies["leaks"] else 0


def hunt(seed: int, cases: int, processes: int, ends: float | None) -> Found:
    """Batches until so many cases are done, or until a time (monotonic seconds). Stops at the first leak."""
    total, logged_s = Found(), time.monotonic()
    batches = ((seed << 32) + number for number in (count() if ends is not None else range(-(-cases // BATCH))))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for found in in_turn(partial(pool.apply_async, _batch), _until(batches, ends), 2 * processes):
            total.tallies += found.tallies
            total.leaks += found.leaks
            if total.leaks:
                break
            if time.monotonic() - logged_s > SAY_EVERY_S:
                logged_s = time.monotonic()
                log(words(total.tallies))
    return total


def in_turn(hand_out: Callable[[tuple[int]], "Handed"], batches: Iterable[int], ahead: int) -> Iterator[Found]:
    """What each batch has come to. So many are handed out ahead and no more: a pool's own ``imap`` takes all that there
    are at once, and does not end before it has done them."""
    waiting: deque[Handed] = deque()
    for batch in batches:
        waiting.append(hand_out((batch,)))
        if len(waiting) >= ahead:
            yield waiting.popleft().get()
    while waiting:
        yield waiting.popleft().get()


class Handed(Protocol):
    """A batch that was handed out: ``multiprocessing.pool.AsyncResult``."""

    def get(self) -> Found:
        """What it has come to; waits for it."""


def _until(batches: Iterator[int], ends: float | None) -> Iterator[int]:
    for batch in batches:
        if ends is not None and time.monotonic() >= ends:
            return
        yield batch


def _batch(seed: int) -> Found:
    found, at_door = _hunter().batch(seed, BATCH), door_batch(seed, FEEDS)
    return Found(found.tallies + at_door.tallies, found.leaks + at_door.leaks)


@cache
def _hunter() -> Hunter:
    return Hunter()


def words(tallies: Counter[str]) -> str:
    """The tallies for people."""
    return ", ".join(f"{number:,} {name}" for name, number in sorted(tallies.items()))


def log(line: str) -> None:
    """A line on the terminal, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
