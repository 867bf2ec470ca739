"""A bridge in a process of its own that ends, or stands still, between two steps of the commit protocol.

At each moment what the bridge has handed to its client is at the broker: a process that ends would otherwise take it
along, and no transaction would be left open.
"""

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Producer

from consumers.bridge.border_feed import BorderFeed, UrgentBorderFeed
from consumers.bridge.log import BridgeLog
from consumers.bridge.step import Bridge
from consumers.bridge.threads import border_watch, bridge_threads
from exchange.clock import now_ms
from exchange.kafka import clients
from exchange.kafka.clients import Cluster
from exchange.kafka.transactions import Transactions
from exchange.metrics.kinds import Role
from exchange.protocol.home import HomeWriter
from exchange.protocol.shard import Phase
from exchange.role import end_at_once, metrics_of
from exchange.settings import Settings
from schemas import topics
from schemas.links import all_agreed
from tests.consumers.border import SHARDS
from tests.polling import eventually

_FLUSH_S: Final = 30.0
_TAKEN_S: Final = 60.0


class OurProducer(Producer):
    """The client's, but its methods can be replaced."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When this call has been made, or is about to be."""

    owner: type
    method: str
    is_made: bool = True


BULK: Final[Mapping[str, Moment]] = {
    "its predecessor is fenced": Moment(Transactions, "fence"),
    "its position is read": Moment(BridgeLog, "position"),
    "its inputs are resumed": Moment(BorderFeed, "resume"),
    "records are polled": Moment(BorderFeed, "poll"),
    "a batch is computed": Moment(Bridge, "compute"),
    "its refusals are written at home": Moment(HomeWriter, "write"),
    "a transaction is begun": Moment(OurProducer, "begin_transaction"),
    "one record is written": Moment(OurProducer, "produce"),
    "all is written, and not committed": Moment(OurProducer, "commit_transaction", is_made=False),
    "it is committed, and not acknowledged": Moment(OurProducer, "commit_transaction"),
    "it is acknowledged": Moment(BorderFeed, "acknowledge"),
}
"""Between any two steps of a transaction."""

FAST: Final[Mapping[str, Moment]] = {
    "its inputs are resumed": Moment(UrgentBorderFeed, "resume"),
    "records are polled": Moment(UrgentBorderFeed, "poll"),
    "its refusals are written at home": Moment(HomeWriter, "write"),
    "one copy is written": Moment(OurProducer, "produce"),
    "all copies are written, and not its position": Moment(OurProducer, "flush"),
    "it is acknowledged": Moment(UrgentBorderFeed, "acknowledge"),
}
"""Between any two steps of the fast lane, which has no transactions."""


def carry_until(here: Cluster, there: Cluster, step: str, moment: Moment, number: signal.Signals) -> None:
    """Carry as a bridge does, until the thread of ``step`` comes to this moment: then this signal for the process."""
    clients.Producer = OurProducer  # type: ignore[attr-defined]  # whoever makes one makes this
    _arm(f"{step}-0", moment, number)
    pair = here.nation, there.nation
    settings = Settings(nations=pair, shards=SHARDS, links={pair: all_agreed(*pair)})
    metrics = metrics_of(Role.BRIDGE, here.nation, (there.nation,), (topics.bridge_step(here.nation),))
    watch = border_watch(here, settings, now_ms).start()
    threads = bridge_threads(here, there, settings, watch, now_ms, metrics, end_at_once, range(SHARDS))
    # The other lane first: one that had still to take its shard would be no zombie when it wakes, but the newest owner.
    for thread in sorted(threads, key=lambda each: each.step == step):
        thread.start()
        eventually(lambda: thread.step == step or thread.pulse.phase is Phase.RUNNING, _TAKEN_S, "it runs")  # noqa: B023  # now
    threading.Event().wait()


def _arm(thread: str, moment: Moment, number: signal.Signals) -> None:
    real, is_over = getattr(moment.owner, moment.method), threading.Event()

    def strike(owner: object) -> None:
        if threading.current_thread().name == thread and not is_over.is_set():
            is_over.set()
            if isinstance(owner, Producer):
                Producer.flush(owner, _FLUSH_S)
            os.kill(os.getpid(), number)

    def call(owner: object, *arguments: Any, **named: Any) -> Any:
        if not moment.is_made:
            strike(owner)
        result = real(owner, *arguments, **named)
        if moment.is_made and result != []:  # a poll for which nothing has come is none
            strike(owner)
        return result

    setattr(moment.owner, moment.method, call)
