"""What a shard is put together from: the step that it runs, and the state, log, feed and clock around it.

How they are used, and in what order, is the commit protocol (``exchange.protocol.shard``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from exchange.errors import FatalError, TransientError
from exchange.protocol.effects import Effects
from exchange.protocol.record import Input, Output, Position, Record, RowChange


class TransactionAborted(TransientError):
    """Nothing of the transaction was written; the same batch may be written again."""


class CommitUncertain(TransientError):
    """Whether the transaction was committed is not known; the log must be opened anew to find out."""


class ChangelogLost(FatalError):
    """The changelog does not hold what the position says was committed."""


def rebuild_command(nation: str, step: str, shard: int) -> str:
    """What to do where a shard cannot go on from what its topics hold: the end of such an error's message."""
    return (
        f"Stop {nation}'s workers and rebuild the shard: `kakehashi shard rebuild --nation {nation} --step {step} "
        f"--shard {shard}` (with --dry-run it says what would be lost)"
    )


class Lookup(Protocol):
    """Rows by their keys."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key, None where there is none."""
        ...


class Rows(Lookup, Protocol):
    """The committed state of a shard, as a step may read it."""

    def size(self) -> int:
        """How many rows there are, roughly."""
        ...

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows behind ``after`` by key, at most ``limit``: fewer only at the end."""
        ...


class Step(Protocol):
    """What a shard does with a batch: a function of the batch, the rows and the time, and of nothing else."""

    name: str

    def compute(self, records: Sequence[Record], due: Sequence[bytes], rows: Rows, now_ms: int) -> Effects:
        """The effects of these records, and of these due row keys, at shard time ``now_ms``."""
        ...


class Footprint(msgspec.Struct, frozen=True):
    """What a state takes of its disk, and what is free there: bytes."""

    used_bytes: int
    free_bytes: int


class State(Rows, Protocol):
    """The local cache of a shard's committed changelog."""

    def start(self) -> tuple[int, int]:
        """The changelog's next offset and the last batch that this cache holds; (0, 0) when it is empty."""
        ...

    def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
        """Take over a committed batch, atomically with its place in the changelog."""
        ...

    def clear(self) -> None:
        """Forget everything: ``start`` is (0, 0) again."""
        ...

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """Keys of rows whose due time has come, the longest due first, at most ``limit``."""
        ...

    def footprint(self) -> Footprint:
        """What it takes of its disk."""
        ...

    def close(self) -> None:
        """Let go of the storage, so that another owner may open it."""
        ...


class Log(Protocol):
    """The cluster that a step writes to, as one shard sees it."""

    def fence(self) -> None:
        """Become the owner: every predecessor's open transaction ends. Opens the log anew when called again."""
        ...

    def position(self) -> Position | None:
        """The committed position, None where the shard was never committed. Only meaningful after ``fence``."""
        ...

    def remembers(self, start: int) -> bool:
        """Whether the changelog still has every dropped row from ``start`` on: compaction forgets them in time."""
        ...

    def changelog(self, start: int) -> Iterator[tuple[list[RowChange], int, int]]:
        """The committed rows from offset ``start`` on, in portions of (rows, last batch seen, next offset).

        The last batch seen is 0 until the first one has been. Raises ChangelogLost where ``start`` is gone.
        """
        ...

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Sequence[RowChange],
        position: Position,
        on_handed_over: Callable[[], None] = ...,
    ) -> int:
        """Write all of it in one transaction; the changelog's next offset, 0 where it is not known.

        ``on_handed_over`` is called when the client has all of it, and only the cluster is waited for.
        Raises TransactionAborted, CommitUncertain, ProducerFenced, or Unwritable where no retry can help.
        """
        ...

    def close(self) -> None:
        """Give the shard up without a word to anybody."""
        ...


class Feed(Protocol):
    """The inputs of a shard."""

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at these offsets; an input that is not named starts at its beginning.

        How many of them no longer hold what was not read: a gap each, declared, and gone on behind.
        """
        ...

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records in the order of each input; empty where none came in time."""
        ...

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """What is before these offsets is committed, and will never be asked for again. Does not wait."""
        ...

    def lag(self) -> int:
        """Records that are there and were not handed out yet, as far as is known without asking."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class Home(Protocol):
    """Our own cluster, for a step whose transaction is abroad."""

    def write(self, outputs: Sequence[Output]) -> None:
        """Returns when all of it is acknowledged. Raises TransientError where it is not, Unwritable where it never
        will be."""
        ...


class Clock(Protocol):
    """Where a shard's time comes from."""

    def __call__(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...
