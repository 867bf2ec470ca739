"""Kills a sensor between its steps: before and behind each document that it makes durable, and each commit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from producers.disk import write
from producers.live import documents
from producers.spool.spool import Spool


class Killed(Exception):
    """The process ends here."""


@contextmanager
def killed_after(kills: Sequence[int]) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Gives what starts a run again until it comes to its end; each kill is so many steps behind the one before."""
    left, steps = list(kills), 0
    commit = Spool.append

    def step() -> None:
        nonlocal steps
        steps += 1
        if left and steps == left[0]:
            left.pop(0)
            steps = 0
            raise Killed

    def killed_write(path: Path, content: Any) -> None:
        step()
        write(path, content)
        step()

    def killed_commit(spool: Spool, *given: Any, **named: Any) -> None:
        step()
        commit(spool, *given, **named)
        step()

    def to_its_end(run: Callable[[], None]) -> None:
        while True:
            try:
                run()
                return
            except Killed:
                continue

    with patch.object(documents, "write", killed_write), patch.object(Spool, "append", killed_commit):
        yield to_its_end
