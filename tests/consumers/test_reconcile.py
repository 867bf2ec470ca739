"""Reconciliation on real Kafka: both sides' digests as settle tells them, and the records behind what differs."""

import threading

import msgspec
import pytest

from consumers.reconcile.compare import Difference
from consumers.reconcile.run import Comparison, Reconciler, Side, reconcile
from exchange.errors import BrokerUnavailable
from exchange.metrics.kinds import Role
from exchange.metrics.labels import Differs
from exchange.metrics.registry import Metrics
from schemas import topics
from schemas.codec import PROGRESS, RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec
from schemas.records import ReleasedIndicator
from schemas.window import WINDOW_MS, window_of
from streams.settle.settlement import Limits
from streams.settle.step import Settle
from tests.builders import NOW_MS, a_content, a_progress, a_released
from tests.conftest import Brokers
from tests.consumers.border import SHARDS, Border
from tests.polling import eventually
from tests.streams.settler import Settler

CODEC = Codec()
PARTNER_CODEC = Codec({104: RECEIPT, 107: RELEASED_INDICATOR, 109: PROGRESS, 120: WINDOW_DIGEST})


def settled(border: Border) -> None:
    """What each side's settle step makes of what stands on its topics."""
    for cluster, other, topic, codec in (
        (border.here, border.partner, topics.released(border.partner), CODEC),
        (border.there, border.home, topics.accepted(border.home), PARTNER_CODEC),
    ):
        bench = Settler(Settle(cluster.nation, other, 0, codec, Limits(1, 1)))
        bench.turn(NOW_MS, *border.read(cluster, topic))
        border.write(cluster, [output for output in bench.outputs if output.topic.endswith(".digest.v1")])


def named(border: Border, number: int, version: int) -> ReleasedIndicator:
    content = a_content(value=f"c{number}.example.com", releasable_to=[border.partner])
    return a_released(version=version, content=content, origin=border.home, hops=[border.home])


def test_windows_and_indicators_that_differ_are_named_through_what_a_bridge_may_read(brokers: Brokers) -> None:
    border = Border(brokers)
    records = [named(border, number, NOW_MS + number * WINDOW_MS) for number in range(5)]
    border.release(*records)
    held = [records[0], named(border, 1, NOW_MS), records[3], records[4]]
    values = [(each["id"].encode(), PARTNER_CODEC.encode(RELEASED_INDICATOR, each)) for each in held]
    border.put(border.there, topics.accepted(border.home), values)
    settled(border)
    sides = Side(border.here, CODEC), Side(border.there, PARTNER_CODEC)
    found = reconcile(*sides, range(SHARDS), grace_ms=-1000)  # nothing of it is too young
    assert (found.released, found.held) == (5, 4)
    windows = [window_of(NOW_MS + number * WINDOW_MS) for number in range(3)]
    assert found.windows == tuple((0, window) for window in windows)
    assert sorted(found.differences, key=lambda each: each.differs) == [
        Difference(Differs.MISSING, records[2]["id"], 0, records[2]["version"], 0),
        Difference(Differs.STALE, records[1]["id"], 0, records[1]["version"], NOW_MS),
    ]
    every = reconcile(*sides, range(SHARDS), full=True, grace_ms=-1000).differences
    assert [each for each in every if each.differs is not Differs.UNANSWERED] == list(found.differences)
    unanswered = {each.indicator_id for each in every if each.differs is Differs.UNANSWERED}
    assert unanswered == {records[number]["id"] for number in (0, 3, 4)}  # no receipt of it has returned
    assert reconcile(*sides, range(SHARDS)).differences == ()  # all of it was released a moment ago

    released = topics.released(border.partner)
    carried = a_progress(inputs=[{"topic": released, "topic_id": "", "partition": 0, "next_offset": 2}])
    shown = [(b"0", PARTNER_CODEC.encode(PROGRESS, carried))]
    border.put(border.there, topics.progress(topics.bridge_step(border.home)), shown)
    kinds = [each.differs for each in reconcile(*sides, range(SHARDS), grace_ms=-1000).differences]
    assert kinds == [Differs.STALE]  # the one that is missing has not been carried yet


def test_it_runs_by_itself_and_shows_what_it_found_and_when(brokers: Brokers) -> None:
    """An error leaves what is known: it grows old, and that is seen."""
    border = Border(brokers)
    metrics = Metrics(Role.BRIDGE, border.home, "0", {})
    answers: list[Comparison | BrokerUnavailable] = [
        Comparison(9, 8, ((0, 0),), (Difference(Differs.MISSING, "indicator--x", 0, 1, 0),)),
        BrokerUnavailable("no"),
    ]

    def find(*_: object) -> Comparison:
        answer = answers.pop(0) if answers else BrokerUnavailable("no")
        if isinstance(answer, Comparison):
            return answer
        raise answer

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(
            f"kakehashi_{name}", {"from": border.home, "to": border.partner} | labels
        )

    reconciler = Reconciler(Side.of(border.here), Side.of(border.there), [0], metrics, 0.01, find)
    reconciler.start()
    eventually(lambda: not answers, 30, "it has run more than once")
    reconciler.stop()
    assert value("reconcile_differences", differs="missing") == 1
    assert value("reconcile_differences", differs="extra") == 0
    assert (value("last_reconciled_seconds") or 0) > NOW_MS / 1e6


def test_one_that_never_succeeds_is_seen_to_have_never_been_done(brokers: Brokers) -> None:
    border = Border(brokers)
    metrics, asked = Metrics(Role.BRIDGE, border.home, "0", {}), threading.Event()

    def find(*_: object) -> Comparison:
        asked.set()
        raise BrokerUnavailable("no")

    reconciler = Reconciler(Side.of(border.here), Side.of(border.there), [0], metrics, 0.01, find)
    reconciler.start()
    assert asked.wait(30)
    reconciler.stop()
    nations = {"from": border.home, "to": border.partner}
    assert metrics.registry.get_sample_value("kakehashi_last_reconciled_seconds", nations) == 0
    assert (
        metrics.registry.get_sample_value("kakehashi_reconcile_differences", nations | {"differs": "missing"}) is None
    )


@pytest.mark.parametrize("differs", list(Differs))
def test_a_difference_is_one_line_of_json_for_a_tool(differs: Differs) -> None:
    line = msgspec.json.encode(Difference(differs, "indicator--x", 0, 1, 2, ""))
    assert msgspec.json.decode(line)["differs"] == differs
