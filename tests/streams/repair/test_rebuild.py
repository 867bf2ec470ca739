"""Losses on real Kafka: the shard stops, the command rebuilds it, and reports exactly what is lost."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from exchange.errors import Refused, SchemaIncompatible
from exchange.kafka.clients import end_offset
from exchange.protocol.log import ChangelogLost, rebuild_command
from exchange.protocol.rebuild import Loss
from schemas import topics
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RELEASED_INDICATOR, WINDOW_DIGEST, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from streams.audit.entry import first_break
from tests.builders import a_released, a_report, an_observation
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.streams.lone_nation import NATION, PARTNER, SOON_S, LoneNation, lone_nation

pytestmark = pytest.mark.kafka

GREEN, RED = SourceMarking("TLP:GREEN"), SourceMarking("TLP:RED")
CHANGELOGS = {step: topics.changelog(step) for step in ("intake", "correlate", f"receive.{PARTNER}")}
RELEASED = topics.released(PARTNER)
SETTLED = topics.changelog(topics.settle_step(PARTNER))


def value_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def id_of(name: str) -> str:
    return indicator_id(indicator_key(IndicatorType.FILE_SHA256, value_of(name)))


def seen(name: str, sensor: str, sequence: int, marking: SourceMarking = GREEN, count: int = 1) -> SensorReport:
    """One sighting of a made-up file."""
    kind = IndicatorType.FILE_SHA256
    row = an_observation(kind=kind, value=value_of(name), marking=marking, count=count, labels=())
    return a_report([row], sensor=sensor, sequence=sequence)


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneNation]:
    """A nation of these tests' own: it is hurt."""
    with lone_nation(tmp_path_factory.mktemp("lone")) as lone:
        yield lone


@pytest.fixture
def nation(lone: LoneNation) -> Iterator[LoneNation]:
    """The nation with new topics, not working yet."""
    lone.recreate()
    yield lone
    lone.stop()


def counts(nation: LoneNation, topic: str, schema: str, name: str) -> int:
    """How often a file was seen, by the latest record of a topic."""
    record = nation.latest(topic, schema).get(id_of(name))
    content = record if record is None or schema == INDICATOR else record["content"]
    return 0 if content is None else int(content["sightings"])


def await_seen(nation: LoneNation, name: str, count: int, *, released: int | None = None) -> None:
    """Wait until the nation has counted a file so often, and so many releases were written."""
    eventually(
        lambda: (
            counts(nation, topics.NATIONAL, INDICATOR, name) == count
            and counts(nation, RELEASED, RELEASED_INDICATOR, name) == (count if released is None else released)
        ),
        SOON_S,
        f"{name} seen {count} times",
    )


def test_a_changelog_of_correlate_that_was_cut_is_rebuilt_from_its_records(nation: LoneNation, tmp_path: Path) -> None:
    nation.start()
    sensors = [f"crowd-{number:02}" for number in range(40)]
    nation.send(
        seen("plain", "edge-1", 0, count=2),
        seen("loosened", "edge-1", 1, RED, count=5),
        seen("kept back", "edge-1", 9, RED),
        *(seen("crowded", sensor, 0) for sensor in sensors),
    )
    await_seen(nation, "plain", 2)
    nation.send(seen("plain", "edge-1", 2, count=3), seen("loosened", "edge-1", 3))
    await_seen(nation, "plain", 5)
    await_seen(nation, "loosened", 6, released=1)
    await_seen(nation, "crowded", 40)
    reported = {name: record["version"] for name, record in nation.latest(RELEASED, RELEASED_INDICATOR).items()}
    decisions = len(nation.records(topics.AUDIT))
    nation.stop()

    nation.cut(CHANGELOGS["correlate"], end_offset(nation.cluster, CHANGELOGS["correlate"], 0))
    nation.start()
    stated = nation.await_end(ChangelogLost)
    assert rebuild_command(NATION, "correlate", 0) in stated
    nation.stop()

    dry = nation.rebuild("correlate", dry_run=True)
    assert dry.position is None
    made = kakehashi(
        "shard",
        "rebuild",
        "--nation",
        NATION,
        "--step",
        "correlate",
        "--shard",
        "0",
        within=tmp_path,
        **environ_of(nation),
    )
    assert made.returncode == 0, made.stderr
    assert (dry.kept, dry.rebuilt) == (0, 4)
    assert [loss.count for loss in dry.lost] == [8, 1], "sources beyond 32, and counts that came with two markings"
    for loss in dry.lost:
        assert f"{loss.count:,}: {loss.what}" in made.stdout
    with pytest.raises(Refused, match="whole"):
        nation.rebuild("correlate")

    nation.start()
    nation.send(
        seen("plain", "edge-1", 10),
        seen("loosened", "edge-1", 11),
        seen("kept back", "edge-1", 8),  # late, and looser than the word that came after it
        seen("crowded", "crowd-39", 1),
    )
    await_seen(nation, "plain", 6)
    await_seen(nation, "loosened", 7, released=2)
    await_seen(nation, "kept back", 2, released=0)
    await_seen(nation, "crowded", 33)
    after = nation.latest(RELEASED, RELEASED_INDICATOR)
    assert id_of("kept back") not in after
    assert all(after[name]["version"] > version for name, version in reported.items())
    chain = [(Codec().decode(DECISION, record.value), record.value or b"") for record in nation.records(topics.AUDIT)]
    assert first_break(chain) is None  # type: ignore[arg-type]
    assert len(chain) >= decisions


def environ_of(nation: LoneNation) -> dict[str, str]:
    """The environment in which a command is of this nation."""
    return {
        f"KAKEHASHI_{NATION}_BOOTSTRAP": nation.cluster.bootstrap,
        "KAKEHASHI_SHARDS": "1",
        "KAKEHASHI_ROLL_UP_MS": str(nation.settings.roll_up_ms),
        "KAKEHASHI_STATE": str(nation.settings.state),
    }


def test_a_changelog_that_is_cut_in_the_middle_keeps_the_rows_behind_the_cut(nation: LoneNation) -> None:
    nation.start()
    nation.send(seen("old", "edge-1", 0, RED, count=5))
    await_seen(nation, "old", 5, released=0)
    border = end_offset(nation.cluster, CHANGELOGS["correlate"], 0)
    nation.send(seen("new", "edge-1", 1, RED, count=4), seen("new", "edge-2", 0))
    await_seen(nation, "new", 5, released=1)
    nation.send(seen("new", "edge-1", 2))
    await_seen(nation, "new", 6, released=2)
    nation.stop()
    nation.cut(CHANGELOGS["correlate"], border)
    report = nation.rebuild("correlate")
    assert (report.kept, report.rebuilt, report.lost) == (1, 1, ())
    nation.start()
    nation.send(seen("new", "edge-1", 3), seen("old", "edge-1", 4))
    await_seen(nation, "new", 7, released=3)
    await_seen(nation, "old", 6, released=1)


def test_a_lost_changelog_of_intake_is_rebuilt_from_the_reports_that_are_left(nation: LoneNation) -> None:
    nation.start()
    reports = [seen("file", "edge-1", sequence) for sequence in (0, 1, 2, 4, 6)]
    nation.send(*reports)
    await_seen(nation, "file", 5)
    nation.stop()
    nation.recreate(CHANGELOGS["intake"])
    nation.start()
    assert rebuild_command(NATION, "intake", 0) in nation.await_end(SchemaIncompatible)
    nation.stop()

    whole = nation.rebuild("intake")
    assert (whole.rebuilt, whole.lost) == (1, ()), "all reports that there ever were are still on the topic"
    nation.start()
    nation.send(*reports, seen("file", "edge-1", 3))
    await_seen(nation, "file", 6)
    nation.stop()

    nation.recreate(CHANGELOGS["intake"])
    nation.cut(topics.SENSOR_REPORTS, 1)
    report = nation.rebuild("intake")
    assert report.rebuilt == 1
    assert [loss.count for loss in report.lost if loss.count] == [1], "number 5, which is between those that came"
    assert [loss.what.partition(":")[0] for loss in report.lost if loss.count is None] == [
        "older reports",
        "older redrives",
    ]
    nation.start()
    nation.send(reports[0], reports[3], seen("file", "edge-1", 5), seen("file", "edge-1", 7))
    await_seen(nation, "file", 7)
    reasons = [entry["reason"] for entry in nation.latest(topics.QUARANTINE, QUARANTINED).values()]
    assert reasons == ["stale-epoch"] * 3


def test_a_recreated_source_topic_is_read_from_its_beginning(nation: LoneNation) -> None:
    nation.start()
    nation.send(*(seen("file", "edge-1", sequence) for sequence in range(3)))
    await_seen(nation, "file", 3)
    nation.stop(lose_disk=False)
    nation.recreate(topics.SENSOR_REPORTS)
    nation.start()
    assert "was recreated" in nation.await_end(SchemaIncompatible)
    nation.stop()
    report = nation.rebuild("intake")
    assert report.sources == (), "the rows are all there"
    assert report.resumes == f"{topics.SENSOR_REPORTS}-0 at offset 0"
    assert report.lost == (
        Loss(f"what {topics.SENSOR_REPORTS} held behind offset 3 when it was deleted, and was not read"),
    )
    nation.start()
    nation.send(seen("file", "edge-1", 1), seen("file", "edge-1", 3))
    await_seen(nation, "file", 4)


def test_a_lost_changelog_of_receive_loses_nothing(nation: LoneNation) -> None:
    accepted = topics.accepted(PARTNER)
    theirs = [a_released(origin=PARTNER, hops=[PARTNER], version=version) for version in (1000, 2000)]
    for record in theirs:
        assert record["content"] is not None
        record["content"] |= {"releasable_to": [NATION]}
    nation.start()
    nation.partner_sends(theirs[1])
    nation.await_count(accepted, 1)
    nation.stop()
    nation.recreate(CHANGELOGS[f"receive.{PARTNER}"])
    report = nation.rebuild(f"receive.{PARTNER}")
    assert (report.rebuilt, report.lost) == (1, ())
    nation.start()
    later = theirs[1] | {"version": 3000}
    nation.partner_sends(theirs[0], theirs[1], later)
    nation.await_count(accepted, 2)
    versions = [Codec().decode(RELEASED_INDICATOR, record.value) for record in nation.records(accepted)]
    assert [record["version"] for record in versions if isinstance(record, dict)] == [2000, 3000]


def test_a_lost_changelog_of_settle_is_read_again_from_its_topics(nation: LoneNation) -> None:
    nation.start()
    nation.send(seen("file", "edge-1", 0))
    await_seen(nation, "file", 1)
    nation.await_count(topics.released_digests(PARTNER), 1)
    digests = nation.latest(topics.released_digests(PARTNER), WINDOW_DIGEST)
    nation.stop()
    nation.cut(SETTLED, end_offset(nation.cluster, SETTLED, 0))
    nation.start()
    nation.await_end(ChangelogLost)
    nation.stop()
    report = nation.rebuild(topics.settle_step(PARTNER))
    assert report.rebuilt == 0
    assert RELEASED in report.sources
    nation.start()
    nation.send(seen("file", "edge-1", 1), seen("other", "edge-1", 2))
    await_seen(nation, "file", 2)
    eventually(lambda: settled_keys(nation) == 2, SOON_S, "both files settled")
    after = nation.latest(topics.released_digests(PARTNER), WINDOW_DIGEST)
    assert sum(each["count"] for each in after.values()) == 2, (digests, after)


def settled_keys(nation: LoneNation) -> int:
    return sum(each["count"] for each in nation.latest(topics.released_digests(PARTNER), WINDOW_DIGEST).values())


def test_a_healthy_shard_is_refused_and_its_worker_continues(nation: LoneNation) -> None:
    nation.start()
    nation.send(seen("file", "edge-1", 0))
    await_seen(nation, "file", 1)
    with pytest.raises(Refused, match="whole"):
        nation.rebuild("correlate", dry_run=True)
    nation.send(seen("file", "edge-1", 1))
    await_seen(nation, "file", 2)


def test_a_rebuild_that_is_impossible_is_refused_with_a_message(nation: LoneNation) -> None:
    with pytest.raises(Refused, match=r"the steps that have a state are intake, correlate, receive\.JPN, settle\.JPN"):
        nation.rebuild("bridge.GBR")
    with pytest.raises(Refused, match="has no position"):
        nation.rebuild("correlate")
    with pytest.raises(Refused, match="reaches from offset 0 to 0"):
        nation.rebuild("correlate", resume_at=7)
