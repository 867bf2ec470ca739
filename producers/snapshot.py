"""A snapshot: inputs that together name everything that a source asserts. A value missing in them was taken back.

A log or an excerpt never withdraws by silence: only an operator (``--snapshot``) or a format that states it. A reading
that could not be completed, or that has suddenly lost most of what it named before (an error page, a cut download),
withdraws nothing until a person agrees.
"""

from collections.abc import Iterator

from producers.readers.reading import Rejected
from producers.spool.assertions import Held, digest
from producers.spool.batch import Batch, Kept, Step
from producers.spool.fill import Scope
from producers.spool.removals import ended, kept
from producers.spool.spool import Spool


class Snapshot:
    """One complete reading of the feed ``name`` of a sensor. ``generation`` is a number that no earlier one had."""

    def __init__(self, name: str, generation: int, *, agreed: bool) -> None:
        self.scope = Scope(digest(f"snapshot {name}"), generation)
        self._agreed = agreed
        self._problem = self._lost_file = ""

    def saw(self, step: Step) -> None:
        """Take note of what could not be read: an input that was refused as a whole makes the reading incomplete."""
        for each in step.first_rejected:
            if each.place.line == 0:
                self._problem = self._lost_file = f"{each.place.file} could not be read: {each.detail}"

    def could_not_read(self, piece: Rejected | None) -> None:
        """Take note of an unreadable piece: any value may be in it."""
        if piece is not None and not self._problem:
            self._problem = f"line {piece.place.line} of {piece.place.file} could not be read"

    def gone(self, spool: Spool) -> list[Held] | Kept:
        """The assertions that the reading does not name any more, or why nothing is withdrawn."""
        gone, named = spool.assertions.left(self.scope.name, self.scope.generation)
        before = len(gone) + named
        if not gone:
            return []
        if self._lost_file or (self._problem and not self._agreed):
            return Kept(len(gone), before, self._problem)
        return kept(len(gone), named, agreed=self._agreed) or gone


def withdraw(gone: list[Held], spool: Spool, batch: Batch) -> Iterator[Step]:
    """Spool the withdrawals of these assertions, all but those that another object of the source still makes."""
    yield from ended(gone, None, spool.assertions, batch)
    yield batch.commit(complete=True)
