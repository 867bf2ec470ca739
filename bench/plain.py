"""The plain Faust agent (a): its end is when its changelog holds all observations."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bench.agent import Absorb, Agent
from bench.agent_options import AgentOptions
from bench.plain_agent import TABLE
from bench.publish import Sending
from bench.role import Role
from bench.stand import SHARDS, Stand
from exchange.errors import BrokerUnavailable, FatalError
from exchange.kafka.clients import end_offset
from schemas import topics

_DONE_S: Final = 300.0
_POLL_S: Final = 0.1


def _start(stand: Stand, options: AgentOptions) -> Role:
    return Role.start("plain", ["bench.plain_agent", *options.arguments()], stand.environment(), stand.folder)


@contextmanager
def _following(stand: Stand, options: AgentOptions, role: Role) -> Iterator[Absorb]:
    kept = (f"{options.name}-{TABLE}-changelog", topics.QUARANTINE)

    def absorb(sent: Sequence[Sending]) -> float:
        """Wait until the table's changelog and quarantine have one record for each: each writes its row once, after
        its outputs were handed to the same producer, or is refused."""
        deadline = time.monotonic() + _DONE_S
        while True:
            role.check()
            try:
                found = sum(end_offset(stand.home, topic, shard) for topic in kept for shard in range(SHARDS))
            except BrokerUnavailable:
                found = 0  # the agent makes its changelog topic itself, when it starts
            if found >= len(sent):
                return time.monotonic()
            if time.monotonic() > deadline:
                raise FatalError(f"the plain agent has done {found} of {len(sent)} records:\n{role.log_tail()}")
            time.sleep(_POLL_S)

    yield absorb


PLAIN: Final = Agent("plain Faust agent", _start, _following)
