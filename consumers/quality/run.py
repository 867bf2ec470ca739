"""Publishes the scores of a nation's sensors at intervals, and shows them as metrics."""

import logging
from collections.abc import Collection
from importlib.metadata import version
from typing import Final

from consumers.quality.rate import drafted
from consumers.quality.read import read_scores
from consumers.quality.score import ONE, Score, Scores
from exchange import logs
from exchange.authority.roster_watch import RosterWatch
from exchange.clock import now_ms
from exchange.errors import DeliveryTimeout, TransientError
from exchange.health import Health
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import send
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.labels import OTHER_SENSORS, SensorShare
from exchange.metrics.registry import Metrics
from exchange.protocol.record import Output
from exchange.role import StopRequest, serve_metrics
from exchange.settings import Settings
from schemas import topics
from schemas.codec import SENSOR_QUALITY
from schemas.identity import shard_of_sensor
from schemas.ratings import RANK

_log = logging.getLogger(__name__)
_FLUSH_S: Final = 30.0
_AGAIN_S: Final = 30.0


def publish(cluster: Cluster, scores: Scores, shards: int) -> None:
    """Write each score to its topic. Raises DeliveryTimeout if they are not acknowledged in time, Unwritable if one
    never will be."""
    codec = cluster.codec(SENSOR_QUALITY)
    outputs = (
        Output(
            topics.SENSOR_QUALITY,
            shard_of_sensor(sensor, shards),
            sensor.encode(),
            codec.encode(SENSOR_QUALITY, record),
        )
        for sensor, record in scores.records(cluster.nation).items()
    )
    left = len(send(idempotent_producer(cluster), outputs, _FLUSH_S).failures)
    if left:
        raise DeliveryTimeout(f"{left} scores were not acknowledged within {_FLUSH_S:g} s: run it again")


def show(metrics: Metrics, scores: Scores, known: Collection[str]) -> None:
    """Show the scores of the sensors that the roster knows, with the ratings that they suggest, and the scores of all
    others together."""
    for sensor, rating in drafted(scores.by_sensor, known).items():
        metrics.set(spec.SENSOR_RATING_DRAFT, RANK[rating], sensor)
    shown = {sensor: score for sensor, score in scores.by_sensor.items() if sensor in known}
    others = [score for sensor, score in scores.by_sensor.items() if sensor not in known]
    if others:
        shown[OTHER_SENSORS] = together = Score()
        for each in others:
            together.add(each)
    for sensor, score in shown.items():
        metrics.set(spec.SENSOR_INDICATORS, score.indicators / ONE, sensor)
        for share in SensorShare:
            metrics.set(spec.SENSOR_SHARE, score.share(share), sensor, share)


def run(cluster: Cluster, settings: Settings, every_s: float, half_life_ms: int, loglevel: str) -> None:
    """Publish and show them until asked to stop. While the cluster does not answer, it tries again."""
    logs.start(loglevel, settings.log_format)
    roster = RosterWatch(cluster.nation, settings.officers)
    metrics = Metrics(Role.QUALITY, cluster.nation, version("kakehashi"))
    stopping, trouble = StopRequest(), [""]
    well = Health(True, "the process runs")
    serve_metrics(
        metrics,
        settings,
        [cluster],
        live=lambda: well,
        ready=lambda: Health(not trouble[0], trouble[0] or "the scores are published"),
    )
    while True:
        try:
            scores = read_scores(cluster, settings.partners(cluster.nation), now_ms(), half_life_ms)
            publish(cluster, scores, settings.shards)
        except TransientError as error:
            _log.warning("quality.stopped nation=%s: %s", cluster.nation, error)
            trouble[0] = str(error)
        else:
            trouble[0] = ""
            show(metrics, scores, roster().sensors.by_sensor)
            _log.info("quality.published nation=%s sensors=%d", cluster.nation, len(scores.by_sensor))
        if stopping.wait(_AGAIN_S if trouble[0] else every_s):
            break
    stopping.report()
