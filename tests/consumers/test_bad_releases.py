"""Records that were written past the rules onto the topics that the bridge reads: none leaves, each is quarantined.

Real bridge threads run on two real clusters, whose two registries give the same ids to different schemas.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import pytest

from consumers.bridge.worker import must_be_the_same
from exchange.errors import BrokerUnavailable
from exchange.kafka.clients import Cluster, topic_ids, transactional_producer
from exchange.kafka.schema_registry import Registry, register
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from schemas import topics
from schemas.codec import INDICATOR, QUARANTINED, RECEIPT, RELEASED_INDICATOR, Codec, Undecodable
from schemas.records import Quarantined, ReleasedIndicator
from tests.builders import NOW_MS, a_content, a_receipt, a_released, an_indicator
from tests.conftest import Brokers
from tests.consumers.border import Border, carrying
from tests.exchange.test_schema_registry import fill
from tests.polling import eventually
from tests.schema_registry import running

WITHIN_S = 60.0


@pytest.fixture(scope="module")
def border(brokers: Brokers) -> Iterator[Border]:
    """Two nations with a registry each, filled in another order."""
    with ExitStack() as stack:
        urls = [stack.enter_context(running()) for _ in range(2)]
        found = Border(brokers)
        fill(urls[1], RECEIPT, RELEASED_INDICATOR)
        here, there = Registry(found.home, urls[0]), Registry(found.partner, urls[1])
        register(here)
        register(there)
        found.here, found.there = replace(found.here, registry=here), replace(found.there, registry=there)
        found.codec = found.here.codec()
        yield found


@contextmanager
def bridge(border: Border) -> Iterator[list[Exception]]:
    """The running bridge, and the errors that ended it."""
    with carrying(border, Metrics(Role.BRIDGE, border.home, "0", {})) as broken:
        yield broken


@dataclass(frozen=True)
class Bad:
    """One record put there by hand, and why it must be refused."""

    name: str
    reason: str
    make: Callable[[Border], tuple[bytes, bytes]]
    kept: bool = False
    topic: str = "released"


def _of(border: Border, **changes: Any) -> ReleasedIndicator:
    content = changes.pop("content", {})
    shown = None if content is None else a_content(**{"releasable_to": [border.partner], **content})
    return a_released(**{"content": shown, "origin": border.home, "hops": [border.home], **changes})


def _release(**changes: Any) -> Callable[[Border], tuple[bytes, bytes]]:
    def make(border: Border) -> tuple[bytes, bytes]:
        record = _of(border, **changes)
        return record["id"].encode(), border.codec.encode(RELEASED_INDICATOR, record)

    return make


def _bytes(change: Callable[[Border, bytes], bytes]) -> Callable[[Border], tuple[bytes, bytes]]:
    def make(border: Border) -> tuple[bytes, bytes]:
        key, value = _release()(border)
        return key, change(border, value)

    return make


def _receipt(**changes: Any) -> Callable[[Border], tuple[bytes, bytes]]:
    def make(border: Border) -> tuple[bytes, bytes]:
        receipt = a_receipt(**{"nation": border.home, **changes})
        return receipt["indicator_id"].encode(), border.codec.encode(RECEIPT, receipt)

    return make


def _hops(count: int) -> list[str]:
    return [f"A{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(count)]


BAD = [
    Bad("TLP:RED", "forbidden-marking", _release(content={"tlp": "TLP:RED"})),
    Bad("no marking", "forbidden-marking", _release(content={"tlp": ""})),
    Bad("national eyes only", "forbidden-caveat", _release(content={"caveats": ["UK EYES ONLY"]})),
    Bad("unknown caveat", "forbidden-caveat", _release(content={"caveats": ["BURN AFTER READING"]})),
    Bad("unknown PAP", "forbidden-marking", _release(content={"pap": "PAP:BLUE"})),
    Bad(
        "another recipient",
        "not-releasable-here",
        _release(content={"tlp": "TLP:AMBER", "releasable_to": ["FRA"]}),
    ),
    Bad("unknown schema", "unknown-schema", _bytes(lambda _, value: value[:1] + b"\0\0\x27\x0f" + value[5:])),
    Bad(
        "national picture",
        "unknown-schema",
        _bytes(lambda border, _: border.codec.encode(INDICATOR, an_indicator())),
    ),
    Bad("extra field", "undecodable", _bytes(lambda _, value: value + b"\x14victim.int")),
    Bad("padded integer", "undecodable", _bytes(lambda _, value: value[:5] + bytes((value[5] | 0x80, 0)) + value[6:])),
    Bad("cut", "truncated", _bytes(lambda _, value: value[:-3])),
    Bad("forged origin", "foreign-origin", _release(origin="FRA"), kept=True),
    Bad("20 hops", "looped", _release(hops=_hops(20)), kept=True),
    Bad("been there", "looped", lambda border: _release(hops=[border.home, border.partner])(border), kept=True),
    Bad("5 MB", "too-large", _bytes(lambda _, value: value + bytes(5 << 20))),
    Bad("ended release", "release-expired", _release(content={"release_expires_ms": 1}), kept=True),
    Bad("another key", "key-mismatch", lambda border: (b"another", _release()(border)[1]), kept=True),
    Bad("no version", "malformed-content", _release(version=0), kept=True),
    Bad("recall with content", "malformed-content", _release(kind="recalled", recalled_through=1), kept=True),
    Bad(
        "recall in words", "malformed-content", _release(kind="recalled", reason="see my mail", content=None), kept=True
    ),
    Bad("receipt among releases", "unknown-schema", _receipt()),
    Bad("forged receipt", "foreign-origin", _receipt(nation="FRA"), topic="receipts"),
    Bad("receipt in words", "malformed-content", _receipt(code="refused", reason="meet me"), topic="receipts"),
    Bad("release among receipts", "too-large", _bytes(lambda _, value: value + bytes(300)), topic="receipts"),
]


@dataclass(frozen=True)
class Outcome:
    """What the partner's inbox and the quarantine at home hold when all of it was read."""

    inbox: list[dict[str, Any]]
    quarantine: dict[tuple[str, int], Quarantined]
    places: dict[str, tuple[str, int]]


def _topic(border: Border, bad: Bad) -> str:
    return topics.released(border.partner) if bad.topic == "released" else topics.receipts(border.partner)


@pytest.fixture(scope="module")
def outcome(border: Border) -> Outcome:
    """Every bad record between good ones, on both topics, and the bridge run over them."""
    places: dict[str, tuple[str, int]] = {}
    first, last = _of(border), _of(border, version=a_released()["version"] + 9)
    border.release(first)
    for bad in random.Random(6).sample(BAD, len(BAD)):
        topic = _topic(border, bad)
        places[bad.name] = topic, len(border.read(border.here, topic))
        border.put(border.here, topic, [bad.make(border)], (("decision", b"x" * 5000), ("leak", b"TLP:RED")))
    border.put(border.here, topics.receipts(border.partner), [_receipt(code="applied")(border)])
    recalled = a_released(
        kind="recalled", id=NEVER_SENT, origin=border.home, hops=[border.home], version=a_released()["version"]
    )
    border.release(recalled, last)
    with bridge(border) as broken:
        eventually(lambda: bool(broken) or len(_inbox(border)) >= 4, WITHIN_S, "the good records have arrived")
        assert not broken
    entries = [border.codec.decode(QUARANTINED, each.value) for each in border.read(border.here, topics.QUARANTINE)]
    kept = [cast("Quarantined", each) for each in entries if not isinstance(each, Undecodable)]
    of_border = {(each["topic"], each["offset"]): each for each in kept if border.partner in each["topic"]}
    return Outcome(_inbox(border), of_border, places)


NEVER_SENT = "indicator--00000000-0000-5000-8000-000000000000"


def _inbox(border: Border) -> list[dict[str, Any]]:
    """Each record in the partner's inbox, decoded with the partner's ids: nothing there may be anything else."""
    codec: Codec = border.there.codec()
    found = []
    for record in border.read(border.there, topics.inbox(border.home)):
        decoded = codec.decode(codec.schema_of(record.value) or "", record.value)
        assert not isinstance(decoded, Undecodable)
        found.append(decoded | {"headers": dict(record.headers)})
    return found


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_record_that_may_not_leave_stays_and_its_bytes_are_kept_if_they_may_be(
    outcome: Outcome, border: Border, bad: Bad
) -> None:
    entry = outcome.quarantine[outcome.places[bad.name]]
    assert (entry["reason"], entry["stage"]) == (bad.reason, "bridge")
    _, value = bad.make(border)
    assert entry["original"] == (value if bad.kept else None)
    assert entry["size"] == len(value)


def test_only_the_good_records_have_left_and_with_our_headers_only(outcome: Outcome, border: Border) -> None:
    releases = [each for each in outcome.inbox if "content" in each]
    receipts = [each for each in outcome.inbox if "code" in each]
    assert [each["code"] for each in receipts] == ["applied"]
    version = a_released()["version"]
    sent = sorted((each["id"], each["version"]) for each in releases)
    assert sent == sorted([(a_released()["id"], version), (a_released()["id"], version + 9), (NEVER_SENT, version)])
    for each in outcome.inbox:
        assert each["headers"] == {"origin": border.home.encode(), "hops": border.home.encode()}
    assert len(outcome.quarantine) == len(BAD)


def test_a_recall_of_something_never_sent_carries_no_other_content(outcome: Outcome) -> None:
    """It passes: a guard that asked whether it was sent, and was wrong, would keep a recall at home (ADR 16)."""
    (recall,) = (each for each in outcome.inbox if each.get("id") == NEVER_SENT)
    assert recall["content"] is None
    assert recall["reason"] == "marking-tightened"


def test_a_deleted_progress_topic_is_reported_and_all_records_are_carried_again(
    outcome: Outcome, border: Border, caplog: pytest.LogCaptureFixture
) -> None:
    """The version floor of the receiving side makes it harmless (``tests/streams/receive/test_receive.py``)."""
    before = len(_inbox(border))
    border.recreate(border.there, topics.progress(topics.bridge_step(border.home)), {"cleanup.policy": "compact"})
    with caplog.at_level("ERROR"), bridge(border) as broken:
        eventually(lambda: bool(broken) or len(_inbox(border)) >= 2 * before, WITHIN_S, "all of it came again")
        assert not broken
    assert "bridge.position_lost" in caplog.text
    again = _inbox(border)[before:]
    for name in ("id", "indicator_id"):  # releases and receipts: two inputs, each in its order
        assert [(each[name], each["version"]) for each in again if name in each] == [
            (each[name], each["version"]) for each in outcome.inbox if name in each
        ]


def test_a_first_start_reports_no_loss(border: Border, brokers: Brokers, caplog: pytest.LogCaptureFixture) -> None:
    fresh = Border(brokers)
    fresh.release(_of(fresh))
    with caplog.at_level("ERROR"), bridge(fresh) as broken:
        eventually(
            lambda: bool(broken) or bool(fresh.read(Cluster("", fresh.there.bootstrap), topics.inbox(fresh.home))),
            WITHIN_S,
            "it has arrived",
        )
    assert "position_lost" not in caplog.text


def test_a_bridge_that_ended_in_its_first_batch_reports_no_loss(
    border: Border, brokers: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    """It commits its position before it writes anything."""
    fresh = Border(brokers)
    inbox = topics.inbox(fresh.home)
    progress = topics.progress(topics.bridge_step(fresh.home))
    with bridge(fresh) as broken:
        eventually(lambda: bool(broken) or bool(fresh.read(fresh.there, progress)), WITHIN_S, "it has a position")
        assert not broken
    dead = transactional_producer(fresh.there, f"{fresh.home}.dead")
    dead.init_transactions()
    dead.begin_transaction()
    dead.produce(inbox, b"half a batch", b"key", 0)
    assert dead.flush(30) == 0
    dead.abort_transaction()
    fresh.release(_of(fresh))
    with caplog.at_level("ERROR"), bridge(fresh) as broken:
        eventually(lambda: bool(broken) or len(fresh.read(fresh.there, inbox)) == 1, WITHIN_S, "it has arrived")
        assert not broken
    assert "position_lost" not in caplog.text


def test_a_recreated_released_topic_is_reported_and_carried_from_its_beginning(
    brokers: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    fresh = Border(brokers)
    inbox = topics.inbox(fresh.home)

    def carried(count: int) -> None:
        with bridge(fresh) as broken:
            there = partial(fresh.read, fresh.there, inbox)
            eventually(lambda: bool(broken) or len(there()) == count, WITHIN_S, f"{count} have arrived")
            assert not broken

    fresh.release(_of(fresh), _of(fresh, version=NOW_MS + 1))
    carried(2)
    source = topics.released(fresh.partner)
    known = topic_ids(fresh.here, [source])
    must_be_the_same(fresh.here, known)
    fresh.recreate(fresh.here, source, {"cleanup.policy": "compact"})
    with pytest.raises(BrokerUnavailable, match=f"topic {source} of {fresh.home} was recreated"):
        must_be_the_same(fresh.here, known)
    fresh.release(_of(fresh, version=NOW_MS + 2))
    with caplog.at_level("ERROR"):
        carried(3)
        assert caplog.text.count("bridge.source_recreated") == 1
        caplog.clear()
        fresh.release(_of(fresh, version=NOW_MS + 3))
        carried(4)
    assert "bridge" not in caplog.text, "it is reported once"
