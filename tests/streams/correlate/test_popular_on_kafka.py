"""On real Kafka: thousands of sensors with ordinary context report one domain, and the nation's workers go on."""

from pathlib import Path

import pytest

from exchange.clock import now_ms
from schemas import topics
from schemas.codec import INDICATOR
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from tests.builders import a_report
from tests.polling import eventually
from tests.streams.lone_nation import SOON_S, lone_nation

pytestmark = pytest.mark.kafka

SENSORS = 5_200
DOMAIN = "popular.example"
CONTEXT = (
    ("signature", "ET MALWARE Observed DNS Query to Known Malware Domain in Suspected Botnet Traffic"),
    ("signature_id", "2035466"),
    ("category", "Malware Command and Control Activity Detected"),
    ("src_ip", "192.0.2.17"),
    ("dest_ip", "198.51.100.53"),
    ("flow_id", "1746123456789012"),
    ("proto", "UDP"),
    ("dest_port", "53"),
    ("host", "sensor-of-an-ordinary-site.example"),
)


def report(number: int, value: str = DOMAIN) -> SensorReport:
    """One sensor's report."""
    seen = Observation(
        kind=IndicatorType.DOMAIN_NAME, value=value, marking=SourceMarking("TLP:GREEN"), confidence=80, context=CONTEXT
    )
    return a_report([seen], sensor=f"sensor-{number}", sequence=0, epoch=now_ms() - 60_000)


def test_5_200_sensors_on_one_domain_stop_nothing(tmp_path: Path) -> None:
    with lone_nation(tmp_path) as nation:
        nation.start()
        for start in range(0, SENSORS, 400):
            nation.send(*(report(number) for number in range(start, start + 400)))
        nation.send(report(SENSORS, "another.example"))

        def sources() -> dict[str, int]:
            latest = nation.latest(topics.NATIONAL, INDICATOR).values()
            return {record["value"]: record["source_count"] for record in latest}

        eventually(lambda: sources() == {DOMAIN: SENSORS, "another.example": 1}, SOON_S, f"{SENSORS} sources")
        assert not nation.broken
        assert not nation.records(topics.QUARANTINE)
        changelog = nation.records(topics.changelog("correlate"))
        assert max(len(record.value or b"") for record in changelog) < 64 << 10
        nation.stop()
        nation.start()  # from the changelog alone: the rows of all sources are there
        nation.send(report(SENSORS + 1))
        eventually(lambda: sources()[DOMAIN] == SENSORS + 1, SOON_S, "one source more")
        assert not nation.broken
