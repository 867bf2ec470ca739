"""Settle on a bench: its questions about copies are answered by the test, in the turn after they were asked."""

from collections.abc import Callable, Mapping

from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from streams.settle.holding import Found
from streams.settle.step import Settle
from tests.streams.workbench import Workbench

Answers = Callable[[Mapping[bytes, int]], Mapping[bytes, bool]]
"""Of these ids, content up to these versions: whether copies are left; nothing about ids that are not known."""


class Settler(Workbench):
    """``asked`` are the questions of all turns."""

    def __init__(self, step: Settle, find: Answers = lambda _: {}) -> None:
        super().__init__(step, {})
        self._find = find
        self._open: Mapping[bytes, int] = {}
        self.asked: list[Mapping[bytes, int]] = []

    def turn(self, now_ms: int, *records: Record) -> Effects:
        found = self._find(self._open)
        self.facts = {name: Found(through, found[name]) for name, through in self._open.items() if name in found}
        effects = super().turn(now_ms, *records)
        self._open = effects.questions
        if effects.questions:
            self.asked.append(effects.questions)
        return effects

    def search(self, now_ms: int) -> None:
        """A turn that asks, and one with the answers."""
        self.turn(now_ms)
        self.turn(now_ms)
