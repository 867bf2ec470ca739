"""Brings targets up to date in processes that are killed: ``python -m …``, with an order a line on standard input.

An order is JSON: a target as a user writes it, the picture, and the step before which the process is killed. Steps are
what the interpreter's audit hooks report: files that are opened, renamed and removed, databases and connections. Each
order is a process of its own, forked from this one, so that hundreds of them take seconds.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from consumers.outputs.targets import followings
from consumers.picture.filters import Filter
from consumers.picture.picture import Picture
from schemas.markings import Pap

_STEPS: Final = frozenset(
    {
        "open",
        "os.rename",
        "os.remove",
        "sqlite3.connect",
        "sqlite3.connect/handle",
        "socket.connect",
        "socket.getaddrinfo",
    }
)


class Order(msgspec.Struct, frozen=True):
    """What one process has to do. It is killed before the step ``dies_at``, and not at all if that is -1."""

    target: str
    nation: str
    home: str
    picture: str
    now_ms: int
    dies_at: int = -1


class Outcome(msgspec.Struct, frozen=True):
    """How many steps it began, and whether it was killed."""

    steps: int
    killed: bool


def main() -> None:
    """One order after the other."""
    for line in sys.stdin:
        sys.stdout.write(f"{msgspec.json.encode(_done(msgspec.json.decode(line, type=Order))).decode()}\n")
        sys.stdout.flush()


def _done(order: Order) -> Outcome:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _work(order, writer)
            os._exit(0)
        except BaseException as error:  # the process's outermost frame
            sys.stderr.write(f"{order}: {error!r}\n")
            os._exit(1)
    os.close(writer)
    steps = 0
    while portion := os.read(reader, 65_536):
        steps += len(portion)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{order} failed")
    return Outcome(steps, os.WIFSIGNALED(status))


def _work(order: Order, steps: int) -> None:
    numbers = count()

    def before(event: str, _: tuple[Any, ...]) -> None:
        if event in _STEPS:
            if next(numbers) == order.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(steps, b".")

    sys.addaudithook(before)
    found = followings(
        order.target,
        order.nation,
        Path(order.home),
        Filter(),
        Pap.UNSTATED,
        Path(order.picture),
        lambda: order.now_ms,
    )
    for each in found:
        each.take()
    with Picture(Path(order.picture), order.nation, lambda: order.now_ms) as picture:
        for each in found:
            each.turn(picture)
    for each in found:
        each.close()


if __name__ == "__main__":
    main()
