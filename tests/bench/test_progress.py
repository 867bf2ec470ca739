"""A run ends when its last shard has committed its last record, whenever that is asked for."""

from bench.progress import Reached


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
