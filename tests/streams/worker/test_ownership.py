"""Which shards a worker works on and which it keeps copies of, whatever the group does in which order."""

from collections.abc import Callable, Sequence
from random import Random
from typing import cast

import pytest

from exchange.feeds.hinted import Mailbox
from exchange.protocol.standby import Standby
from exchange.protocol.thread import ShardThread
from streams.worker.ownership import Ownership

SHARDS = frozenset(range(4))


class Thread:
    """A shard's thread, or a standby copy: it records its calls."""

    step = "step"

    def __init__(self, name: str, reported: list[str]) -> None:
        self._name, self._announced = name, reported

    def start(self) -> None:
        self._announced.append(f"start {self._name}")

    def ask_to_stop(self) -> None:
        pass

    def stop(self, timeout_s: float | None = None) -> bool:  # noqa: ARG002  # it never takes time
        self._announced.append(f"stop {self._name}")
        return True


class Workshop:
    """Makes threads that only record their calls."""

    def __init__(self) -> None:
        self.announced: list[str] = []

    def __call__(self, shard: int, mailbox: Mailbox, still_assigned: Callable[[], bool]) -> Sequence[ShardThread]:  # noqa: ARG002  # as the protocol states
        return [cast("ShardThread", Thread(f"shard {shard}", self.announced))]

    def standbys(self, shard: int) -> Sequence[Standby]:
        return [cast("Standby", Thread(f"copy {shard}", self.announced))]

    def running(self) -> set[str]:
        """What was started and not stopped since."""
        found: set[str] = set()
        for line in self.announced:
            verb, _, name = line.partition(" ")
            assert (verb == "start") != (name in found), line
            found ^= {name}
        return found


def rebalance(ownership: Ownership, shards: frozenset[int]) -> None:
    """As Faust does it: everything is revoked, then some of it assigned."""
    ownership.own(frozenset())
    ownership.own(shards)
    ownership.stand_by(SHARDS - shards)


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


def test_a_shard_is_worked_on_or_copied_and_never_both(workshop: Workshop) -> None:
    ownership, random = Ownership(workshop), Random(4)
    for _ in range(50):
        shards = frozenset(shard for shard in SHARDS if random.random() < 0.5)
        rebalance(ownership, shards)
        assert workshop.running() == {f"shard {shard}" for shard in shards} | {
            f"copy {shard}" for shard in SHARDS - shards
        }
    ownership.close()
    assert workshop.running() == set()


def test_a_rebalance_that_changes_nothing_leaves_the_copies_alone(workshop: Workshop) -> None:
    ownership = Ownership(workshop)
    rebalance(ownership, frozenset({0, 1}))
    workshop.announced.clear()
    for _ in range(5):
        rebalance(ownership, frozenset({0, 1}))
    assert [line for line in workshop.announced if "copy" in line] == []


def test_a_copy_releases_its_folder_before_its_shard_is_taken(workshop: Workshop) -> None:
    ownership = Ownership(workshop)
    rebalance(ownership, frozenset())
    workshop.announced.clear()
    ownership.own(frozenset({2}))
    assert workshop.announced == ["stop copy 2", "start shard 2"]


def test_a_revoked_shard_is_not_copied_before_its_new_owner_is_known(workshop: Workshop) -> None:
    ownership = Ownership(workshop)
    rebalance(ownership, frozenset({0}))
    ownership.own(frozenset())
    assert "copy 0" not in workshop.running()
