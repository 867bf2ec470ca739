"""A bridge whose link is cut at every moment of a transaction, held and narrowed; and one that comes back too late."""

import time
from functools import partial
from random import Random

import pytest

from exchange.clock import now_ms
from localkafka.relay import Way
from tests.faults.agreement import agree
from tests.faults.feeder import Feeder
from tests.faults.gaps import retention_overtakes_a_bridge
from tests.faults.kinds import WITHIN_S, World
from tests.faults.link_kinds import MOMENTS
from tests.polling import eventually

pytestmark = pytest.mark.kafka

HELD_S = 2.0
NARROW_BYTES_PER_S = 20_000


def test_whatever_happens_to_the_link_each_record_arrives_once(world: World, feeder: Feeder) -> None:
    link = world.nations.links["JPN"]
    for kind, answer in MOMENTS:
        cut = link.relay.cut_at(kind, answer=answer)
        assert cut.wait(WITHIN_S), f"the bridge comes to {kind.name}"
        link.restore()
        feeder.goes_on("GBR", now_ms(), WITHIN_S)
    link.relay.hold(*Way)
    time.sleep(HELD_S)  # that nothing happens cannot be waited for
    link.relay.cut()
    link.restore()
    link.relay.throttle(NARROW_BYTES_PER_S)
    feeder.goes_on("GBR", now_ms(), WITHIN_S)
    link.restore()
    feeder.stop()
    assert world.nations.settled(WITHIN_S, ["GBR"])["GBR"].clean
    eventually(lambda: agree(world.nations, "GBR"), WITHIN_S, "both sides agree")


def test_a_bridge_that_was_away_for_longer_than_retention_reports_it_and_what_was_lost_is_sent_again(
    world: World,
) -> None:
    """It fails where the gap is not declared, or if both sides are not as the model states after the repair."""
    _, (declared,) = retention_overtakes_a_bridge(world, Random(1))
    announced_again = int(declared.split("; ")[1].split()[0])
    assert announced_again > 0
    assert world.nations.settled(WITHIN_S)["GBR"].clean
    for home in world.nations.brokers:
        eventually(partial(agree, world.nations, home), WITHIN_S, f"both sides agree on {home}'s")
