"""Gaps in the way to a partner: what was released is gone before it was carried or received. Declared, then repaired.

At rest but for traffic of its own, which is what gets lost. Whoever meets the gap reports it and continues; then
``kakehashi reconcile --repair`` has it reported again by an officer, until both sides are as the model states.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

# Not exported to type checkers by the package.
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from exchange.errors import Exit
from exchange.kafka.clients import begin_offset, end_offset
from exchange.kafka.progress import last_progress
from schemas import topics
from schemas.codec import Codec
from tests.faults.agreement import agree
from tests.faults.feeder import Feeder
from tests.faults.kinds import WITHIN_S, Hit, World
from tests.faults.losses import Loss, command, rebuild, recreate, refuses_to_go_on
from tests.integration.nations import NATIONS, partner_of
from tests.integration.role import Role
from tests.officers import ALICE, write_key
from tests.polling import eventually

REPAIRED_S: Final = 180.0
GRACE_S: Final = "5"  # what was released since is on its way, and needs no repair
_CODEC: Final = Codec()


def retention_overtakes_a_bridge(world: World, random: Random) -> tuple[Hit, list[str]]:
    """A bridge is away, and what it has not carried is deleted, by someone: a compacted topic keeps it."""
    home = random.choice(NATIONS)
    partner, (bridge,) = partner_of(home), _bridges(world, home)
    _send_away(world, [bridge])
    _feed_until(world, home, random, lambda: _has_settled_more_than_carried(world, home))
    released = topics.released(partner)
    cut = {shard: _next(world, home, topics.settle_step(partner), shard, released) for shard in _shards(world)}
    _delete(world, home, released, cut)
    _comes_back_and_logs(world, bridge, "feed.gap topic=" + released)
    return Hit(bridge.name), [_repaired(world, f"{released}: {_places(cut)}")]


def retention_overtakes_a_partner(world: World, random: Random) -> tuple[Hit, list[str]]:
    """A partner's workers are away for longer than its inbox keeps what has come."""
    home = random.choice(NATIONS)
    partner, inbox = partner_of(home), topics.inbox(home)
    cluster, workers = world.nations.clusters[partner], world.workers(partner)
    _fill_unread(world, home, random)
    cut = {shard: end_offset(cluster, inbox, shard) for shard in _shards(world)}
    _delete(world, partner, inbox, cut)
    _comes_back_and_logs(world, workers[0], "feed.gap topic=" + inbox, workers[1:])
    return Hit(f"workers of {partner}"), [_repaired(world, f"{inbox}: {_places(cut)}")]


def recreate_an_inbox(world: World, random: Random) -> tuple[Hit, list[str]]:
    """The partner's inbox is another one now; what had come and was not received is gone with the old one."""
    home = random.choice(NATIONS)
    partner, inbox = partner_of(home), topics.inbox(home)
    workers = world.workers(partner)
    _fill_unread(world, home, random)
    recreate(world, partner, inbox)
    world.nations.direction(home).begin_again(inbox)
    refuses_to_go_on(workers[0])
    shown = rebuild(world, partner, f"receive.{home}")
    for worker in workers:
        world.supervisor.want(worker)
    return Hit(f"{inbox} of {partner}"), [*shown, _repaired(world, f"{inbox} made anew")]


def recreate_what_is_released(world: World, random: Random) -> tuple[Hit, list[str]]:
    """What a nation has released is on another topic now; of the old one not everything was carried, or the bridge
    runs, and has it taken from under it."""
    home = random.choice(NATIONS)
    partner, (bridge,), workers = partner_of(home), _bridges(world, home), world.workers(home)
    released, since = topics.released(partner), bridge.log.stat().st_size
    if random.random() < 0.5:
        _send_away(world, [bridge])
        _feed_until(world, home, random, lambda: _has_settled_more_than_carried(world, home))
    _send_away(world, workers)
    recreate(world, home, released)
    world.nations.direction(home).begin_again(released)
    refuses_to_go_on(workers[0])
    shown = rebuild(world, home, topics.settle_step(partner))
    for worker in workers:
        world.supervisor.want(worker)
    world.supervisor.want(bridge)
    words = "bridge.source_recreated topic=" + released
    eventually(lambda: bridge.has_logged(words, since), WITHIN_S, f"{bridge.name} says {words!r}")
    return Hit(f"{released} of {home}"), [*shown, _repaired(world, f"{released} made anew")]


def delete_a_position_abroad(world: World, random: Random) -> tuple[Hit, list[str]]:
    """A bridge comes back, and where it stood is gone: it carries all again, and its partner drops what it has."""
    home = random.choice(NATIONS)
    (bridge,) = _bridges(world, home)
    _send_away(world, [bridge])
    _feed_until(world, home, random, lambda: _has_settled_more_than_carried(world, home))
    world.nations.direction(home).forget_inbox()
    recreate(world, partner_of(home), topics.progress(topics.bridge_step(home)))
    _comes_back_and_logs(world, bridge, "bridge.position_lost")
    return Hit(bridge.name), []


def _shards(world: World) -> range:
    return range(world.nations.shards)


def _bridges(world: World, home: str) -> list[Role]:
    return [role for role in world.bridges() if role.name.startswith(f"bridge-{home}-")]


def _send_away(world: World, roles: Sequence[Role]) -> None:
    for role in roles:
        world.supervisor.leave_alone(role)
        role.stop()


def _fill_unread(world: World, home: str, random: Random) -> None:
    """The partner's workers go, and every partition of its inbox gets what no one receives."""
    partner, inbox = partner_of(home), topics.inbox(home)
    cluster = world.nations.clusters[partner]
    _send_away(world, world.workers(partner))
    begins = {shard: end_offset(cluster, inbox, shard) for shard in _shards(world)}
    _feed_until(world, home, random, lambda: all(end_offset(cluster, inbox, each) > begins[each] for each in begins))


def _comes_back_and_logs(world: World, role: Role, words: str, others: Sequence[Role] = ()) -> None:
    """Whoever of them takes the shard states it."""
    roles = [role, *others]
    since = {each.name: each.log.stat().st_size for each in roles}
    for each in roles:
        world.supervisor.want(each)
    eventually(
        lambda: any(each.has_logged(words, since[each.name]) for each in roles), WITHIN_S, f"{role.name} says {words!r}"
    )


def _feed_until(world: World, home: str, random: Random, is_enough: Callable[[], bool]) -> None:
    feeder = Feeder(world.nations, [home], seed=random.randrange(1 << 30))
    feeder.start()
    try:
        eventually(is_enough, WITHIN_S, f"{home}'s traffic has come so far")
    finally:
        feeder.stop()


def _has_settled_more_than_carried(world: World, home: str) -> bool:
    """Whether settle knows of releases, in each shard, that the bridge has not carried."""
    partner = partner_of(home)
    released = topics.released(partner)
    return all(
        _next(world, home, topics.settle_step(partner), shard, released)
        > _next(world, partner, topics.bridge_step(home), shard, released)
        for shard in _shards(world)
    )


def _next(world: World, nation: str, step: str, shard: int, topic: str) -> int:
    """Where a step on this nation's cluster continues in a topic."""
    found = last_progress(world.nations.clusters[nation], step, shard, _CODEC)
    inputs = () if found is None else found["inputs"]
    return next((each["next_offset"] for each in inputs if each["topic"] == topic), 0)


def _delete(world: World, nation: str, topic: str, cut: Mapping[int, int]) -> None:
    """Delete what is before these offsets, as retention does. Of a compacted topic Kafka would refuse it."""
    cluster = world.nations.clusters[nation]
    admin = AdminClient(cluster.client())
    policy = next(
        each.settings()["cleanup.policy"]
        for each in topics.topics_of(nation, (partner_of(nation),), world.nations.shards)
        if each.name == topic
    )
    _set_policy(admin, topic, "compact,delete" if policy == "compact" else policy)
    places = [TopicPartition(topic, shard, offset) for shard, offset in cut.items()]

    def deleted() -> bool:
        # A broker learns of a policy a moment after it was set.
        return all(done.exception(WITHIN_S) is None for done in admin.delete_records(places).values())

    eventually(deleted, WITHIN_S, f"{topic} is cut at {cut}")
    _set_policy(admin, topic, policy)
    for shard, offset in cut.items():
        if begin_offset(cluster, topic, shard) != offset:
            raise AssertionError(f"{topic}-{shard} does not begin at {offset}")


def _set_policy(admin: AdminClient, topic: str, policy: str) -> None:
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(WITHIN_S)


def _places(cut: Mapping[int, int]) -> str:
    return ", ".join(f"partition {shard} before offset {offset}" for shard, offset in cut.items())


def _repaired(world: World, what: str) -> str:
    """Reconcile and repair, until both sides agree; what was lost, and how much was reported again.

    In both directions: with what one has reported, the other's receipts for what it has had are lost.
    """
    key = str(write_key(ALICE, world.nations.folder))
    again: set[str] = set()
    give_up = time.monotonic() + REPAIRED_S
    while unlike := [home for home in NATIONS if not agree(world.nations, home)]:
        if time.monotonic() > give_up:
            raise AssertionError(f"{what}: not repaired within {REPAIRED_S:g} s, {len(again)} were reissued")
        for home in unlike:
            words = (
                "reconcile",
                "--nation",
                home,
                "--partner",
                partner_of(home),
                "--full",
                "--grace",
                GRACE_S,
                "--json",
            )
            done = command(world, *words, "--repair", "--key", key, may_end=(Exit.OK, Exit.REFUSED, Exit.UNAVAILABLE))
            again |= {json.loads(line)["indicator_id"] for line in done.splitlines()}
    return f"{what}; {len(again)} indicators were reissued"


GAPS: Final[Mapping[str, Loss]] = {
    "retention overtakes a bridge": retention_overtakes_a_bridge,
    "retention overtakes a partner": retention_overtakes_a_partner,
    "recreate an inbox": recreate_an_inbox,
    "recreate what is released": recreate_what_is_released,
    "delete a position abroad": delete_a_position_abroad,
}
"""Those that a bridge or its partner meets; after each everything is as the model states."""
