"""``kakehashi tail`` on real Kafka, for tools and for eyes."""

import io
import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from consumers.subscription.changes import Change, State, change_of, changes
from consumers.subscription.subscription import Gap, Quiet, SnapshotEnd, Subscription
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Output, Record
from kakehashi.commands.soc.tail import _show
from kakehashi.main import Invocation, command_line
from kakehashi.terminal import printable, utc
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.markings import Pap, Tlp
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType
from streams.settle.step import ROLL_KEY
from tests.builders import NOW_MS, a_content, a_released, an_id, an_indicator
from tests.consumers.conftest import PARTITIONS, MakeTopic, committed

CODEC = Codec()
URL_ID = an_id(IndicatorType.URL, "http://c2.example.com/a")


def _output(topic: str, record: ReleasedIndicator) -> Output:
    key = record["id"].encode()
    partition = shard_of_key(key_of_id(record["id"]), PARTITIONS)
    return Output(topic, partition, key, CODEC.encode(RELEASED_INDICATOR, record))


def _deleted(topic: str, identifier: str) -> Output:
    return Output(topic, shard_of_key(key_of_id(identifier), PARTITIONS), identifier.encode(), None)


def _a_url(version: int) -> ReleasedIndicator:
    return a_released(version=version, content=a_content(type="url", value="http://c2.example.com/a"))


def _a_domain(version: int) -> ReleasedIndicator:
    return a_released(version=version, content=a_content(release_expires_ms=0))


@pytest.fixture(autouse=True)
def no_disputes(make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics of receipts, both empty."""
    receipts = make_topic("receipts")
    monkeypatch.setattr(topics, "receipts", lambda _origin: receipts)
    monkeypatch.setattr(topics, "partner_receipts", lambda _partner: receipts)


@pytest.fixture
def partner_topic(make_topic: MakeTopic, writer: Producer, monkeypatch: pytest.MonkeyPatch, gbr: Cluster) -> str:
    """What GBR has from JPN: a live domain in two versions, a recalled URL, an address that was deleted."""
    topic = make_topic("partner.JPN")
    monkeypatch.setattr(topics, "accepted", lambda _origin: topic)
    monkeypatch.setenv("KAKEHASHI_GBR_BOOTSTRAP", gbr.bootstrap)
    address = a_released(content=a_content(type="ipv4-addr", value="192.0.2.1", registered_domain=""))
    first = [_output(topic, _a_domain(1)), _output(topic, _a_url(1)), _output(topic, address)]
    recalled = a_released(kind="recalled", id=URL_ID, version=2)
    committed(writer, first)
    committed(writer, [_output(topic, _a_domain(2)), _output(topic, recalled), _deleted(topic, address["id"])])
    return topic


def _lines(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(command_line(Invocation()), ["tail", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("partner_topic")
def test_a_pipe_gets_the_latest_of_each_indicator_as_json_lines() -> None:
    found = {str(line["id"]): line for line in _lines("--nation", "GBR", "--partner", "JPN", "--no-follow")}
    assert {name: (line["state"], line["version"]) for name, line in found.items()} == {
        an_id(): ("live", 2),
        URL_ID: ("recalled", 2),
    }
    content = a_content(release_expires_ms=0)
    assert found[an_id()]["value"] == content["value"]
    assert found[an_id()]["marking"] == {name: content[name] for name in ("tlp", "pap", "releasable_to", "caveats")}
    assert "value" not in found[URL_ID]


@pytest.mark.usefixtures("partner_topic")
def test_it_stops_after_so_many_entries() -> None:
    assert len(_lines("--nation", "GBR", "--partner", "JPN", "--limit", "1")) == 1


def test_the_nations_own_picture_is_what_is_shown_without_a_partner(
    make_topic: MakeTopic, writer: Producer, monkeypatch: pytest.MonkeyPatch, gbr: Cluster
) -> None:
    topic = make_topic("national")
    monkeypatch.setattr(topics, "NATIONAL", topic)
    monkeypatch.setenv("KAKEHASHI_GBR_BOOTSTRAP", gbr.bootstrap)
    committed(writer, [Output(topic, 0, an_id().encode(), CODEC.encode(INDICATOR, an_indicator()))])
    (line,) = _lines("--nation", "GBR", "--no-follow", "--json")
    assert (line["state"], line["value"], line["sightings"]) == ("live", "c2.example.com", 2)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "printed"),
    [
        (["--nation", "FRA"], 2, "unknown nation `FRA`"),
        (["--nation", "GBR", "--partner", "FRA"], 2, "unknown nation `FRA`"),
        (["--nation", "GBR", "--partner", "GBR"], 2, "its partners are JPN"),
        ([], 2, "Missing option"),
    ],
    ids=["unknown nation", "unknown partner", "itself", "no nation"],
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], exit_code: int, printed: str) -> None:
    wide = CliRunner(env={"COLUMNS": "200"})
    result = wide.invoke(command_line(Invocation()), ["tail", *arguments])
    assert result.exit_code == exit_code
    assert printed in result.stderr


def test_what_the_snapshot_has_shown_following_does_not_show_again(
    partner_topic: str, gbr: Cluster, writer: Producer
) -> None:
    with TopicReader(gbr, partner_topic) as reader:
        events = Subscription(reader, clock_ms=lambda: NOW_MS).events(follow=True)
        found = changes(events, RELEASED_INDICATOR, CODEC, clock_ms=lambda: NOW_MS)
        snapshot = _until_caught_up(found)
        markers = [Output(partner_topic, each, ROLL_KEY, None) for each in range(PARTITIONS)]  # of no indicator
        revoked = _output(partner_topic, a_released(kind="revoked", version=3))
        committed(writer, [*markers, revoked, _deleted(partner_topic, URL_ID)])
        followed = _entries(found, 2)
    shown = [*snapshot, *followed]
    assert {(entry.key, entry.state) for entry in followed} == {(an_id(), State.REVOKED), (URL_ID, State.REMOVED)}
    assert {(entry.key, entry.state) for entry in snapshot} == {(an_id(), State.LIVE), (URL_ID, State.RECALLED)}
    assert len({(entry.partition, entry.offset) for entry in shown}) == len(shown) == 4


def _until_caught_up(found: Iterator[Change | Gap | SnapshotEnd | Quiet]) -> list[Change]:
    entries: list[Change] = []
    for each in found:
        if isinstance(each, SnapshotEnd):
            return entries
        assert isinstance(each, Change)
        entries.append(each)
    raise AssertionError("it never caught up")


def _entries(found: Iterator[Change | Gap | SnapshotEnd | Quiet], count: int) -> list[Change]:
    entries: list[Change] = []
    for _, each in zip(range(500), found, strict=False):
        if isinstance(each, Change):
            entries.append(each)
        if len(entries) == count:
            return entries
    raise AssertionError(f"only {entries}")


# ── For eyes ──────────────────────────────────────────────────────────────────────────────────────────────────


def _shown(*records: ReleasedIndicator, width: int = 120) -> list[str]:
    entries = [
        change_of(
            Record("t", 0, 0, record["id"].encode(), CODEC.encode(RELEASED_INDICATOR, record), NOW_MS),
            RELEASED_INDICATOR,
            CODEC,
            NOW_MS,
        )
        for record in records
    ]
    return _screen(*entries, width=width)


def _screen(*entries: Change, width: int = 120) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    _show([*entries, SnapshotEnd(), Quiet()], console, 0, follow=True)
    return screen.getvalue().splitlines()


def test_a_terminal_shows_one_line_for_each_indicator() -> None:
    heading, line, end = _shown(a_released(content=a_content(tlp="TLP:AMBER+STRICT")))
    assert heading.split() == ["TLP", "type", "conf", "last", "seen", "UTC", "value", "·", "labels"]
    for word in ("● live", "domain-name", "TLP:AMBER+STRICT", "80", "2026-11-22 23:00", "c2.example.com", "malicious"):
        assert word in line
    assert "follows" in end


def test_what_its_sources_wrote_for_release_stands_behind_the_labels() -> None:
    _, line, _ = _shown(a_released(content=a_content(tearline="Block it.\n公開")))
    assert line.endswith("c2.example.com  malicious-activity, Block it. 公開")


def test_what_is_over_is_shown_as_over() -> None:
    ended = a_released(content=a_content(valid_until_ms=1))
    lines = _shown(ended, a_released(kind="recalled"), a_released(kind="revoked"), a_released(kind="expired"))
    assert [line.split()[1] for line in lines[1:5]] == ["ended", "recalled", "revoked", "expired"]
    assert "marking-tightened" in lines[2]
    assert an_id() in lines[2]


@pytest.mark.parametrize("width", [20, 60, 100])
def test_a_line_is_longer_than_the_terminal_only_for_its_value_which_is_never_cut(width: int) -> None:
    long, short = "請求書" * 60, "a.exe"
    first, second, end, *_ = _values(
        *(
            a_released(content=a_content(type="file-name", value=each, labels=["ラベル" * 20]))
            for each in (long, short)
        ),
        width=width,
    )
    assert long in first
    assert "ラベル" not in first
    assert short in second
    assert cell_len(second) <= max(width, len("● live          ") + len(short))
    assert end.startswith("──")


def _values(*records: ReleasedIndicator, width: int) -> list[str]:
    """The lines but for the heading and those with markings alone."""
    return [line for line in _shown(*records, width=width)[1:] if not line.startswith("  ")]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("digits", [32, 64, 128])
def test_a_marking_is_whole_however_long_the_value_and_narrow_the_terminal_is(width: int, digits: int) -> None:
    content = a_content(type=f"file-{digits}", value="0" * digits, tlp="TLP:GREEN", pap="PAP:GREEN", caveats=["ORCON"])
    shown = "\n".join(_shown(a_released(content=content), width=width))
    for word in ("0" * digits, "TLP:GREEN", "PAP:GREEN", "ORCON"):
        assert word in shown


def test_a_national_records_marking_is_shown_too() -> None:
    record = an_indicator()
    record["marking"] = {"tlp": int(Tlp.GREEN), "pap": int(Pap.AMBER), "releasable_to": [], "caveats": ["ORCON"]}
    raw = Record("t", 0, 0, record["id"].encode(), CODEC.encode(INDICATOR, record), NOW_MS)
    shown = _screen(change_of(raw, INDICATOR, CODEC, NOW_MS))[1]
    assert "TLP:GREEN" in shown
    assert "PAP:AMBER, ORCON" in shown


def test_an_empty_picture_names_the_workers_that_do_not_run_yet() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60, color_system=None)
    _show([SnapshotEnd()], console, 0, follow=False, starting=lambda: ", and no worker of GBR runs shard 0, 1")
    assert "── nothing here yet, and no worker of GBR runs shard 0, 1" in screen.getvalue()


def test_what_came_from_elsewhere_does_not_command_the_terminal() -> None:
    hostile = a_released(content=a_content(type="file-name", value="a\x1b[2J\u202efdp.exe", labels=["[red]x", "\x07"]))
    screen = "\n".join(_shown(hostile))
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert r"a\x1b[2J\u202efdp.exe" in screen
    assert "[red]x" in screen


def test_times_and_texts_are_fit_for_a_terminal_whatever_they_are() -> None:
    assert printable("日本 ok") == "日本 ok"
    assert printable("a\tb\x9b") == r"a\tb\x9b"
    assert utc(0) == ""
    assert utc(NOW_MS) == "2026-11-23 00:00"
    assert utc(1 << 62) == str(1 << 62)
    assert utc(-(1 << 62)) == str(-(1 << 62))
