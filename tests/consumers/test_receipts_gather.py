"""Receipts gather behind receipts, so that they share a transaction; releases and urgent records do not wait."""

from collections.abc import Sequence
from typing import Any

import pytest

from consumers.bridge import border_feed
from consumers.bridge.border_feed import GATHER_RECEIPTS_S, BorderFeed
from consumers.bridge.throttle import Throttle
from exchange.authority.policy_record import Border
from exchange.bandwidth import ALWAYS
from exchange.feeds import gathering
from exchange.feeds.assigned import MAX_RECORDS
from exchange.protocol.record import Input, Record
from schemas.codec import Codec

RELEASED, RECEIPTS, URGENT = (Input(name, 0) for name in ("released", "receipts", "urgent"))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class Topic:
    """A feed of what the test has put into it."""

    def __init__(self, *_: object, **__: object) -> None:
        self.waiting: list[Record] = []
        self.max_bytes = 0

    def resume(self, _offsets: object) -> int:
        return 0

    def start_of(self, _source: Input) -> int:
        return 0

    def lag(self) -> int:
        return len(self.waiting)

    def poll(self, _timeout_s: float) -> Sequence[Record]:
        found, self.waiting = self.waiting, []
        return found


class InMemory:
    """A bridge's feed over three topics in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, made, codec = Clock(), list[Topic](), Codec()

        def topic(*arguments: object, **named: object) -> Topic:
            made.append(Topic(*arguments, **named))
            return made[-1]

        monkeypatch.setattr(gathering, "time", self.clock)
        monkeypatch.setattr(border_feed, "AssignedFeed", topic)
        throttle = Throttle(ALWAYS, 1, lambda _rate, _waited_s: None)
        cluster: Any = None  # no one asks it
        self.feed = BorderFeed(cluster, RELEASED, RECEIPTS, URGENT, lambda: Border.OPEN, (codec, codec), throttle)
        self.bulk, self.rest = made
        self._offset = 0

    def receipt(self) -> Record:
        """A receipt arrives."""
        self.rest.waiting.append(self._record(RECEIPTS))
        return self.rest.waiting[-1]

    def release(self) -> Record:
        """A release arrives."""
        self.bulk.waiting.append(self._record(RELEASED))
        return self.bulk.waiting[-1]

    def _record(self, source: Input) -> Record:
        self._offset += 1
        return Record(source.topic, source.partition, self._offset, b"key", None, 0)

    def poll(self) -> list[Record]:
        """What is handed out now."""
        return list(self.feed.poll(0.1))


@pytest.fixture
def border(monkeypatch: pytest.MonkeyPatch) -> InMemory:
    return InMemory(monkeypatch)


def test_the_first_receipt_goes_at_once_and_those_behind_it_go_together(border: InMemory) -> None:
    first = border.receipt()
    assert border.poll() == [first]
    second = border.receipt()
    assert border.poll() == []
    third = border.receipt()
    assert border.poll() == []
    assert border.feed.lag() == 2, "they wait, and that is shown"
    border.clock.now_s += GATHER_RECEIPTS_S
    assert border.poll() == [second, third]


def test_receipts_that_gather_go_with_the_next_release(border: InMemory) -> None:
    border.receipt()
    border.poll()
    waiting = border.receipt()
    assert border.poll() == []
    release = border.release()
    assert border.poll() == [waiting, release]


def test_a_receipt_of_a_batch_that_is_tried_again_is_not_lost(border: InMemory) -> None:
    border.receipt()
    border.poll()
    waiting = border.receipt()
    border.feed.recheck(())
    assert border.poll() == []
    border.clock.now_s += GATHER_RECEIPTS_S
    assert border.poll() == [waiting]


def test_a_backlog_of_receipts_does_not_wait(border: InMemory) -> None:
    border.receipt()
    border.poll()
    backlog = [border.receipt() for _ in range(MAX_RECORDS)]
    assert border.poll() == backlog
    more = border.receipt()
    assert border.poll() == [more], "behind a backlog the next one begins at once"
