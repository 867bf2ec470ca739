"""Declared losses: a topic that a shard depends on is deleted and recreated. The shard stops; a person rebuilds it.

Inflicted at rest, when everything that was sent is where it belongs. Then nothing is lost but what the command states,
and what comes after is counted like everything before. A rebuilt correlate alone may tell its partner less than the
lost one would have: it does not know any more what came under which marking.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any, Final

from confluent_kafka.admin import AdminClient

from exchange.errors import Exit
from exchange.kafka.topics_admin import ensure_topics
from schemas import topics
from tests.faults.kinds import WITHIN_S, Hit, World
from tests.integration.nations import NATIONS, partner_of
from tests.integration.role import Role
from tests.polling import eventually

COMMAND_S: Final = 300.0

Loss = Callable[[World, Random], tuple[Hit, list[str]]]
"""What was hit, and what the command states is lost."""


def lose_the_changelog_of_intake(world: World, random: Random) -> tuple[Hit, list[str]]:
    """The numbers that were counted are gone, in all shards of a nation; the reports still stand on their topic."""
    return _lose(world, random.choice(NATIONS), "intake", topics.changelog("intake"))


def lose_the_changelog_of_receive(world: World, random: Random) -> tuple[Hit, list[str]]:
    """The version floors are gone, in all shards of a nation; the picture of the partner still has them."""
    nation = random.choice(NATIONS)
    step = f"receive.{partner_of(nation)}"
    return _lose(world, nation, step, topics.changelog(step))


def lose_the_changelog_of_correlate(world: World, random: Random) -> tuple[Hit, list[str]]:
    """Every indicator's row is gone, in all shards of a nation; what was reported of them still stands."""
    return _lose(world, random.choice(NATIONS), "correlate", topics.changelog("correlate"))


def recreate_the_source_of_correlate(world: World, random: Random) -> tuple[Hit, list[str]]:
    """The topic that correlate reads was recreated under the same name, so that no offset is valid any more."""
    return _lose(world, random.choice(NATIONS), "correlate", topics.OBSERVATIONS)


def _lose(world: World, nation: str, step: str, topic: str) -> tuple[Hit, list[str]]:
    workers = world.workers(nation)
    for worker in workers:
        world.supervisor.leave_alone(worker)
        worker.stop()
    recreate(world, nation, topic)
    refuses_to_go_on(workers[0])
    shown = rebuild(world, nation, step)
    for worker in workers:
        world.supervisor.want(worker)
    return Hit(f"{topic} of {nation}", world.nations.shards), shown


def recreate(world: World, nation: str, topic: str) -> None:
    """Delete a topic, and make it anew under its name."""
    cluster = world.nations.clusters[nation]
    admin = AdminClient(cluster.client())
    admin.delete_topics([topic])[topic].result(WITHIN_S)
    eventually(lambda: topic not in admin.list_topics(timeout=10).topics, WITHIN_S, f"{topic} is deleted")
    ensure_topics(cluster, topics.topics_of(nation, (partner_of(nation),), world.nations.shards))


def refuses_to_go_on(worker: Role) -> None:
    """Started, it stops to keep a promise, and states what to do."""
    worker.start()
    eventually(lambda: not worker.runs, WITHIN_S, f"{worker.name} stops")
    if worker.exit_code != Exit.STOPPED or not worker.has_logged("kakehashi shard rebuild"):
        raise AssertionError(f"{worker.name} ended with {worker.exit_code}, not stopped:\n{worker.tail()}")


def rebuild(world: World, nation: str, step: str) -> list[str]:
    """Rebuild every shard of a step; what the command states is lost."""
    shown: list[str] = []
    for shard in range(world.nations.shards):
        words = ("shard", "rebuild", "--nation", nation, "--step", step, "--shard", str(shard), "--json")
        report: dict[str, Any] = json.loads(command(world, *words))
        shown += [f"{nation} {step} shard {shard}: {_amount(loss)}{loss['what']}" for loss in report["lost"]]
    return shown


def _amount(loss: Mapping[str, Any]) -> str:
    return "" if loss["count"] is None else f"{loss['count']} "


def command(world: World, *arguments: str, may_end: Collection[int] = (Exit.OK,)) -> str:
    """What ``kakehashi`` with these arguments prints. Fails where it ends in another way."""
    done = subprocess.run(
        [sys.executable, "-m", "kakehashi", *arguments],
        env=world.nations.environ,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    if done.returncode not in may_end:
        raise AssertionError(f"kakehashi {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


LOSSES: Final[Mapping[str, Loss]] = {
    "lose the changelog of intake": lose_the_changelog_of_intake,
    "lose the changelog of receive": lose_the_changelog_of_receive,
    "recreate the source of correlate": recreate_the_source_of_correlate,
}
"""Those after which everything is as the model states."""

LAST: Final[Mapping[str, Loss]] = {"lose the changelog of correlate": lose_the_changelog_of_correlate}
"""Those after which a partner may receive less: they end a run."""
