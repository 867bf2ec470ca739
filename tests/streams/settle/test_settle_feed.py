"""Questions about copies that arrive while a search runs are answered by the next search, and not asked again."""

import threading
from collections.abc import Mapping, Sequence

from exchange.feeds.assigned import AssignedFeed
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Input, Record
from schemas.codec import Codec
from streams.settle.feed import SettleFeed, TopicCopies
from streams.settle.holding import Copies, Found
from tests.polling import eventually


class Slow(TopicCopies):
    """A search that takes until the test lets it end."""

    def __init__(self) -> None:
        super().__init__(Cluster("JPN", "nobody:1"), (), 0, Codec())
        self.searched: list[dict[bytes, int]] = []
        self.may_end = threading.Semaphore(0)

    def find(self, recalled: Mapping[bytes, int]) -> Copies:
        self.searched.append(dict(recalled))
        self.may_end.acquire()
        return {name: Found(through, False) for name, through in recalled.items()}


class NoInputs(AssignedFeed):
    """Nothing comes."""

    def __init__(self) -> None:
        """No consumer."""

    def poll(self, timeout_s: float) -> Sequence[Record]:
        del timeout_s
        return ()

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """Nothing to do."""


def test_no_question_is_lost_while_a_search_runs_and_one_more_search_answers_all() -> None:
    copies = Slow()
    feed = SettleFeed(NoInputs(), copies, 0)
    feed.ask({b"a": 1})
    for each in (b"b", b"c", b"d"):
        feed.ask({each: 2})
    copies.may_end.release()
    eventually(lambda: set(feed.facts(())) == {b"a"} and len(copies.searched) == 2, 10, "the second search begins")
    copies.may_end.release()
    eventually(lambda: set(feed.facts(())) == {b"a", b"b", b"c", b"d"}, 10, "all are answered")
    assert copies.searched == [{b"a": 1}, {b"b": 2, b"c": 2, b"d": 2}]
