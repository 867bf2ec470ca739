"""The kinds of faults: each is one thing that goes wrong, when and for whom a seed chooses, and that heals."""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from exchange.errors import Exit
from tests.faults.supervisor import Supervisor
from tests.integration.nations import NATIONS, Nations
from tests.integration.role import Role
from tests.polling import eventually

SESSION_S: Final = 8.0  # how long the group waits for a worker that is silent
WITHIN_S: Final = 120.0
FULL_AT_BYTES: Final = 64 << 10
_MOST_KILLS: Final = 6


@dataclass(frozen=True, slots=True)
class World:
    """Two nations with two workers each, and who looks after them."""

    nations: Nations
    supervisor: Supervisor

    def workers(self, nation: str = "") -> list[Role]:
        """The workers that are wanted, of one nation or of both."""
        return self._wanted(f"streams-{nation}")

    def bridges(self) -> list[Role]:
        """The bridges that are wanted."""
        return self._wanted("bridge-")

    def _wanted(self, prefix: str) -> list[Role]:
        found = [role for role in self.nations.all_roles if role.name.startswith(prefix)]
        return [role for role in found if self.supervisor.wants(role)]


@dataclass(frozen=True, slots=True)
class Hit:
    """Who was hit, and how often: a storm of kills is one fault."""

    victim: str
    blows: int = 1


Fault = Callable[[World, Random], Hit]


def _kill_again_and_again(role: Role, random: Random) -> Hit:
    """Each time at another moment: while it starts, while it takes its shards, in the middle of its work."""
    blows = random.randint(1, _MOST_KILLS)
    for _ in range(blows):
        role.kill()
        time.sleep(random.choice([random.uniform(0, 0.5), random.uniform(0.5, 3), random.uniform(3, 6)]))
    return Hit(role.name, blows)


def kill_a_worker(world: World, random: Random) -> Hit:
    """``kill -9`` of one worker, and with it of intake, correlate, receive and settle; it is started again."""
    return _kill_again_and_again(random.choice(world.workers()), random)


def kill_all_workers_of_a_nation(world: World, random: Random) -> Hit:
    """No one stands by any more: everything is taken up from what is committed."""
    nation = random.choice(NATIONS)
    workers = world.workers(nation)
    for worker in workers:
        worker.kill()
    return Hit(nation, len(workers))


def kill_a_bridge(world: World, random: Random) -> Hit:
    """``kill -9`` of one bridge, now and then again before it is well up."""
    return _kill_again_and_again(random.choice(world.bridges()), random)


def kill_everything_at_once(world: World, random: Random) -> Hit:  # there is nothing to choose
    """Both nations' workers and bridges, as when the power fails."""
    roles = [*world.workers(), *world.bridges()]
    for role in roles:
        role.kill()
    return Hit("both nations", len(roles))


def pause_a_worker(world: World, random: Random) -> Hit:
    """A worker stands still for longer than its session; its shards continue elsewhere; then it wakes, a zombie."""
    worker = random.choice(world.workers())
    worker.pause()
    time.sleep(SESSION_S * random.uniform(0.5, 2.5))
    worker.wake()
    return Hit(worker.name)


def replace_a_paused_bridge(world: World, random: Random) -> Hit:
    """A bridge stands still, a second one fences it; when the first wakes it must stop, and not fence back."""
    bridge = random.choice(world.bridges())
    home, number = bridge.name.split("-")[1:]
    world.supervisor.leave_alone(bridge)
    bridge.pause()
    successor = world.nations.add_bridge(home, int(number) + 1)
    successor.start()
    successor.await_logged("shard.running", WITHIN_S)
    bridge.wake()
    eventually(lambda: not bridge.runs, WITHIN_S, f"{bridge.name} ends")
    if bridge.exit_code != Exit.FENCED:
        raise AssertionError(f"{bridge.name} woke and ended with {bridge.exit_code}, not fenced:\n{bridge.tail()}")
    return Hit(bridge.name)


def restart_a_broker(world: World, random: Random) -> Hit:
    """A nation's broker goes down in good order, and comes back."""
    nation = random.choice(NATIONS)
    world.nations.brokers[nation].stop()
    time.sleep(random.uniform(0, 5))
    world.nations.brokers[nation].restart()
    return Hit(nation)


def kill_a_broker(world: World, random: Random) -> Hit:
    """A nation's broker dies, and comes back."""
    nation = random.choice(NATIONS)
    world.nations.brokers[nation].kill()
    time.sleep(random.uniform(0, 2))
    world.nations.brokers[nation].restart()
    return Hit(nation)


def rebalance(world: World, random: Random) -> Hit:
    """A third worker joins, works for a while, and leaves in good order."""
    nation = random.choice(NATIONS)
    guest = world.nations.roles.get(f"streams-{nation}-3") or world.nations.add_worker(nation, 3)
    world.supervisor.leave_alone(guest)
    guest.start()
    guest.await_logged("shards.assigned", WITHIN_S, since=guest.log.stat().st_size if guest.log.exists() else 0)
    time.sleep(random.uniform(0, 5))
    code = guest.stop()
    if code != Exit.OK:
        raise AssertionError(f"{guest.name} was asked to stop and ended with {code}:\n{guest.tail()}")
    return Hit(guest.name)


def corrupt_a_state(world: World, random: Random) -> Hit:
    """All workers die, and what they kept on disk is garbage when they come back: it is rebuilt from the changelog."""
    nation = random.choice(NATIONS)
    folder = Path(world.nations.environ["KAKEHASHI_STATE"]) / nation
    for worker in world.workers(nation):
        worker.kill()
    victims = sorted(path for path in folder.rglob("*") if path.suffix in {".sst", ".log"} or "MANIFEST" in path.name)
    damaged = [victim for victim in random.sample(victims, min(4, len(victims))) if victim.exists()]
    for victim in damaged:
        victim.write_bytes(random.randbytes(random.randint(0, 4096)))
    return Hit(nation, len(damaged))


def fill_the_disk(world: World, random: Random) -> Hit:
    """The disk takes no more of what a worker writes: it reports it and ends, again and again, until there is room.

    The room is a limit on the size of a file that the system keeps to for this one process, its log included.
    """
    worker = random.choice(world.workers())
    began = _ends_of(world, worker)
    worker.file_limit = FULL_AT_BYTES
    worker.limit()
    try:
        eventually(lambda: _ends_of(world, worker) > began, WITHIN_S, f"{worker.name} ends with a full disk")
        time.sleep(random.uniform(0, 8))
        return Hit(worker.name, _ends_of(world, worker) - began)
    finally:
        worker.file_limit = resource.RLIM_INFINITY
        worker.limit()


def _ends_of(world: World, role: Role) -> int:
    """How often it has ended because the world is broken."""
    return world.supervisor.ends[role.name, int(Exit.UNAVAILABLE)]


KINDS: Final[Mapping[str, tuple[Fault, int]]] = {
    "kill -9 a worker": (kill_a_worker, 8),
    "kill -9 all workers of a nation": (kill_all_workers_of_a_nation, 2),
    "kill -9 a bridge": (kill_a_bridge, 6),
    "kill -9 everything at once": (kill_everything_at_once, 1),
    "pause a worker past its session": (pause_a_worker, 3),
    "replace a paused bridge": (replace_a_paused_bridge, 1),
    "restart a broker": (restart_a_broker, 2),
    "kill -9 a broker": (kill_a_broker, 2),
    "add and remove a worker": (rebalance, 2),
    "corrupt a state on disk": (corrupt_a_state, 1),
    "fill the disk of a state": (fill_the_disk, 1),
}
"""Each kind with how often it comes, against the others."""
