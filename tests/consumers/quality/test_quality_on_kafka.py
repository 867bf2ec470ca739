"""The scores of a nation's topics: read, published under each sensor's key, and shown for the sensors of the roster."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest

from consumers.quality.read import read_scores
from consumers.quality.run import publish, show
from consumers.quality.score import ONE
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import Exit, Unwritable
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.labels import SensorShare
from exchange.metrics.registry import Metrics
from schemas import topics
from schemas.canary import CANARY_ID
from schemas.codec import INDICATOR, QUARANTINED, RECEIPT, SENSOR_QUALITY, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.ratings import RANK, Rating, read_ratings
from schemas.records import SensorQuality
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, a_quarantined, a_receipt, a_source, an_indicator
from tests.conftest import _running
from tests.kakehashi.command import kakehashi

CODEC = Codec()
HALF_LIFE_MS = 30 * topics.DAY_MS


def name_of(value: str) -> str:
    return indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, value))


def test_the_last_record_of_each_indicator_its_disputes_and_refusals_make_the_scores(tmp_path: Path) -> None:
    with _running(("GBR",), tmp_path) as brokers:
        cluster = Cluster("GBR", brokers["GBR"].bootstrap)
        ensure_topics(cluster, topics.topics_of("GBR", ("JPN",), 2))
        producer = idempotent_producer(cluster)

        def national(value: str, sensors: Iterable[str], partition: int, **changes: object) -> None:
            sources = [a_source(sensor=each, last_seen_ms=NOW_MS) for each in sensors]
            record = an_indicator(**{"id": name_of(value), "value": value, "sources": sources, **changes})
            key = str(record["id"]).encode()
            producer.produce(topics.NATIONAL, CODEC.encode(INDICATOR, record), key, partition)

        national("one.example", ["edge-1"], 0)
        national("one.example", ["edge-1", "made-up"], 0, version=NOW_MS + 1)
        national("two.example", ["edge-1"], 1, kind="revoked")
        national("canary.kakehashi.example", ["canary"], 1, id=CANARY_ID)
        dispute = a_receipt(
            indicator_id=name_of("one.example"), code="disputed", reason="false-positive", version=NOW_MS
        )
        key = f"{name_of('one.example')}/disputed".encode()
        producer.produce(topics.partner_receipts("JPN"), CODEC.encode(RECEIPT, dispute), key, 0)
        for partition in range(2):
            entry = a_quarantined(key=f"k{partition}", sensor="edge-1")
            producer.produce(topics.QUARANTINE, CODEC.encode(QUARANTINED, entry), b"k", partition)
            producer.produce(topics.partner_receipts("JPN"), None, b"nothing", partition)
        assert producer.flush(30) == 0

        scores = read_scores(cluster, ["JPN"], NOW_MS, HALF_LIFE_MS)
        assert sorted(scores.by_sensor) == ["edge-1", "made-up"]
        one = scores.by_sensor["edge-1"]
        assert (one.indicators, one.revoked, one.refused) == (2 * ONE, ONE, {"invalid-value": 2 * ONE})
        assert (one.disputed, sum(one.corroborated.values())) == ({"false-positive": ONE}, ONE)

        publish(cluster, scores, 2)
        with TopicReader(cluster, topics.SENSOR_QUALITY) as reader:
            written = [each for partition in reader.partitions for each in reader.records(partition)]
        found = {each.key: cast("SensorQuality", CODEC.decode(SENSOR_QUALITY, each.value)) for each in written}
        assert found == {name.encode(): record for name, record in scores.records("GBR").items()}

        with pytest.raises(Unwritable, match=topics.SENSOR_QUALITY):
            publish(cluster, scores, 64)  # the topic has two partitions

        metrics = Metrics(Role.QUALITY, "GBR", "0")
        show(metrics, scores, {"edge-1"})
        share = spec.SENSOR_SHARE.full_name
        shown = {
            sensor: metrics.registry.get_sample_value(share, {"sensor": sensor, "share": SensorShare.DISPUTED})
            for sensor in ("edge-1", "made-up", "other")
        }
        assert shown == {"edge-1": 0.5, "made-up": None, "other": 1.0}
        draft = spec.SENSOR_RATING_DRAFT.full_name
        assert metrics.registry.get_sample_value(draft, {"sensor": "edge-1"}) == RANK[Rating.UNRATED]
        assert metrics.registry.get_sample_value(draft, {"sensor": "made-up"}) is None

        environ = {"KAKEHASHI_GBR_BOOTSTRAP": cluster.bootstrap, "KAKEHASHI_OFFICERS": str(tmp_path / "none")}
        done = kakehashi("sensor", "score", "--nation", "GBR", "--ratings", within=tmp_path, **environ)
        assert (done.returncode, done.stderr) == (Exit.OK, "")
        assert '# not rated, since it has no key on the roster: "edge-1"' in done.stdout
        assert read_ratings({"ratings/GBR.toml": done.stdout}, "GBR").by_sensor == {}
