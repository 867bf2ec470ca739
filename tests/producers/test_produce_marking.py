"""``kakehashi produce`` with a marking that no party can read, or that keeps back what is released."""

from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from typer.testing import CliRunner, Result

from consumers.desk.sending import send
from exchange.errors import Exit, Refused
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Output
from kakehashi.main import Invocation, command_line
from producers.report import observations_of
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.topics import Topic
from schemas.vocabulary import IndicatorType
from tests.builders import a_released
from tests.conftest import Brokers
from tests.producers.reading_topics import published_reports, with_topics

CODEC = Codec()
VALUES = ("a.example.com", "b.example.com", "c.example.com")


class Sensor:
    """A sensor that has sent three values as ``TLP:GREEN``, of which the first two are released."""

    def __init__(self, cluster: Cluster, name: str, file: Path) -> None:
        self._cluster, self._name, self._file = cluster, name, file
        self._file.write_text("\n".join(VALUES))
        assert self.produces("--tlp", "TLP:GREEN").exit_code == Exit.OK
        for value in VALUES[:2]:
            self.release(value)

    def release(self, value: str, **changes: object) -> None:
        name = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, value))
        record = a_released(id=name, **changes)
        send(
            self._cluster, [Output(topics.released("JPN"), 0, name.encode(), CODEC.encode(RELEASED_INDICATOR, record))]
        )

    def produces(self, *arguments: str) -> Result:
        words = ["produce", "--nation", "GBR", "--sensor", self._name, *arguments, str(self._file)]
        return CliRunner().invoke(command_line(Invocation()), words)

    @property
    def labels(self) -> list[str]:
        """The TLP label of each observation that was sent."""
        reports = published_reports(self._cluster, self._name)
        return [row.marking.tlp for report in reports for row in observations_of(report)]


@pytest.fixture
def sensor(brokers: Brokers, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sensor:
    cluster = with_topics(Cluster("GBR", brokers.gbr))
    ensure_topics(cluster, [Topic(f"{unique}released", "key", 1, compacted=True)])
    monkeypatch.setattr(topics, "released", lambda _partner: f"{unique}released")
    for nation, bootstrap in (("GBR", brokers.gbr), ("JPN", brokers.jpn)):
        monkeypatch.setenv(f"KAKEHASHI_{nation}_BOOTSTRAP", bootstrap)
    monkeypatch.setenv("KAKEHASHI_HOME", str(tmp_path / "home"))
    return Sensor(cluster, f"{unique}edge", tmp_path / "list.txt")


STRICTER = [("--tlp", "TLP:RED"), (), ("--tlp", "TLP:AMBER"), ("--tlp", "TLP:GREEN", "--releasable-to", "GBR")]


@pytest.mark.parametrize("marking", [*STRICTER, ("--tlp", "TLP:GREEN", "--caveat", "UK EYES ONLY")], ids=" ".join)
def test_a_marking_that_keeps_back_what_is_released_is_asked_about_with_the_count(
    sensor: Sensor, marking: tuple[str, ...]
) -> None:
    answer = sensor.produces("--again", *marking)
    assert isinstance(answer.exception, Refused)
    assert "2 values to JPN. Values may be recalled. Nothing was sent: add --yes" in str(answer.exception)
    assert sensor.labels == ["TLP:GREEN"] * 3
    assert sensor.produces("--again", "--yes", *marking).exit_code == Exit.OK
    assert len(sensor.labels) == 6


def test_a_stricter_marking_of_what_was_read_is_asked_about_and_sent_again(sensor: Sensor) -> None:
    answer = sensor.produces("--tlp", "TLP:RED")
    assert "2 values to JPN. Values may be recalled. Nothing was sent: add --yes" in str(answer.exception)
    assert sensor.produces("--yes", "--tlp", "TLP:RED").exit_code == Exit.OK
    assert sensor.labels == ["TLP:GREEN"] * 3 + ["TLP:RED"] * 3


def test_other_content_with_the_same_values_is_asked_about_too(sensor: Sensor) -> None:
    sensor._file.write_text("b.example.com\nd.example.com\n")
    assert "1 value to JPN" in str(sensor.produces("--tlp", "TLP:RED").exception)


def test_what_recalls_nothing_is_not_asked_about(sensor: Sensor) -> None:
    assert sensor.produces("--again", "--tlp", "TLP:GREEN").exit_code == Exit.OK
    assert sensor.produces("--again", "--tlp", "TLP:AMBER", "--releasable-to", "JPN").exit_code == Exit.OK
    assert sensor.produces("--tlp", "TLP:GREEN").exit_code == Exit.OK, "it was read before, so nothing is sent"
    for value in VALUES[:2]:
        sensor.release(value, kind="expired", content=None)
    assert sensor.produces("--again", "--tlp", "TLP:RED").exit_code == Exit.OK


def test_without_the_right_to_read_what_is_released_only_known_content_is_asked_about(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    monkeypatch.setattr("kakehashi.produce_recalls.TopicReader", refused)
    assert "cannot be read here" in str(sensor.produces("--again", "--tlp", "TLP:RED").exception)
    sensor._file.write_text("d.example.com\n")
    assert sensor.produces("--tlp", "TLP:RED").exit_code == Exit.OK


@pytest.mark.parametrize(
    ("named", "expected_text"), [("JNP", "did you mean `JPN`?"), ("USA", "no party"), ("JPN,GBR", "ISO 3166-1")]
)
def test_a_nation_that_is_no_party_is_refused(
    named: str, expected_text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = invoked(monkeypatch, tmp_path, "produce", "--sensor", "edge-1", "--releasable-to", named, "-")
    assert result.exit_code == Exit.USAGE
    assert expected_text in result.output
    assert not (tmp_path / "spool").exists()


def test_an_officer_cannot_name_one_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    officer = ("--key", str(tmp_path / "key"), "--reason", "r", "--tlp", "AMBER", "--releasable-to", "JNP")
    result = invoked(monkeypatch, tmp_path, "review", "approve", VALUES[0], *officer)
    assert result.exit_code == Exit.USAGE
    assert "did you mean `JPN`?" in result.output


def invoked(monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> Result:
    """A command of GBR without a cluster."""
    monkeypatch.setenv("KAKEHASHI_GBR_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("KAKEHASHI_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner().invoke(command_line(Invocation()), [*arguments, "--nation", "GBR"])
