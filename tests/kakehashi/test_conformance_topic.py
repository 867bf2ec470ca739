"""`kakehashi conformance --topic`: what a sensor has really published, on a broker, with signatures and sequence."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.authority.private_key import make_key
from exchange.authority.sensor_keys import SensorKey, sensor_entry
from exchange.clock import now_ms
from exchange.errors import Exit
from exchange.kafka.clients import Cluster, idempotent_producer, transactional_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.settings import Settings
from producers.api import Publisher
from producers.report import report_of
from schemas import topics
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.report_signature import signature_header
from schemas.signing import public_of
from schemas.vocabulary import IndicatorType
from tests.builders import a_quarantined
from tests.conftest import _running
from tests.kakehashi.conforming import code, run

pytestmark = pytest.mark.kafka
DOMAIN = IndicatorType.DOMAIN_NAME
MARKING = SourceMarking(tlp="TLP:GREEN", pap="PAP:GREEN", caveats=("INCIDENT",))
SHARDS = 2


@dataclass(frozen=True)
class Nation:
    """A nation's cluster, and what a command needs to reach it."""

    cluster: Cluster
    folder: Path
    environ: dict[str, str]


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nation]:
    folder = tmp_path_factory.mktemp("conformance")
    with _running(("GBR",), folder) as one:
        address = one["GBR"].bootstrap
        cluster = Cluster("GBR", address)
        ensure_topics(cluster, topics.topics_of("GBR", ("JPN",), SHARDS))
        (folder / "officers").mkdir()
        environ = {"KAKEHASHI_GBR_BOOTSTRAP": address, "KAKEHASHI_OFFICERS": str(folder / "officers")}
        yield Nation(cluster, folder, environ)


@dataclass(frozen=True)
class Sensor:
    """A sensor with a key on the roster, that has published three values in three reports."""

    nation: Nation
    name: str
    key: Path

    def publisher(self) -> Publisher:
        """One that signs."""
        settings = replace(Settings.from_env({}), home=self.nation.folder)
        return Publisher(
            "GBR",
            self.name,
            marking=MARKING,
            labels=("c2",),
            sensor_key=self.key,
            cluster=self.nation.cluster,
            settings=settings,
        )

    def check(self, *arguments: object) -> dict[str, str]:
        """The results, by requirement."""
        return {each["id"]: each["result"] for each in self.report(*arguments)["results"]}

    def report(self, *arguments: object) -> dict[str, Any]:
        """The report."""
        line = run(*self.words(*arguments), "--json", **self.nation.environ).stdout
        found: dict[str, Any] = json.loads(line)["report"]
        return found

    def words(self, *arguments: object) -> tuple[object, ...]:
        """The command's arguments."""
        asked = ("--topic", topics.SENSOR_REPORTS, "--nation", "GBR", "--sensor", self.name)
        return (*arguments, *asked, "--profile", "energy", "--incident", "ransomware", "--aware-at", "1h")

    def write(self, observation: Observation, *, sequence: int, signs: bool = True, commits: bool = True) -> None:
        """Put a report of one observation on the topic, as no producer of ours would."""
        codec, at_ms = Codec(), now_ms()
        report = report_of(
            [observation],
            nation="GBR",
            sensor=self.name,
            epoch=1,
            sequence=sequence,
            produced_at_ms=at_ms,
            tool="hand",
        )
        value = codec.encode(SENSOR_REPORT, report)
        private = make_key(self.nation.folder / f"{self.name}-{sequence}.key")
        producer = transactional_producer(self.nation.cluster, f"{self.name}-{sequence}")
        producer.init_transactions()
        producer.begin_transaction()
        headers: list[tuple[str, str | bytes | None]] = [signature_header(codec, value, private)] if signs else []
        partition = shard_of_sensor(self.name, SHARDS)
        producer.produce(topics.SENSOR_REPORTS, value, self.name.encode(), partition, headers=headers)
        producer.flush(30)
        (producer.commit_transaction if commits else producer.abort_transaction)()


@pytest.fixture
def sensor(nation: Nation, request: pytest.FixtureRequest, tmp_path: Path) -> Sensor:
    name = f"edge-{abs(hash(request.node.name)) % 10_000}"
    private = make_key(tmp_path / "sensor.key")
    with (nation.folder / "officers" / "GBR.toml").open("a", encoding="utf-8") as roster:
        roster.write(sensor_entry(SensorKey(name, public_of(private))))
    made = Sensor(nation, name, tmp_path / "sensor.key")
    with made.publisher() as publisher:
        for number in range(3):
            observe(publisher, number)
    return made


def observe(publisher: Publisher, number: int) -> None:
    at_ms = now_ms()
    publisher.observe(
        DOMAIN,
        f"bad-{number}.kakenet-mal.org",
        first_seen_ms=at_ms - 60_000,
        last_seen_ms=at_ms - 1_000,
        confidence=80,
        valid_until_ms=at_ms + topics.DAY_MS,
    )


def a_list(tmp_path: Path, *numbers: int) -> Path:
    path = tmp_path / "list.csv"
    lines = "".join(f"bad-{number}.kakenet-mal.org,TLP:GREEN\n" for number in numbers)
    path.write_text(f"domain,tlp\n{lines}", "utf-8")
    return path


def test_a_sensor_that_signs_numbers_and_publishes_in_time_meets_every_must(sensor: Sensor, tmp_path: Path) -> None:
    everything = a_list(tmp_path, 0, 1, 2)
    report = sensor.report(everything)
    assert {each["id"]: each for each in report["results"] if each["result"] in ("not-met", "cannot-be-judged")} == {}
    assert report["outcome"] == "met"
    assert report["counts"]["reports"] == 3
    assert code(run(*sensor.words(everything), "--strict", **sensor.nation.environ)) == Exit.OK
    assert code(run(*sensor.words(), **sensor.nation.environ)) == Exit.OK
    assert code(run(*sensor.words(), "--strict", **sensor.nation.environ)) == Exit.REFUSED


def test_what_left_the_list_has_to_be_withdrawn_and_what_joined_it_to_be_published(
    sensor: Sensor, tmp_path: Path
) -> None:
    assert sensor.check(a_list(tmp_path, 0, 1))["KKH-WDR-01"] == "not-met"
    with sensor.publisher() as publisher:
        publisher.withdraw(DOMAIN, "bad-2.kakenet-mal.org")
    assert sensor.check(a_list(tmp_path, 0, 1))["KKH-WDR-01"] == "met"
    assert sensor.check(a_list(tmp_path, 0, 1))["KKH-CMP-04"] == "met"
    assert sensor.check(a_list(tmp_path, 0, 1, 7))["KKH-CMP-04"] == "not-met"
    assert sensor.check(a_list(tmp_path, 0, 1, 2))["KKH-CMP-04"] == "not-met", "it was withdrawn, and is listed again"


def test_a_report_by_another_key_or_by_none_is_found(sensor: Sensor) -> None:
    odd = Observation(DOMAIN, "odd.kakenet-mal.org", marking=MARKING)
    for sequence, signs in ((0, True), (1, False)):
        sensor.write(odd, sequence=sequence, signs=signs)
    [signatures] = [each for each in sensor.report()["results"] if each["id"] == "KKH-IDS-03"]
    assert (signatures["result"], signatures["checked"], signatures["failed"]) == ("not-met", 5, 2)
    why = {example["why"]["en"] for example in signatures["examples"]}
    assert why == {"is not signed", "is signed by a key that is not the sensor's at this time"}


def test_a_gap_is_found_and_what_was_never_committed_is_not_there(sensor: Sensor) -> None:
    odd = Observation(DOMAIN, "odd.kakenet-mal.org", marking=MARKING)
    sensor.write(odd, sequence=1, commits=False)
    assert sensor.report()["counts"]["reports"] == 3
    sensor.write(odd, sequence=2)
    found = sensor.check()
    assert found["KKH-CMP-03"] == "not-met", "0 and 1 of its epoch did not arrive"
    assert found["KKH-CAN-01"] == "cannot-be-judged", "who knows what they stated"


def test_what_is_open_in_quarantine_is_found(sensor: Sensor) -> None:
    entry = a_quarantined(key=f"{sensor.name}-0", sensor=sensor.name, at_ms=now_ms())
    producer = idempotent_producer(sensor.nation.cluster)
    producer.produce(topics.QUARANTINE, Codec().encode(QUARANTINED, entry), entry["key"].encode(), 0)
    assert producer.flush(30) == 0
    [refusals] = [each for each in sensor.report()["results"] if each["id"] == "KKH-REF-01"]
    assert (refusals["result"], refusals["failed"]) == ("not-met", 1)
    assert "192.0.2.999" not in json.dumps(refusals)


def test_a_report_names_its_records_and_is_verified_against_the_topic(sensor: Sensor, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    environ = sensor.nation.environ
    run(*sensor.words(), "--html", path, "--sign-key", sensor.key, **environ)
    asked = ("verify", path, "--nation", "GBR", "--topic", topics.SENSOR_REPORTS, "--sensor")
    same = run(*asked, sensor.name, **environ)
    assert (code(same), "are the same as then" in same.stdout) == (Exit.OK, True)
    other = run(*asked, "another", **environ)
    assert (code(other), "are not the same" in other.stdout) == (Exit.REFUSED, True)
    place = TopicPartition(topics.SENSOR_REPORTS, shard_of_sensor(sensor.name, SHARDS), -1)
    admin = AdminClient(sensor.nation.cluster.client())
    admin.delete_records([place])[place].result(30)
    gone = run(*asked, sensor.name, **environ)
    assert (code(gone), "deleted by retention" in gone.stdout) == (Exit.REFUSED, True)


def test_a_sensor_that_has_published_nothing_meets_nothing_by_it(sensor: Sensor) -> None:
    silent = replace(sensor, name="silent")
    report = silent.report()
    assert report["outcome"] == "not-met"
    found = silent.check()
    assert found["KKH-CMP-01"] == "not-met"
    assert found["KKH-IDS-03"] == "cannot-be-judged"
