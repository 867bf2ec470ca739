"""A small, faithful model of the Kafka that a shard sees: logs, transactions, fencing, compaction. No network, no time.

What is modelled is what the protocol leans on: an epoch for each transactional id, which a new owner raises and
which every write is checked against; a transaction that is decided at one moment and whose markers arrive in each
partition at their own moments; readers that see nothing behind the first undecided record; ends that are reported with
open transactions included; tombstones that compaction forgets when they are old; late requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from exchange.protocol.record import Input


class StaleEpoch(Exception):
    """Another producer has initialised the same transactional id since."""


@dataclass(eq=False)
class Transaction:
    """``committed`` is None until it is decided; a partition's readers learn of it when its marker is there."""

    owner: str
    committed: bool | None = None
    unmarked: list[Input] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A record or, without a key, a marker."""

    offset: int
    key: bytes | None
    value: bytes | None
    transaction: Transaction | None = None


@dataclass
class Partition:
    """``entries`` is by offset, None if compaction has left a hole. ``old_below`` is old enough to be forgotten."""

    topic_id: int
    entries: list[Entry | None] = field(default_factory=list)
    begin: int = 0
    old_below: int = 0


class ModelKafka:
    """One cluster. Every method is one step that nothing can come between."""

    def __init__(self) -> None:
        self.partitions: dict[Input, Partition] = {}
        self.decided: list[Transaction] = []
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}
        self._late: list[tuple[str, int]] = []
        self._topic_ids = 0

    # -- topics -------------------------------------------------------------------------------------------------

    def partition(self, place: Input) -> Partition:
        """The partition, made when it is first asked for."""
        if place not in self.partitions:
            self.recreate(place)
        return self.partitions[place]

    def recreate(self, place: Input) -> None:
        """Delete the topic of this (only) partition and create it again: empty, with another id."""
        self._topic_ids += 1
        self.partitions[place] = Partition(self._topic_ids)
        for transaction in self._open.values():
            transaction.unmarked = [other for other in transaction.unmarked if other != place]

    def cut(self, place: Input) -> bool:
        """Lose the first half of what is decided, as retention would. Whether there was anything."""
        partition = self.partition(place)
        partition.begin = max(partition.begin, self.stable(place) // 2)
        return partition.begin > 0

    def age(self, place: Input) -> None:
        """Time passes: tombstones that are there now may be forgotten by a later compaction."""
        self.partition(place).old_below = self.end(place)

    def compact(self, place: Input) -> None:
        """Keep the last committed record of each key, and drop old tombstones, aborted records and old markers."""
        partition = self.partition(place)
        stable = self.stable(place)
        last = {entry.key: entry.offset for entry in self.committed(place, 0) if entry.offset < stable}
        for offset, entry in enumerate(partition.entries[:stable]):
            if entry is None:
                continue
            forgotten = entry.value is None and offset < partition.old_below
            if last.get(entry.key) != offset or forgotten:
                partition.entries[offset] = None

    # -- reading ------------------------------------------------------------------------------------------------

    def end(self, place: Input) -> int:
        """The end, open transactions included."""
        return len(self.partition(place).entries)

    def stable(self, place: Input) -> int:
        """Where readers of committed records stop: before the first record whose transaction has no marker here."""
        unmarked = [transaction for transaction in self._open.values() if place in transaction.unmarked]
        for entry in self.partition(place).entries if unmarked else ():
            if entry is not None and entry.transaction in unmarked:
                return entry.offset
        return self.end(place)

    def committed(self, place: Input, start: int) -> Iterator[Entry]:
        """The committed records that a reader may see, from ``start`` on."""
        partition = self.partition(place)
        for entry in partition.entries[max(start, partition.begin) : self.stable(place)]:
            if entry is not None and entry.key is not None and _is_committed(entry):
                yield entry

    def written_in(self, transaction: Transaction) -> dict[Input, list[Entry]]:
        """What a transaction has written, by partition. Only before compaction has been there."""
        return {
            place: [entry for entry in partition.entries if entry and entry.key and entry.transaction is transaction]
            for place, partition in self.partitions.items()
        }

    # -- writing ------------------------------------------------------------------------------------------------

    def write(self, place: Input, key: bytes, value: bytes | None) -> None:
        """Append without a transaction."""
        entries = self.partition(place).entries
        entries.append(Entry(len(entries), key, value))

    def initialise(self, owner: str) -> int:
        """Become the producer of this id: its open transaction is aborted, its decided one gets all its markers."""
        transaction = self._open.get(owner)
        if transaction is not None and transaction.committed is None:
            self._decide(transaction, committed=False)
        self._finish(owner)
        self._epochs[owner] = self._epochs.get(owner, 0) + 1
        return self._epochs[owner]

    def append(self, owner: str, epoch: int, place: Input, key: bytes, value: bytes | None) -> int:
        """Append in the owner's open transaction, or begin one. The record's offset."""
        self._check(owner, epoch)
        transaction = self._open.get(owner)
        if transaction is None or transaction.committed is not None:
            self._finish(owner)  # the broker makes the client wait until the last transaction has all its markers
            transaction = self._open[owner] = Transaction(owner)
        if place not in transaction.unmarked:
            transaction.unmarked.append(place)
        entries = self.partition(place).entries
        entries.append(Entry(len(entries), key, value, transaction))
        return len(entries) - 1

    def end_transaction(self, owner: str, epoch: int, *, commit: bool) -> None:
        """Decide the open transaction, if there is one; its markers come later."""
        self._check(owner, epoch)
        transaction = self._open.get(owner)
        if transaction is not None and transaction.committed is None:
            self._decide(transaction, committed=commit)

    def delay_commit(self, owner: str, epoch: int) -> None:
        """The request to commit is on its way, and may arrive or not."""
        self._late.append((owner, epoch))

    def deliver_late(self) -> None:
        """Requests that were on their way arrive; the fenced ones are refused."""
        for owner, epoch in self._late:
            if self._epochs[owner] == epoch:
                self.end_transaction(owner, epoch, commit=True)
        self._late.clear()

    def time_out(self, owner: str) -> None:
        """The coordinator ends a transaction that has been open for too long, and fences its producer."""
        transaction = self._open.get(owner)
        if transaction is not None and transaction.committed is None:
            self._decide(transaction, committed=False)
            self._epochs[owner] += 1

    def is_open(self, owner: str) -> bool:
        """Whether a transaction of this owner is not decided."""
        transaction = self._open.get(owner)
        return transaction is not None and transaction.committed is None

    def mark(self, owner: str) -> None:
        """One more marker of the owner's decided transaction arrives."""
        transaction = self._open.get(owner)
        if transaction is not None and transaction.committed is not None and transaction.unmarked:
            entries = self.partition(transaction.unmarked.pop(0)).entries
            entries.append(Entry(len(entries), None, None))

    def _check(self, owner: str, epoch: int) -> None:
        if self._epochs[owner] != epoch:
            raise StaleEpoch(owner)

    def _decide(self, transaction: Transaction, *, committed: bool) -> None:
        transaction.committed = committed
        self.decided.append(transaction)

    def _finish(self, owner: str) -> None:
        transaction = self._open.get(owner)
        while transaction is not None and transaction.unmarked:
            self.mark(owner)


def _is_committed(entry: Entry) -> bool:
    return entry.transaction is None or bool(entry.transaction.committed)
