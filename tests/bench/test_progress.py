"""A run ends when its last shard has committed its last record, whenever that is asked for."""

import threading
from collections.abc import Callable
from typing import cast

import pytest

from bench import progress
from bench.progress import Reached, StepProgress
from bench.role import Role
from bench.stand import SHARDS
from exchange.kafka.clients import Cluster

NOWHERE = Cluster("GBR", "127.0.0.1:1")


class Running:
    """A process that runs."""

    def check(self) -> None:
        """It does."""


def test_the_end_is_when_the_last_shard_reached_its_offset_and_not_when_it_is_asked_for() -> None:
    reached = Reached()
    wanted = {0: 10, 1: 5, 2: 0}
    assert reached.at(wanted) is None
    for at_s, shard, offset in ((1.0, 0, 4), (2.0, 1, 5), (3.0, 0, 12), (4.0, 1, 9), (5.0, 0, 20)):
        reached.note(at_s, shard, offset)
    assert reached.at(wanted) == 3.0
    assert reached.at({0: 21}) is None
    assert reached.at({1: 5}) == 2.0
    assert reached.latest() == {0: 20, 1: 9}


def test_nothing_to_reach_is_reached() -> None:
    assert Reached().at({0: 0}) == 0.0


def test_other_work_goes_on_while_the_end_of_a_topic_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = threading.Semaphore(0)

    def ends(_cluster: Cluster, _topic: str) -> dict[int, int]:
        for _ in range(3):  # an answer takes as long as three pieces of the other work
            worked.acquire()
        return dict.fromkeys(range(SHARDS), 0)

    monkeypatch.setattr(progress, "data_ends", ends)
    followed = StepProgress(NOWHERE, "correlate", "observations")
    try:
        assert followed.await_end(NOWHERE, cast(Role, Running()), 60, cast(Callable[[], None], worked.release)) > 0
    finally:
        followed.close()
