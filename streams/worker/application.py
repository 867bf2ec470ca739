"""The Faust application of one nation: which worker owns which shard, and the reports' path to their shard.

Faust is used for (ADR 2): membership of the group and assignment of partitions, the agent that
receives reports, timers, signals. A worker that is given partition *i* of ``sensor.reports`` owns shard *i* of
every step: intake is handed its reports by the agent, correlate and receive read their inputs by explicit
assignment. Progress is in the shards' own positions, never in the group's offsets.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final, cast

import faust
from faust.types import TP, EventT, StreamT

from exchange.kafka.clients import Cluster
from exchange.protocol.record import Headers, Record
from exchange.settings import Settings
from schemas import topics
from streams.worker.credentials import credentials
from streams.worker.ownership import Ownership
from streams.worker.transport import CommittedTransport

_log = logging.getLogger(__name__)

_OFFER_AGAIN_S: Final = 0.005
_OFFER_FOR_S: Final = 1.0


def application(
    nation: str, cluster: Cluster, settings: Settings, ownership: Ownership, instance: str | None
) -> faust.App:
    """The application; ``faust.Worker`` runs it. Shards are started and stopped through ``ownership``.

    ``instance`` makes this a static member of the group (KIP-345): a process that dies and restarts under the
    same name within the session timeout gets its shards back at once, and no other worker is interrupted.
    """
    folder = settings.state / nation / "faust"
    folder.mkdir(parents=True, exist_ok=True)  # Faust makes the last part only
    app = faust.App(
        f"kakehashi-{nation}-streams",
        broker=[f"kafka://{address}" for address in cluster.bootstrap.split(",")],
        broker_credentials=credentials(nation, cluster.security),
        value_serializer="raw",
        key_serializer="raw",
        store="memory://",
        datadir=str(folder),
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 3,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=60.0,
        broker_max_poll_records=500,
        broker_commit_interval=10.0,  # no one reads from these offsets but to see roughly how far the group is
        producer_request_timeout=30.0,
        stream_buffer_maxsize=256,
        stream_wait_empty=False,  # records in flight are read again from the shard's own position
        blocking_timeout=10.0,
    )
    app.transport = CommittedTransport(app.conf.broker_consumer, app)
    reports = app.topic(topics.SENSOR_REPORTS, key_type=bytes, value_type=bytes, internal=False, acks=True)

    @app.agent(reports, name="intake", concurrency=1)
    async def intake(stream: StreamT[bytes]) -> None:
        """Hand each report to the shard of its partition. If it has no room, the shard reads the report itself
        later."""
        async for event in stream.events():
            await _hand_over(ownership, event)

    @app.on_partitions_assigned.connect  # type: ignore[arg-type]  # Faust's type wants a keyword it may pass
    async def assigned(_app: Any, *arguments: Any, **_: Any) -> None:
        partitions: Iterable[TP] = arguments[0]
        shards = sorted({tp.partition for tp in partitions if tp.topic == topics.SENSOR_REPORTS})
        _log.info("shards.assigned nation=%s shards=%s", nation, shards)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, ownership.own, frozenset(shards))
        await loop.run_in_executor(None, ownership.stand_by, frozenset(range(settings.shards)) - frozenset(shards))

    @app.on_partitions_revoked.connect  # type: ignore[arg-type]  # as above
    async def revoked(_app: Any, *_: Any, **__: Any) -> None:
        _log.info("shards.revoked nation=%s", nation)
        await asyncio.get_running_loop().run_in_executor(None, ownership.own, frozenset[int]())

    return app


async def _hand_over(ownership: Ownership, event: EventT[bytes]) -> None:
    """Offer the record for a while, which is the back-pressure on Faust. It is only a hint, so it may be dropped."""
    message = event.message
    record = Record(
        message.topic,
        message.partition,
        message.offset,
        message.key,
        message.value,
        round((message.timestamp or 0) * 1000),
        cast("Headers", tuple(message.headers or ())),  # as aiokafka has them, pairs; with the sensor's signature
    )
    loop = asyncio.get_running_loop()
    give_up = loop.time() + _OFFER_FOR_S
    while not ownership.offer(record) and loop.time() < give_up:
        await asyncio.sleep(_OFFER_AGAIN_S)
