"""All hops at once: streams of both nations and the bridge between them, and how much goes through all of it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from bench.pipeline import absorb, brokers_cpu
from bench.progress import StepProgress
from bench.publish import Publisher, encoded
from bench.role import Role, cpu_seconds
from bench.stand import HOME, PARTNER, ROLL_UP_MS, Stand
from bench.workload import Work
from schemas import topics

ROLES: Final = (
    ("streams-home", ("kakehashi", "streams", "--nation", HOME)),
    ("streams-partner", ("kakehashi", "streams", "--nation", PARTNER)),
    ("bridge", ("kakehashi", "bridge", "--nation", HOME, "--partner", PARTNER)),
)
_DONE_S: Final = 600.0


@contextmanager
def all_hops(stand: Stand, home_workers: int = 1, roll_up_ms: int = ROLL_UP_MS) -> Iterator[Sequence[Role]]:
    """The three processes, ready, over fresh topics; ended with the block. Further workers at home come last."""
    stand.refresh()
    further = [(f"{ROLES[0][0]}-{number}", ROLES[0][1]) for number in range(2, home_workers + 1)]
    with ExitStack() as running:
        roles = []
        for name, arguments in (*ROLES, *further):
            environment = stand.environment(
                KAKEHASHI_STATE=str(stand.folder / "state" / name), KAKEHASHI_ROLL_UP_MS=str(roll_up_ms)
            )
            roles.append(running.enter_context(Role.start(name, arguments, environment, stand.folder)))
        for role in roles:
            role.await_ready()
        yield roles


def measure(stand: Stand, work: Work) -> dict[str, Any]:
    """Observations a second from the first published report to the last record's commit on the partner's topic."""
    records, publisher = encoded(work), Publisher(stand.home)
    with all_hops(stand) as roles:
        home, partner, bridge = roles
        before = [cpu_seconds(role.pid) for role in roles]
        brokers, began = brokers_cpu(stand), time.monotonic()
        publisher.publish(records)
        absorb(stand, home, records)
        released = topics.released(PARTNER)
        carried = StepProgress(stand.partner, topics.bridge_step(HOME), released)
        carried.await_end(stand.home, bridge, _DONE_S)
        inbox = topics.inbox(HOME)
        accepted = StepProgress(stand.partner, f"receive.{HOME}", inbox)
        ended = accepted.await_end(stand.partner, partner, _DONE_S)
        cpu = [cpu_seconds(role.pid) - used for role, used in zip(roles, before, strict=True)]
        broker_cpu = brokers_cpu(stand) - brokers
        carried.close()
        accepted.close()
    per = 1e6 / work.observations
    return {
        "work": work.name,
        "observations": work.observations,
        "seconds": round(ended - began, 3),
        "rate": round(work.observations / (ended - began)),
        "cpu_us": {name: round(used * per, 1) for (name, _), used in zip(ROLES, cpu, strict=True)}
        | {"brokers": round(broker_cpu * per, 1)},
    }
