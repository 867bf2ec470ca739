"""Where a step writes: the cluster of its outputs, its rows and its position; and its own cluster, if that is another.

How they are used, and in what order, is the commit protocol (``exchange.protocol.shard``).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from exchange.errors import FatalError, TransientError
from exchange.protocol.record import Output, Position, RowChange

ChangelogPortion = tuple[Sequence[RowChange], int, int]
"""Rows, the last batch number among them (0 before the first one), and the offset to read next."""


class TransactionAborted(TransientError):
    """Nothing of the transaction was written; the same batch may be written again."""


class CommitUncertain(TransientError):
    """It is not known whether the transaction was committed; the log must be opened again to find out."""


class ChangelogLost(FatalError):
    """The changelog lacks rows that were committed according to the position."""


def rebuild_command(nation: str, step: str, shard: int) -> str:
    """The remedy if a shard cannot continue from the content of its topics: the end of such an error's message."""
    return (
        f"Stop {nation}'s workers and rebuild the shard: `kakehashi shard rebuild --nation {nation} --step {step} "
        f"--shard {shard}` (with --dry-run it reports what would be lost)"
    )


class Log(Protocol):
    """The cluster that a step writes to, as one shard sees it.

    A log of a step without rows inherits ``remembers`` and ``changelog``: its changelog is empty.
    """

    def fence(self) -> None:
        """Become the owner: every predecessor's open transaction ends. Called again, it opens the log again."""
        ...

    def position(self) -> Position | None:
        """The committed position, None if the shard was never committed. Only meaningful after ``fence``."""
        ...

    def remembers(self, start: int) -> bool:  # noqa: ARG002  # there are no rows
        """Whether the changelog still has every deleted row from ``start`` on: compaction removes them in time."""
        return True

    def changelog(self, start: int) -> Iterator[ChangelogPortion]:  # noqa: ARG002  # there are no rows
        """The committed rows from offset ``start`` on. Raises ChangelogLost if ``start`` is gone."""
        return iter(())

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Sequence[RowChange],
        position: Position,
        on_handed_over: Callable[[], None] = ...,
    ) -> int:
        """Write all of it in one transaction; the changelog's next offset, 0 if it is not known.

        ``on_handed_over`` is called when the client has all of it, and only the cluster is waited for.
        Raises TransactionAborted, CommitUncertain, ProducerFenced, or Unwritable if no retry can help.
        """
        ...

    def close(self) -> None:
        """Close the clients. Nothing is written: the next owner fences this one."""
        ...


class Home(Protocol):
    """The nation's own cluster, for a step whose transaction is on the partner's."""

    def write(self, outputs: Sequence[Output]) -> None:
        """Returns when all of it is acknowledged. Raises TransientError if it is not, Unwritable if it never will
        be."""
        ...
