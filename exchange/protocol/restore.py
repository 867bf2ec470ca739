"""Brings a shard's local state to the committed position, from the changelog (laws 1 and 6)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

from exchange.errors import ProducerFenced
from exchange.memory import give_back
from exchange.protocol.log import ChangelogLost, ChangelogPortion, Log
from exchange.protocol.record import Position
from exchange.protocol.rows import State

READ_WITHIN_MS: Final = 12 * 60 * 60 * 1000  # half of how long compaction keeps a tombstone (delete.retention.ms)


def fenced(step: str, found: Position, ours: Position) -> ProducerFenced:
    """The error of an owner that finds a position which it has not committed."""
    return ProducerFenced(
        f"{step}: batch {found.batch} was committed by another owner after our batch {ours.batch}; this one stops"
    )


class Source(Protocol):
    """A changelog to restore from: the part of a ``Log`` that needs no ownership."""

    def remembers(self, start: int) -> bool:
        """Whether it still has every deleted row from ``start`` on."""
        ...

    def changelog(self, start: int) -> Iterator[ChangelogPortion]:
        """The committed rows from offset ``start`` on. Raises ChangelogLost if ``start`` is gone."""
        ...


def read_into(state: State, source: Source, clock: Callable[[], int], on_portion: Callable[[], None]) -> int:
    """Bring a state to the end that its changelog has now; the last batch there. ``on_portion`` is called after each
    portion. Raises ChangelogLost if the changelog does not reach from the state's place on."""
    start, batch = state.start()
    if start and not source.remembers(start):
        state.clear()
        start, batch = state.start()
    began_ms = clock()
    portions = iter(source.changelog(start))
    for first in portions:  # most of the time there is none: RocksDB need not be set up for bulk
        with state.restoring():
            for rows, last_batch, next_offset in chain((first,), portions):
                batch = max(batch, last_batch)
                state.apply(rows, batch, next_offset)
                on_portion()
        give_back()
    if clock() - began_ms > READ_WITHIN_MS:  # the machine slept: tombstones may have been compacted away
        state.clear()
        return read_into(state, source, clock, on_portion)
    return batch


@dataclass(frozen=True, slots=True)
class Restorer:
    """Reads the changelog of one shard into its state. ``remedy`` is the advice if the changelog is incomplete."""

    step: str
    log: Log
    clock: Callable[[], int]
    remedy: str

    def restore(self, state: State, position: Position, on_portion: Callable[[], None] = lambda: None) -> None:
        """Returns when the state holds all rows of ``position``; ``on_portion`` is called after each portion.

        Raises ChangelogLost if the changelog does not reach it, ProducerFenced if another owner has gone on meanwhile.
        """
        if position.batch and state.start()[1] == position.batch:
            return
        batch = read_into(state, self.log, self.clock, on_portion)
        if batch != position.batch:
            found = self.log.position() or Position()
            if found != position:  # a new owner has committed while we were reading
                raise fenced(self.step, found, position)
            raise ChangelogLost(
                f"{self.step}: the changelog ends with batch {batch}, but batch {position.batch} was committed: its "
                f"partition was lost or cut. {self.remedy}"
            )
