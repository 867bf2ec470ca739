"""Lines of a Kafka topic, on a real broker: each once over kill -9, what headers state obeyed, and gaps declared."""

import json
import signal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from exchange.errors import ConfigurationError, Exit, TransientError
from producers.live import topic
from producers.live.documents import Document, Gap, LiveInput
from producers.live.kinds import kind_of, reads
from producers.produce import Options
from producers.report import observations_of
from producers.spool.spool import Spool
from schemas.markings import Marking, Tlp, understand
from tests.builders import NOW_MS
from tests.conftest import Brokers
from tests.kakehashi.command import kakehashi
from tests.producers.following import Follower
from tests.producers.producing import SENSOR, a_secret, reports_in, run

Headers = list[tuple[str, str | bytes | None]]


class Topic:
    """A topic of its own."""

    def __init__(self, bootstrap: str, name: str, partitions: int = 2) -> None:
        self.bootstrap, self.name = bootstrap, name
        self.address = f"kafka://{bootstrap}/{name}"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        for future in self.admin.create_topics([NewTopic(name, partitions, 1)]).values():
            future.result()
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})

    def write(self, *values: str, headers: Headers | None = None, key: str = "", partition: int = 0) -> None:
        """Write records, and wait until they are there."""
        for value in values:
            self._producer.produce(self.name, value.encode(), key.encode(), partition, headers=headers or [])
        self._producer.flush(30)


@pytest.fixture
def lines(brokers: Brokers, unique: str) -> Topic:
    return Topic(brokers.gbr, f"{unique}lines")


def read(source: Topic, folder: Path) -> tuple[list[tuple[str, Marking]], list[str]]:
    """What a run makes of the topic: values with their markings, and gaps."""
    gaps = []
    kind = kind_of(source.address)
    assert kind is not None
    with Spool(folder / "spool", "GBR", "edge-1", NOW_MS) as spool:
        before = len(reports_in(spool))
        for found in kind.documents(LiveInput(source.address, folder / "fetched")):
            if isinstance(found, Gap):
                gaps.append(found.text)
            elif isinstance(found, Document):
                options = reads(kind.options_of(Options(SENSOR, (), format="txt-list")), found)
                named: dict[str, Any] = {
                    name: getattr(options, name) for name in ("format", "defaults", "is_document", "is_log")
                }
                run(spool, found.path, **named)
        rows = [row for report in reports_in(spool)[before:] for row in observations_of(report)]
    return [(row.value, understand(row.marking)) for row in rows], gaps


def test_records_are_read_once_and_then_only_what_was_added(lines: Topic, tmp_path: Path) -> None:
    lines.write("a.example.com", "b.example.com")
    lines.write("c.example.com", partition=1)
    assert sorted(value for value, _ in read(lines, tmp_path)[0]) == ["a.example.com", "b.example.com", "c.example.com"]
    assert read(lines, tmp_path) == ([], [])
    lines.write("a.example.com")  # the same line again is another report of it
    assert [value for value, _ in read(lines, tmp_path)[0]] == ["a.example.com"]
    lines.write("a.example.com", "d.example.com")  # a document that begins like the one before has not grown
    assert [value for value, _ in read(lines, tmp_path)[0]] == ["a.example.com", "d.example.com"]


def test_what_headers_and_keys_state_about_sharing_counts_for_their_records_alone(lines: Topic, tmp_path: Path) -> None:
    lines.write("plain.example.com")
    lines.write("red.example.com", headers=[("tlp", b"RED"), ("content-type", b"text/plain")])
    lines.write("twice.example.com", headers=[("tlp", b"GREEN"), ("tlp", b"AMBER")])
    lines.write("unknown.example.com", headers=[("handling", b"ask us first")])
    lines.write("key.example.com", key="TLP:AMBER")
    found = dict(read(lines, tmp_path)[0])
    assert found["plain.example.com"] == Marking()
    assert found["red.example.com"].tlp is Tlp.RED
    assert found["twice.example.com"].tlp is Tlp.AMBER
    assert found["unknown.example.com"].caveats
    assert found["key.example.com"].tlp is Tlp.AMBER


def test_records_that_were_deleted_before_they_were_read_are_a_gap(lines: Topic, tmp_path: Path) -> None:
    lines.write("a.example.com")
    read(lines, tmp_path)
    lines.write(*(f"g{number}.example.com" for number in range(5)))
    for future in lines.admin.delete_records([TopicPartition(lines.name, 0, 4)]).values():
        future.result()
    values, [gap] = read(lines, tmp_path)
    assert [value for value, _ in values] == ["g3.example.com", "g4.example.com"]
    assert "partition 0 from 1 to 4 are gone" in gap
    assert read(lines, tmp_path) == ([], [])


def test_a_follower_reads_each_record_once_over_kills(lines: Topic, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "spool", lines.address)
    written = 0
    for number in range(2):
        with follower:
            lines.write(*(f"k{each}.example.com" for each in range(written, written + 300)), partition=number % 2)
            written += 300
            follower.waits_for(written - 150)
            follower.end(signal.SIGKILL)
    with follower:
        follower.waits_for(written)
        follower.end()
    assert sorted(follower.values()) == sorted(f"k{each}.example.com" for each in range(written))


def test_a_cluster_or_topic_that_is_not_there_is_stated(lines: Topic, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no topic"):
        list(topic.lines(LiveInput(f"{lines.address}-none", tmp_path)))
    with patch.object(topic, "_CALL_S", 1.0), pytest.raises(TransientError, match="cannot be read"):
        list(topic.lines(LiveInput("kafka://127.0.0.1:1/lines", tmp_path)))
    secret = a_secret(tmp_path / "secret", "user:password")
    with pytest.raises(ConfigurationError, match=r"kafka\+tls"):
        list(topic.lines(LiveInput(lines.address, tmp_path, secret)))


def test_the_command_takes_a_topic_whose_format_is_stated(lines: Topic, tmp_path: Path) -> None:
    lines.write("a.example.com", "b.example.com")
    given = ("produce", "--nation", "GBR", "--sensor", "edge-1", "--dry-run", "--json", lines.address)
    shown = kakehashi(*given, "--format", "txt-list", within=tmp_path)
    assert shown.returncode == Exit.OK, shown.stderr
    assert [json.loads(line)["value"] for line in shown.stdout.splitlines()] == ["a.example.com", "b.example.com"]
