"""Behind a batch records gather, so that a flow of small batches becomes one of fewer; what is urgent does not wait."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from exchange.feeds import gathering
from exchange.feeds.gathering import Gathering
from exchange.feeds.urgent import LOOK_S, UrgentFeed
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record


class Clock:
    """A clock that goes on only while someone sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(gathering, "time", made)
    return made


def test_the_next_batch_begins_so_long_after_the_last_one(clock: Clock) -> None:
    subject = Gathering(0.5)
    assert subject.wait(1.0), "nothing was handed out yet"
    subject.began(left_some=False)
    clock.now_s += 0.25
    assert subject.left_s() == pytest.approx(0.25)
    assert not subject.wait(0.125), "records still gather"
    assert subject.wait(1.0)
    assert clock.slept_s == pytest.approx([0.125, 0.125])
    assert subject.left_s() == 0


def test_a_batch_that_comes_later_than_that_does_not_wait(clock: Clock) -> None:
    subject = Gathering(0.5)
    subject.began(left_some=False)
    clock.now_s += 0.5
    assert subject.wait(0)
    assert not clock.slept_s


def test_behind_a_batch_that_left_some_the_next_one_begins_at_once(clock: Clock) -> None:
    subject = Gathering(0.5)
    subject.began(left_some=True)
    assert subject.wait(0)
    assert not clock.slept_s


class Inputs(Feed[None]):
    """Notes how long it is waited for."""

    def __init__(self, gathers_s: float, *batches: list[Record]) -> None:
        self._gathers_s, self._batches = gathers_s, list(batches)
        self.waits: list[float] = []
        self.rings = False

    def resume(self, next_offsets: Mapping[Input, int]) -> int:  # noqa: ARG002
        return 0

    def start_of(self, source: Input) -> int:  # noqa: ARG002
        return 0

    def end_of(self, source: Input) -> int:  # noqa: ARG002
        return 0

    def poll(self, timeout_s: float) -> Sequence[Record]:
        self.waits.append(timeout_s)
        if self._batches or self.rings:
            return self._batches.pop(0) if self._batches else ()
        time.sleep(timeout_s)
        return ()

    def rung(self) -> int:
        rang, self.rings = self.rings and bool(self.waits), self.rings and not self.waits
        return int(rang)

    def gathering_s(self) -> float:
        return self._gathers_s

    def facts(self, records: Sequence[Record]) -> None: ...

    def lag(self) -> int:
        return 0

    def close(self) -> None: ...


@pytest.mark.parametrize(("gathers_s", "waits"), [(0.0, (0.0, 0.2)), (0.05, (0.05, 0.15)), (9.0, (0.2, 0.0))])
def test_while_the_rest_gathers_what_is_urgent_is_waited_for(gathers_s: float, waits: tuple[float, float]) -> None:
    urgent: Any = Inputs(0.0)
    rest = Inputs(gathers_s)
    feed = UrgentFeed(Input("urgent", 0), urgent, rest)
    feed.resume({})
    assert not feed.poll(0.2)
    assert (*urgent.waits, *rest.waits) == pytest.approx(waits, abs=0.05)
    urgent = Inputs(0.0, [Record("urgent", 0, 0, b"k", b"v", 0)])
    feed = UrgentFeed(Input("urgent", 0), urgent, rest)
    feed.resume({})
    assert len(feed.poll(0.2)) == 1


def test_a_wait_for_the_rest_ends_when_something_urgent_is_noticed() -> None:
    rest = Inputs(0.0)
    rest.rings = True
    urgent: Any = Inputs(0.0, [], [Record("urgent", 0, 0, b"k", b"v", 0)])
    feed = UrgentFeed(Input("urgent", 0), urgent, rest)
    feed.resume({})
    assert len(feed.poll(20.0)) == 1
    assert urgent.waits == [0.0, LOOK_S]


def test_what_is_noticed_and_never_comes_does_not_end_the_wait() -> None:
    rest = Inputs(0.0)
    rest.rings = True
    urgent: Any = Inputs(0.0)
    feed = UrgentFeed(Input("urgent", 0), urgent, rest)
    feed.resume({})
    assert not feed.poll(LOOK_S + 0.2)
    assert urgent.waits == [0.0, LOOK_S]
    assert rest.waits == pytest.approx([LOOK_S + 0.2, 0.2], abs=0.05)
