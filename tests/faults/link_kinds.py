"""The kinds of faults of the long link, each in the way of one bridge, and each heals."""

import time
from collections.abc import Mapping
from random import Random
from typing import Final

from localkafka.relay import Way
from localkafka.requests import Kind
from tests.faults.kinds import WITHIN_S, Fault, Hit, World
from tests.integration.nations import NATIONS, partner_of
from tests.link.faulty import FaultyLink, names_can_fail

# Where a transaction can be cut: before its first record, amid them, before its commit, and when no one knows any more
# whether it is committed.
MOMENTS: Final = (
    (Kind.ADD_PARTITIONS_TO_TXN, True),
    (Kind.PRODUCE, False),
    (Kind.PRODUCE, True),
    (Kind.END_TXN, False),
    (Kind.END_TXN, True),
)


def _link(world: World, random: Random) -> tuple[str, FaultyLink]:
    """The way of a bridge, and the bridge's name."""
    home = random.choice(NATIONS)
    return f"bridge-{home}", world.nations.links[partner_of(home)]


def cut_in_a_transaction(world: World, random: Random) -> Hit:
    """The link is cut at a request of an open transaction, or when that has been answered and no one receives it."""
    bridge, link = _link(world, random)
    kind, answer = random.choice(MOMENTS)
    cut = link.relay.cut_at(kind, answer=answer)
    if not cut.wait(WITHIN_S):
        raise AssertionError(f"{bridge} has begun no transaction within {WITHIN_S:g} s")
    time.sleep(random.choice([0, random.uniform(0, 1), random.uniform(1, 8)]))
    link.restore()
    return Hit(f"{bridge} at {'the answer to ' if answer else ''}{kind.name}")


def hold_a_link(world: World, random: Random) -> Hit:
    """Half open: connections stand, and nothing comes on one way, or on either. Some of them never continue again."""
    bridge, link = _link(world, random)
    ways = random.choice([(Way.OUT,), (Way.BACK,), tuple(Way)])
    link.relay.hold(*ways)
    time.sleep(random.choice([random.uniform(2, 10), random.uniform(10, 40)]))  # a transaction lasts 30 s
    if random.random() < 0.5:
        link.relay.cut()
    link.restore()
    return Hit(f"{bridge}, {' and '.join(way.value for way in ways)}")


def narrow_a_link(world: World, random: Random) -> Hit:
    """It carries a trickle: requests and answers are under way for seconds."""
    bridge, link = _link(world, random)
    bytes_per_s = random.choice([2_000, 10_000, 50_000])
    link.relay.throttle(bytes_per_s)
    time.sleep(random.uniform(5, 15))
    link.restore()
    return Hit(f"{bridge} to {bytes_per_s} bytes/s")


def cut_a_link(world: World, random: Random) -> Hit:
    """The partner cannot be reached for a while: whoever connects is refused."""
    bridge, link = _link(world, random)
    link.relay.cut()
    time.sleep(random.choice([random.uniform(0, 3), random.uniform(3, 15), random.uniform(35, 45)]))
    link.restore()
    return Hit(bridge)


def forget_a_name(world: World, random: Random) -> Hit:
    """The partner's brokers have no address any more; at times the bridge is started anew meanwhile."""
    bridge, link = _link(world, random)
    link.forget_the_name()
    link.relay.cut()
    link.relay.restore()  # what is missing is the name
    if random.random() < 0.5:
        next(role for role in world.bridges() if role.name.startswith(bridge)).kill()
    time.sleep(random.uniform(3, 20))
    link.restore()
    return Hit(bridge)


def stop_a_broker_for_long(world: World, random: Random) -> Hit:
    """A nation's broker is away, perhaps for longer than a transaction lasts: its workers and its partner wait."""
    nation = random.choice(NATIONS)
    world.nations.brokers[nation].stop()
    time.sleep(random.uniform(10, 40))
    world.nations.brokers[nation].restart()
    return Hit(nation)


LINK_KINDS: Final[Mapping[str, tuple[Fault, int]]] = {
    "cut a link in a transaction": (cut_in_a_transaction, 8),
    "hold a link half open": (hold_a_link, 2),
    "narrow a link": (narrow_a_link, 2),
    "cut a link for a while": (cut_a_link, 2),
    **({"forget a link's name": (forget_a_name, 2)} if names_can_fail() else {}),
    "stop a broker for long": (stop_a_broker_for_long, 1),
}
"""Each kind with how often it comes, against all others."""
