"""``kill -9`` of every process in the middle of its work: it continues within seconds, nothing is lost or twice."""

import os
from collections.abc import Callable

import pytest

from exchange.clock import now_ms
from tests.conftest import MEASURED
from tests.faults.agreement import agree
from tests.faults.feeder import Feeder
from tests.integration.nations import Nations
from tests.polling import eventually
from tests.reference.audit import Audit

GOES_ON_S = 15.0
WITHIN_S = 90.0


def _goes_on_s() -> float:
    """How long it may take: 15 s, and more only where the machine has twice as much to do as it can, or worse.

    To be asked when it has gone on: later the machine is quiet again.
    """
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return GOES_ON_S * max(1.0, load / 2)


def _settled(nations: Nations, feeder: Feeder) -> Audit:
    feeder.stop()
    audit = nations.settled(WITHIN_S, ["GBR"])["GBR"]
    assert audit.counts.released > 10
    eventually(lambda: agree(nations, "GBR"), WITHIN_S, "digests, records and receipts agree")
    return audit


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Has the end of the run show how long it took."""

    def record(what: str, seconds: float) -> None:
        record_property(MEASURED, f"went on {seconds:.1f} s after {what}")

    return record


def test_when_a_worker_is_killed_the_one_standing_by_goes_on(
    nations: Nations, feeder: Feeder, show: Callable[[str, float], None]
) -> None:
    """Both workers own a shard. One dies: the group notices when its session ends, and the other takes its shard."""
    worker, other = nations.roles["streams-GBR-1"], nations.roles["streams-GBR-2"]
    other.await_logged("shard.running", WITHIN_S)
    killed_ms = now_ms()
    worker.kill()
    went_on_s = feeder.goes_on("GBR", killed_ms, WITHIN_S)
    allowed_s = _goes_on_s()
    show("a worker was killed", went_on_s)
    assert _settled(nations, feeder).clean
    assert went_on_s < allowed_s


def test_a_bridge_that_is_killed_again_and_again_writes_each_record_once(
    nations: Nations, feeder: Feeder, show: Callable[[str, float], None]
) -> None:
    bridge = nations.roles["bridge-GBR-1"]
    times = []
    for _ in range(3):
        killed_ms = now_ms()
        bridge.kill()
        times.append(feeder.goes_on("GBR", killed_ms, WITHIN_S))
    allowed_s = _goes_on_s()
    show("a bridge was killed", max(times))
    assert _settled(nations, feeder).clean
    assert max(times) < allowed_s


def test_a_receiver_that_comes_back_under_its_name_goes_on_at_once(
    nations: Nations, feeder: Feeder, show: Callable[[str, float], None]
) -> None:
    killed_ms = now_ms()
    nations.roles["streams-JPN-1"].kill()
    went_on_s = feeder.goes_on("GBR", killed_ms, WITHIN_S)
    allowed_s = _goes_on_s()
    show("the receiving side was killed", went_on_s)
    assert _settled(nations, feeder).clean
    assert went_on_s < allowed_s
