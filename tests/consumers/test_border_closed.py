"""A bridge whose border is closed: content waits, recalls pass, and nothing recalled follows when it opens."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.bridge.border_feed import BatchOvertaken, BorderClosed, BorderFeed, UrgentBorderFeed
from consumers.bridge.overtaken import Overtaken
from consumers.bridge.throttle import Throttle
from exchange import clock
from exchange.authority.policy_record import Border, key_of
from exchange.authority.roster import entry_text
from exchange.bandwidth import ALWAYS
from exchange.metrics.kinds import Role as MetricRole
from exchange.protocol import turns
from exchange.protocol.record import Input, Output
from exchange.role import metrics_of
from schemas import topics
from schemas.codec import POLICY_RECORD, RELEASED_INDICATOR, Undecodable
from schemas.records import ReleasedIndicator
from schemas.signing import approved_policy
from schemas.vocabulary import IndicatorType
from tests.builders import a_content, a_policy_record, a_released, an_id
from tests.conftest import Brokers
from tests.consumers.border import Border as AnyBorder
from tests.consumers.border import carrying
from tests.officers import ALICE, ROSTER
from tests.officers import key_of as officer_key
from tests.polling import eventually

WITHIN_S = 30.0


class ClosedBorder(AnyBorder):
    """A border with a bridge over it, and an officer."""

    def __init__(self, brokers: Brokers, folder: Path) -> None:
        super().__init__(brokers)
        (folder / f"{self.home}.toml").write_text(
            "\n".join(entry_text(each) for each in ROSTER.officers.values()), encoding="utf-8"
        )
        self.settings = replace(self.settings, shards=1, officers=folder, policy_lead_s=10)

    def set_border(self, state: str) -> None:
        """Alice says what the border is to be."""
        record = a_policy_record(
            record_id=str(uuid.uuid4()),
            kind="border",
            nation=self.home,
            version="",
            partner=self.partner,
            state=state,
        )
        signed = approved_policy(self.codec, record, officer_key(ALICE))
        self.put(self.here, topics.POLICY, [(key_of(signed), self.codec.encode(POLICY_RECORD, signed))])

    @contextmanager
    def bridged(self) -> Iterator[None]:
        """The bridge runs."""
        metrics = metrics_of(MetricRole.BRIDGE, self.home, (self.partner,), (topics.bridge_step(self.home),))
        with carrying(self, metrics) as broken:
            yield
        assert broken == []

    def send(self, word: str, version: int, kind: str = "content", caveats: Sequence[str] = ()) -> None:
        """Release a domain, or recall it."""
        self.release(self._announced(word, version, kind, caveats))

    def release_all(self, words: Iterable[str], version: int) -> None:
        """Release these domains at once."""
        self.release(*(self._announced(word, version) for word in words))

    def _announced(
        self, word: str, version: int, kind: str = "content", caveats: Sequence[str] = ()
    ) -> ReleasedIndicator:
        name = f"{word}.example.com"
        content = a_content(value=name, releasable_to=[self.partner], caveats=list(caveats))
        changes = {"content": content} if kind == "content" else {}
        record = a_released(kind=kind, version=version, origin=self.home, hops=[self.home], **changes)
        record["id"] = an_id(IndicatorType.DOMAIN_NAME, name)
        if kind == "content":
            assert record["content"] is not None
            record["content"]["release_expires_ms"] = version + 86_400_000
            record["content"]["first_seen_ms"] = record["content"]["last_seen_ms"] = version - 1000
        return record

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """What is in the partner's inbox: kind and name, the name of what has no content by its id."""
        return self._arrived_in(topics.inbox(self.home))

    @property
    def ahead(self) -> list[tuple[str, str]]:
        """What came by the fast lane."""
        return self._arrived_in(topics.urgent_inbox(self.home))

    def _arrived_in(self, topic: str) -> list[tuple[str, str]]:
        found = [self.codec.decode(RELEASED_INDICATOR, each.value) for each in self.read(self.there, topic)]
        records = [each for each in found if not isinstance(each, Undecodable)]
        return [(each["kind"], each["content"]["value"] if each["content"] else each["id"]) for each in records]


@pytest.fixture
def border(brokers: Brokers, tmp_path: Path) -> ClosedBorder:
    return ClosedBorder(brokers, tmp_path)


def soon(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, WITHIN_S, what)


def test_at_a_closed_border_recalls_pass_content_waits_and_recalled_content_never_follows(
    border: ClosedBorder,
) -> None:
    now_ms = clock.now_ms()
    recalled = an_id(IndicatorType.DOMAIN_NAME, "b.example.com")
    with border.bridged():
        border.send("a", now_ms)
        soon(lambda: border.arrived == [("content", "a.example.com")], "what is released arrives")
    border.set_border("closed")
    border.send("b", now_ms)
    border.send("c", now_ms)
    with border.bridged():
        border.send("b", now_ms + 1, "recalled")
        soon(lambda: ("recalled", recalled) in border.ahead, "the recall arrives")
        border.send("i", now_ms, caveats=["INCIDENT"])
        border.send("d", now_ms)
        border.send("d", now_ms + 1, "revoked")
        soon(lambda: border.ahead[-1][0] == "revoked", "the revocation arrives")
        assert border.arrived == [("content", "a.example.com")]
    border.set_border("open")
    with border.bridged():  # a new process: it must find out what the lane had carried
        soon(lambda: ("content", "c.example.com") in border.arrived, "what was kept back arrives")
        border.send("e", now_ms, caveats=["INCIDENT"])
        soon(lambda: ("content", "e.example.com") in border.arrived, "and all that comes")
        soon(lambda: ("content", "e.example.com") in border.ahead, "what belongs to an incident by the fast lane, too")
    content = [name for kind, name in border.arrived if kind == "content"]
    assert content == ["a.example.com", "c.example.com", "i.example.com", "e.example.com"]
    assert [kind for kind, _ in border.arrived if kind != "content"] == ["recalled", "revoked"], (
        "each once, in its turn"
    )
    assert [kind for kind, _ in border.ahead] == ["recalled", "revoked", "content"]


def test_a_batch_that_an_open_border_let_through_is_not_written_again_after_it_closed(border: ClosedBorder) -> None:
    state = Border.OPEN
    released, always, urgent = (
        Input(name(border.partner), 0) for name in (topics.released, topics.receipts, topics.urgent)
    )
    throttle = Throttle(ALWAYS, 1, lambda _rate, _waited_s: None)

    def now() -> Border:
        return state

    feeds = (
        BorderFeed(border.here, released, always, urgent, now, (border.codec, border.codec), throttle),
        UrgentBorderFeed(border.here, urgent, now, border.codec),
    )
    border.send("a", clock.now_ms(), caveats=["INCIDENT"])
    for feed in feeds:
        state = Border.OPEN
        feed.resume({})
        soon(lambda: bool(feed.poll(0.1)), "it is let through")  # noqa: B023  # now
        feed.recheck(())
        state = Border.CLOSED
        with pytest.raises(BorderClosed, match="the border was closed before"):
            feed.recheck(())
        feed.poll(0)
        feed.recheck(())  # what a closed border lets through goes, however often it is tried
        feed.close()


def test_a_batch_that_was_overtaken_before_it_was_written_is_not_written_again(border: ClosedBorder) -> None:
    released, always, urgent = (
        Input(name(border.partner), 0) for name in (topics.released, topics.receipts, topics.urgent)
    )
    throttle = Throttle(ALWAYS, 1, lambda _rate, _waited_s: None)
    codecs = border.codec, border.codec
    feed = BorderFeed(border.here, released, always, urgent, lambda: Border.OPEN, codecs, throttle)
    now_ms = clock.now_ms()
    border.send("a", now_ms)
    border.send("b", now_ms, caveats=["INCIDENT"])
    feed.resume({})
    batch: list[Output] = []

    def read() -> bool:
        batch.extend(Output(topics.inbox(border.home), 0, each.key or b"", each.value) for each in feed.poll(0.1))
        return len(batch) == 2

    soon(read, "both are read")
    feed.recheck(batch)  # a copy of the same version overtakes nothing
    assert set(feed.marks()) == {urgent}, "the next owner reads the fast lane again from there"
    border.put(border.here, topics.receipts(border.partner), [(b"key", b"a receipt")])
    border.send("a", now_ms + 1, "recalled")

    def is_overtaken() -> bool:
        try:
            feed.recheck(batch)
        except BatchOvertaken:
            return True
        return False

    soon(is_overtaken, "it must not go")
    kept: list[bytes | None] = []

    def is_handed_out() -> bool:
        kept.extend(each.value for each in feed.ahead())
        return bool(kept)

    soon(is_handed_out, "what always goes is not lost by the look")
    assert kept == [b"a receipt"]
    feed.close()


def test_content_that_is_recalled_while_it_waits_for_its_turn_stays(
    border: ClosedBorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, noted, note = _Watched(), threading.Event(), Overtaken.note

    def noting(overtaken: Overtaken, offset: int, key: bytes | None, version: int) -> None:
        note(overtaken, offset, key, version)
        noted.set()

    monkeypatch.setattr(turns, "COMPUTING", working)
    monkeypatch.setattr(Overtaken, "note", noting)
    now_ms = clock.now_ms()
    border.release_all([*(f"n{number}" for number in range(3 * turns.SMALL_ITEMS)), "a"], now_ms)
    with border.bridged():
        assert working.asked.wait(WITHIN_S), "the bulk waits for its turn"
        border.send("a", now_ms + 1, "recalled")
        assert noted.wait(WITHIN_S), "and sees what overtakes it"
        working.release()
        soon(lambda: ("content", "n0.example.com") in border.arrived, "it arrives")
        soon(lambda: border.arrived[-1][0] == "recalled", "and the recall in its turn")
    assert ("content", "a.example.com") not in border.arrived


class _Watched:
    """A turn that another shard has until it is released, and that knows whether a shard waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.asked = threading.Event()

    def acquire(self, timeout: float = -1) -> bool:
        self.asked.set()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()
