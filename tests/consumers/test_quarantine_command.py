"""``kakehashi quarantine`` on real Kafka: see, correct, send again."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from consumers.desk.sending import send
from consumers.subscription.topic_reader import TopicReader
from exchange.authority.roster import Role, entry_text
from exchange.errors import NotFound, Refused
from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.progress import progress_of
from exchange.protocol.kept_rows import kept
from exchange.protocol.record import Input, Output, Position, RowChange
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.quarantine import REDRIVEN_ROW, Location
from schemas.records import Quarantined, SensorReport
from schemas.report_signature import is_signed_by, signature_in
from schemas.signing import public_of
from schemas.vocabulary import IndicatorType, RejectReason
from streams.intake.refused_observation import observation_as_json
from tests.builders import NOW_MS, a_quarantined, a_refusal, a_report, an_observation
from tests.consumers.conftest import MakeTopic, committed
from tests.officers import ALICE, BOB, an_officer, key_of, write_key

CODEC = Codec()


class Exchange:
    """A nation's quarantine with four entries, and its sensors' topic, still empty."""

    def __init__(self, cluster: Cluster, quarantine: str, reports: str, writer: Producer) -> None:
        self.cluster, self.quarantine, self.reports, self._writer = cluster, quarantine, reports, writer
        bad = a_report([an_observation(kind=IndicatorType.IPV4_ADDR, value="192.0.2.999")])
        self.one = a_refusal(
            Location(reports, 1, 41, 0),
            RejectReason.INVALID_VALUE,
            "192.0.2.999 is no address",
            observation_as_json(bad, 0),
            sensor="edge-1",
            content_type="json",
        )
        self.whole = a_refusal(
            Location(reports, 2, 42),
            RejectReason.UNKNOWN_FORMAT_VERSION,
            "version 2",
            CODEC.encode(SENSOR_REPORT, a_report([an_observation(), an_observation(value="b.example.com")])),
            at_ms=NOW_MS + 1,
            sensor="edge-1",
        )
        self.damaged = a_refusal(
            Location(reports, 2, 43),
            RejectReason.TRUNCATED,
            "cut",
            b"\x00\x00\x00\x00\x65\x02",
        )
        self.line = a_quarantined(
            key="edge-1-eve.json-7",
            reason="unreadable-line",
            stage="produce",
            at_ms=NOW_MS - 1,
            topic="",
            partition=-1,
            place="eve.json:7",
            content_type="text",
            original="{\x1b[31m 半".encode(),
        )
        self.entries: list[Quarantined] = [self.one, self.whole, self.damaged, self.line]

    def sent(self) -> list[tuple[int, bytes | None, SensorReport]]:
        """What stands on the sensors' topic."""
        with TopicReader(self.cluster, self.reports) as reader:
            return [
                (partition, record.key, cast("SensorReport", CODEC.decode(SENSOR_REPORT, record.value)))
                for partition in reader.partitions
                for record in reader.records(partition)
            ]

    def takes(self, partition: int, entries: Sequence[Quarantined] = (), accepted: Sequence[str] = ()) -> None:
        """What intake does with all that is on a partition of the sensors' topic: it refuses or accepts."""
        end = end_offset(self.cluster, self.reports, partition)
        position = Position(1, NOW_MS, {Input(self.reports, partition): end})
        changelog = topics.changelog(topics.StepKind.INTAKE)
        committed(
            self._writer,
            [
                *(
                    Output(self.quarantine, partition, entry["key"].encode(), CODEC.encode(QUARANTINED, entry))
                    for entry in entries
                ),
                *(
                    Output(changelog, partition, REDRIVEN_ROW + key.encode(), kept(RowChange(b"", b"")))
                    for key in accepted
                ),
                progress_of(CODEC, topics.StepKind.INTAKE, partition, position, 1, {}),
            ],
        )


@pytest.fixture
def exchange(
    gbr: Cluster, make_topic: MakeTopic, writer: Producer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Exchange:
    quarantine, reports = make_topic("quarantine"), make_topic("reports")
    monkeypatch.setattr(topics, "QUARANTINE", quarantine)
    monkeypatch.setattr(topics, "SENSOR_REPORTS", reports)
    changelog, progress = make_topic("changelog"), make_topic("progress")
    monkeypatch.setattr(topics, "changelog", lambda _step: changelog)
    monkeypatch.setattr(topics, "progress", lambda _step: progress)
    monkeypatch.setenv("KAKEHASHI_GBR_BOOTSTRAP", gbr.bootstrap)
    monkeypatch.setenv("KAKEHASHI_OFFICERS", str(tmp_path))
    entries = (entry_text(an_officer(BOB, Role.REDRIVE)), entry_text(an_officer(ALICE, Role.REVIEW)))
    (tmp_path / "GBR.toml").write_text("\n".join(entries), "utf-8")
    made = Exchange(gbr, quarantine, reports, writer)
    committed(
        writer,
        [
            Output(quarantine, max(0, entry["partition"]), entry["key"].encode(), CODEC.encode(QUARANTINED, entry))
            for entry in (*made.entries, made.one)
        ],
    )
    return made


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command_line(Invocation()), ["quarantine", *arguments, "--nation", "GBR"])


def _redrive(*arguments: str, person: str = BOB) -> Result:
    return _run("redrive", *arguments, "--key", str(write_key(person, Path(os.environ["KAKEHASHI_OFFICERS"]))))


def test_a_pipe_gets_every_entry_as_a_line_of_json(exchange: Exchange) -> None:
    lines = [json.loads(line) for line in _run("list").stdout.splitlines()]
    assert sorted(line["key"] for line in lines) == sorted(entry["key"] for entry in exchange.entries)
    newest = [json.loads(line)["key"] for line in _run("list", "--limit", "2").stdout.splitlines()]
    assert (len(newest), newest[0]) == (2, exchange.whole["key"])


def test_a_list_can_be_of_one_reason_and_limited(exchange: Exchange) -> None:
    [line] = _run("list", "--json", "--reason", "invalid-value", "--limit", "1").stdout.splitlines()
    shown = json.loads(line)
    assert shown["original"]["value"] == "192.0.2.999"
    assert exchange.one["key"] == shown["key"]


def test_a_sensor_s_operator_sees_no_officer_s_refused_command(exchange: Exchange, writer: Producer) -> None:
    command = a_quarantined(key="command.v1-0-1--1", stage="correlate", topic=topics.COMMANDS, sensor="")
    committed(writer, [Output(exchange.quarantine, 0, b"command.v1-0-1--1", CODEC.encode(QUARANTINED, command))])
    kinds = {line["key"]: line["of"] for line in map(json.loads, _run("list").stdout.splitlines())}
    assert {key for key, kind in kinds.items() if kind == "officer"} == {command["key"]}
    assert {kind for key, kind in kinds.items() if key != command["key"]} == {"sensor"}
    for option, count in (("--of=sensor", 4), ("--of=officer", 1), ("--of=partner", 0), ("--sensor=edge-1", 3)):
        assert len(_run("list", option).stdout.splitlines()) == count, option
    assert _run("list", "--of", "sensors").exit_code == 2


def test_an_entry_is_shown_with_its_reason_its_place_and_its_original(exchange: Exchange) -> None:
    shown = _run("show", exchange.one["key"]).stdout
    for words in ("invalid-value", "192.0.2.999 is no address", "edge-1", '"value": "192.0.2.999"'):
        assert words in shown
    assert '"b.example.com"' in _run("show", exchange.whole["key"]).stdout
    assert "00 00 00 00 65 02" in _run("show", exchange.damaged["key"]).stdout
    line = _run("show", exchange.line["key"]).stdout
    assert r"{\x1b[31m 半" in line
    assert "eve.json:7" in line


def test_the_original_comes_back_byte_for_byte(exchange: Exchange) -> None:
    assert _run("show", exchange.whole["key"], "--raw").stdout_bytes == exchange.whole["original"]


def test_an_entry_that_is_not_there_is_answered(exchange: Exchange) -> None:
    missing = _run("show", "nowhere-0-0-0")
    assert isinstance(missing.exception, NotFound)
    assert exchange.sent() == []


def test_a_mended_observation_is_sent_again_and_twice_has_one_identity(exchange: Exchange) -> None:
    for _ in range(2):
        result = _redrive(exchange.one["key"], "--set", "value=192.0.2.99")
        assert result.exit_code == 0, result.output
    for key, is_sent in ((exchange.whole["key"], True), (exchange.one["key"], False)):
        [line] = _redrive(key, "--json").stdout.splitlines()
        assert (json.loads(line)["key"], json.loads(line)["sent"]) == (key, is_sent)
    sent = exchange.sent()[:2]
    assert [(partition, key) for partition, key, _ in sent] == [(1, b"edge-1")] * 2
    assert {report["redrive_of"] for _, _, report in sent} == {exchange.one["key"]}
    assert [report["values"] for _, _, report in sent] == [["192.0.2.99"]] * 2


def test_what_is_sent_again_is_signed_by_an_officer_whom_the_roster_lets_redrive(exchange: Exchange) -> None:
    assert isinstance(_redrive(exchange.one["key"], "--set", "value=192.0.2.99", person=ALICE).exception, Refused)
    assert exchange.sent() == []
    assert _run("redrive", exchange.one["key"], "--set", "value=192.0.2.99").exit_code == 2
    assert _redrive(exchange.one["key"], "--set", "value=192.0.2.99").exit_code == 0
    with TopicReader(exchange.cluster, exchange.reports) as reader:
        [record] = reader.records(1)
    signature = signature_in(record.headers)
    assert signature is not None
    assert is_signed_by(public_of(key_of(BOB)), CODEC, record.value or b"", signature)


def states() -> dict[str, str]:
    return {entry["key"]: entry["state"] for entry in map(json.loads, _run("list").stdout.splitlines())}


def test_an_entry_can_be_corrected_until_it_is_accepted_and_its_state_is_shown(exchange: Exchange) -> None:
    key = exchange.one["key"]
    assert set(states().values()) == {"open"}
    assert _redrive(key, "--set", "value=192.0.2.99").exit_code == 0
    assert states()[key] == "redriven"
    sent = exchange.sent()[-1][2]
    again = a_refusal(
        Location(exchange.reports, 1, 0, 0),
        RejectReason.INVALID_VALUE,
        "still no good",
        observation_as_json(sent, 0),
        at_ms=NOW_MS + 9,
        content_type="json",
    )
    exchange.takes(1, [again])
    assert {states()[each] for each in (key, again["key"])} == {"refused-again"}
    for each in (key, again["key"]):
        assert _redrive(each, "--set", "value=192.0.2.98").exit_code == 0
        assert states()[each] == "redriven"
    assert {report["redrive_of"] for _, _, report in exchange.sent()} == {key}
    exchange.takes(1, accepted=[key])
    assert {states()[each] for each in (key, again["key"])} == {"accepted"}
    assert "state        accepted" in _run("show", key).stdout
    before = len(exchange.sent())
    result = _redrive(key, "--set", "value=192.0.2.97")
    assert isinstance(result.exception, Refused)
    assert "accepted, and counts once" in result.stderr
    assert "sent 0 entries" in _redrive("--reason", "invalid-value").stdout
    assert len(exchange.sent()) == before


def test_all_of_a_reason_are_sent_again(exchange: Exchange) -> None:
    result = _redrive("--reason", "unknown-format-version")
    assert result.exit_code == 0, result.output
    ((partition, _, report),) = exchange.sent()
    assert (partition, report["redrive_of"], len(report["values"])) == (2, exchange.whole["key"], 2)


def test_a_dry_run_sends_nothing(exchange: Exchange) -> None:
    assert "would send 1 entry" in _run("redrive", "--reason", "unknown-format-version", "--dry-run").stdout
    assert exchange.sent() == []


def test_what_cannot_be_sent_again_does_not_hold_back_the_rest(exchange: Exchange) -> None:
    keys = [entry["key"] for entry in exchange.entries]
    result = _redrive(*keys, "nowhere-0-0-0")
    assert isinstance(result.exception, Refused)
    assert "sent 1 of 5" in str(result.exception)
    assert "--set value=" in result.stderr
    assert "kakehashi produce" in result.stderr
    assert "no such entry" in result.stderr
    assert [report["redrive_of"] for _, _, report in exchange.sent()] == [exchange.whole["key"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["redrive"],
        ["redrive", "k", "--reason", "truncated"],
        ["redrive", "k", "l", "--set", "value=1"],
        ["redrive", "--reason", "truncated", "--set", "value=1"],
        ["redrive", "k", "--set", "value"],
        ["redrive", "--reason", "no-such-reason"],
        ["redrive", "--reason", "bad-signature"],
        ["list", "--reason", "invalid-valeu"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str]) -> None:
    assert (_run(*arguments, "--key", "no.key") if arguments[0] == "redrive" else _run(*arguments)).exit_code == 2


def test_records_are_sent_to_their_partitions_and_their_offsets_reported(gbr: Cluster, make_topic: MakeTopic) -> None:
    topic = make_topic("published")
    outputs = [Output(topic, number % 3, b"k", b"%d" % number) for number in range(10)]
    assert send(gbr, outputs) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    with TopicReader(gbr, topic) as reader:
        assert [[record.value for record in reader.records(partition)] for partition in reader.partitions] == [
            [b"0", b"3", b"6", b"9"],
            [b"1", b"4", b"7"],
            [b"2", b"5", b"8"],
        ]
