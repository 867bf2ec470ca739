"""Follows ``policy.v1``: the records published by a certain time, and how fresh they are.

A worker decides only by what it has read lately to the topic's end: an activation is appended at least the lead before
its time, and what was read less than half the lead ago has therefore every activation whose time has come, with the
other half to spare for clocks that differ (design, section 7). So no two workers decide under different rules at the
same shard time, whenever each of them learns of a change.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, TypeVar

from exchange.authority.policy_record import Approved, Border, NotApproved, borders, read_policy_record
from exchange.authority.roster import Roster
from exchange.clock import now_ms
from exchange.errors import CannotDecide, TransientError
from exchange.feeds.around import FeedAround
from exchange.kafka.clients import Cluster, begin_offset, end_offset
from exchange.kafka.committed import committed
from exchange.kafka.news import TopicNews
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record
from schemas import topics

Facts = TypeVar("Facts", covariant=True)  # noqa: PLC0105  # of the feed inside
_log = logging.getLogger(__name__)

READ_EVERY_S: Final = 4.0  # though nothing seems to be new
_LOOK_S: Final = 1.0
AWAIT_S: Final = 5.0  # then the shard is shown as waiting, and may be stopped
MOST_REFUSED: Final = 1000  # a writer to the topic cannot fill our memory


class PolicyStale(CannotDecide):
    """The policy topic has not been read for too long: nothing is decided until it has been."""


@dataclass(frozen=True, slots=True)
class Published:
    """All that was on the topic when it was read to its end, beginning at ``read_ms`` by this machine's clock."""

    read_ms: int = 0
    approved: tuple[Approved, ...] = ()
    refused: tuple[NotApproved, ...] = ()
    next_offset: int = 0

    def border(self, partner: str) -> Border:
        """The state of the border to a partner: open, unless officers have decided otherwise."""
        return borders(self.approved).get(partner, Border.OPEN)


@dataclass
class PolicyWatch:
    """One per process; a thread of its own reads on. ``partners`` and ``roster`` are the nation's.

    Only a started watch logs what it reads: a command's log lines would be in its answer.

    ``roster`` is asked at each reading: if it is another one, all records are judged again by it, as after a restart.
    ``lead_ms`` must be the same in all processes of a nation. ``clock`` is that of the component that decides by it.
    """

    cluster: Cluster
    roster: Callable[[], Roster]
    partners: tuple[str, ...]
    lead_ms: int
    clock: Callable[[], int] = now_ms
    _published: Published = field(default_factory=Published)
    _next: int | None = None
    _judged_by: Roster | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _fresh: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _logs: bool = False
    _on_news: list[Callable[[], None]] = field(default_factory=list)

    def read(self) -> Published:
        """Read on to the end that the topic has now. Raises BrokerUnavailable if there is no answer."""
        codec, began_ms, said, roster = self.cluster.codec(), self.clock(), self._published, self.roster()
        is_other_roster = roster is not self._judged_by
        if is_other_roster:
            self._next, self._judged_by, said = None, roster, Published()
        start = begin_offset(self.cluster, topics.POLICY, 0) if self._next is None else self._next
        end = end_offset(self.cluster, topics.POLICY, 0)
        approved, refused = list(said.approved), list(said.refused)
        for message in committed(self.cluster, topics.POLICY, 0, start, end):
            offset = message.offset() or 0
            if message.value() is None:
                continue
            found = read_policy_record(
                message.value(),
                message.key(),
                codec,
                roster,
                appended_ms=message.timestamp()[1],
                offset=offset,
                lead_ms=self.lead_ms,
                partners=self.partners,
            )
            if isinstance(found, NotApproved):
                if self._logs:
                    _log.error("policy.refused offset=%d record=%s detail=%s", offset, found.record_id, found.detail)
                refused.append(found)
            elif any(found.record["record_id"] == known.record["record_id"] for known in approved):
                refused.append(NotApproved(offset, "it was published before: written again, it does nothing"))
            else:
                _log.info("policy.read offset=%d kind=%s by=%s", offset, found.kind, ",".join(found.persons))
                approved.append(found)
        is_news = is_other_roster or end != said.next_offset
        with self._fresh:
            self._next = end
            self._published = Published(began_ms, tuple(approved), tuple(refused[-MOST_REFUSED:]), end)
            self._fresh.notify_all()
        if is_news:
            for call in tuple(self._on_news):
                call()
        return self._published

    def call_on_news(self, call: Callable[[], None]) -> None:
        """Call this from the watch's thread after each reading of something new, or by another roster. It returns at
        once."""
        self._on_news.append(call)

    def call_no_more(self, call: Callable[[], None]) -> None:
        """Call this no more."""
        if call in self._on_news:
            self._on_news.remove(call)

    def start(self) -> "PolicyWatch":
        """Read once, then continue in the background. Raises BrokerUnavailable if the first read fails."""
        self._logs = True
        self.read()
        self._thread = threading.Thread(target=self._follow, name="policy-watch", daemon=True)
        self._thread.start()
        return self

    def _follow(self) -> None:
        every_s, news = min(READ_EVERY_S, self.lead_ms / 16_000), TopicNews(self.cluster, topics.POLICY, 0)
        read_s = time.monotonic()
        with closing(news):
            while not self._stopping.is_set():
                is_new = news.wait(min(_LOOK_S, max(0.0, read_s + every_s - time.monotonic())))
                is_new = is_new or self.roster() is not self._judged_by
                if is_new or time.monotonic() >= read_s + every_s:
                    read_s = time.monotonic()
                    self._read_again()

    def _read_again(self) -> None:
        try:
            self.read()
        except TransientError as error:  # neither a broker nor a registry that is away is our defect
            _log.warning("policy.unread error=%s", error)
        except Exception:
            _log.exception("policy.broken: nothing is decided until it is read again")

    @property
    def latest(self) -> Published:
        """The last reading, however long ago."""
        return self._published

    @property
    def judged_by(self) -> Roster:
        """The roster by which the records were judged at the last reading."""
        return self._judged_by or self.roster()

    def published(self, at_ms: int) -> Published:
        """The known records, for a decision at this shard time. Raises PolicyStale if they are not fresh enough."""
        said = self._published
        if not said.read_ms or at_ms - said.read_ms >= self.lead_ms // 2:
            raise PolicyStale(
                f"{topics.POLICY} was last read to its end {(at_ms - said.read_ms) / 1000:.1f} s before this shard's "
                f"time: nothing is decided until it is read again"
            )
        return said

    def border(self, partner: str) -> Border | None:
        """The state of the border to a partner now; None if it was not read recently enough to know."""
        try:
            return self.published(self.clock()).border(partner)
        except PolicyStale:
            return None

    def await_fresh(self, within_s: float = AWAIT_S) -> None:
        """Return when it is fresh; raise PolicyStale if it does not become so in time."""
        with self._fresh:
            self._fresh.wait_for(lambda: self.clock() - self._published.read_ms < self.lead_ms // 4, within_s)
        self.published(self.clock())

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(10.0)


class RuledFeed(FeedAround[Facts]):
    """A ``Feed`` that hands out nothing until it is known which rules are in force. What is new wakes it."""

    def __init__(self, watch: PolicyWatch, feed: Feed[Facts]) -> None:
        super().__init__(feed)
        self._watch = watch

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start the feed."""
        self._watch.call_on_news(self.wake)
        return super().resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records, once the rules are known. Raises PolicyStale if they cannot be in time."""
        self._watch.await_fresh()
        return super().poll(timeout_s)

    def close(self) -> None:
        """Stop reading."""
        self._watch.call_no_more(self.wake)
        super().close()
