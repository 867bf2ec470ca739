"""Hits of Suricata and Zeek on what a partner shares become sightings, each once; all other records are left out."""

import json
import signal
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from consumers.outputs.suricata_rules import RULES_FILE, rules, signatures
from consumers.outputs.zeek_rows import TYPES, row_of
from exchange.errors import BrokerUnavailable, TransientError
from exchange.kafka.clients import Cluster
from exchange.metrics.kinds import Role
from exchange.metrics.labels import HitFate
from exchange.role import metrics_of
from exchange.settings import Settings
from kakehashi import sighting_follow
from kakehashi.hits import FORMATS, reader_of
from producers.hits.hit import FATES, NO_HIT, NO_VALUE, OTHER_ORIGIN, OTHER_SIDE, RULES
from producers.meter import Meter
from producers.readers.formats import readers
from producers.readers.reading import Defaults, LeftOut, Seen
from producers.spool.spool import Spool
from producers.summary import Summary
from schemas.delivered import SURICATA_SIDS
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, an_entry
from tests.consumers.picture.topics import NATION, World
from tests.producers.following import Follower, writing
from tests.producers.producing import NOWHERE, SENSOR, OfflinePublisher, Unwatched
from tests.producers.reading_feeds import an_input

ADDRESS, ADDRESS_6, NAME = "198.51.100.7", "2001:db8::7", "c2.example.com"
MD5, SHA1, SHA256 = "a" * 32, "b" * 40, "c" * 64
AT = "2026-11-20T08:00:00.250000+0000"
AT_MS = 1_795_161_600_250
VALUES = {
    IndicatorType.IPV4_ADDR: ADDRESS,
    IndicatorType.IPV6_ADDR: ADDRESS_6,
    IndicatorType.DOMAIN_NAME: NAME,
    IndicatorType.FILE_MD5: MD5,
    IndicatorType.FILE_SHA1: SHA1,
    IndicatorType.FILE_SHA256: SHA256,
    IndicatorType.JA3: "d" * 32,
    IndicatorType.JA4: "t13d1516h2_8daaf6152771_b186095e22b6",
    IndicatorType.IPV4_NET: "203.0.113.0/24",
    IndicatorType.URL: "https://bad.example/a",
    IndicatorType.EMAIL_ADDR: "a@bad.example",
    IndicatorType.FILE_NAME: "invoice.exe",
    IndicatorType.X509_SHA1: "e" * 40,
    IndicatorType.USER_AGENT: "made-up/1.0 (x)",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """JPN's picture of what GBR shares: one of each type, and what has ended."""
    found = World(tmp_path_factory.mktemp("world"))
    for kind, value in VALUES.items():
        found.gbr.release(value, kind.label, content={"tlp": "TLP:GREEN", "release_expires_ms": 0, "tearline": ""})
    found.gbr.release("gone.example.com", content={"release_expires_ms": 0})
    found.gbr.release("gone.example.com", record="revoked", version=NOW_MS + 1)
    found.catch_up()
    return found


def an_alert(sid: int, **fields: Any) -> bytes:
    record = {
        "timestamp": AT,
        "event_type": "alert",
        "src_ip": "10.1.2.3",
        "dest_ip": "10.1.2.4",
        "alert": {"gid": 1, "signature_id": sid},
    }
    return json.dumps(record | fields).encode() + b"\n"


def found_in(world: World, name: str, content: bytes, partner: str = "GBR") -> tuple[list[Observation], list[str]]:
    """The sightings, and the rules by which the rest is left out."""
    reader = reader_of(name, world.path, NATION, partner, "TLP:GREEN", world.clock_ms)
    readings = list(reader.read(an_input(content), Defaults()))
    left = [each.rule for each in readings if isinstance(each, LeftOut)]
    assert set(left) <= set(RULES)
    return [each.observation for each in readings if isinstance(each, Seen)], left


def hit_of(buffer: str, value: str) -> dict[str, Any]:
    """The fields that Suricata logs when a value was seen in a buffer."""
    fields: dict[str, dict[str, Any]] = {
        "ip.src": {"src_ip": value},
        "ip.dst": {"dest_ip": value},
        "iprep": {"dest_ip": value},
        "dns.query": {"dns": {"query": [{"type": "query", "rrname": value.upper()}]}},
        "tls.sni": {"tls": {"sni": value}},
        "http.host": {"http": {"hostname": value, "url": "/"}},
        "ja3.hash": {"tls": {"ja3": {"hash": value}}},
        "ja4.hash": {"quic": {"ja4": value}},
        "tls.cert_fingerprint": {"tls": {"fingerprint": bytes.fromhex(value).hex(":") if len(value) == 40 else ""}},
        "http.user_agent": {"http": {"hostname": "other.example", "url": "/", "http_user_agent": value}},
        "filemd5": {"files": [{"filename": "a", "md5": value}]},
        "filesha1": {"files": [{"filename": "a", "sha1": value}]},
        "filesha256": {"fileinfo": {"filename": "a", "sha256": value}},
    }
    return fields[buffer]


@pytest.mark.parametrize("sid", sorted(signatures()))
def test_an_alert_of_each_rule_that_the_output_writes_is_a_sighting_with_the_tools_time(world: World, sid: int) -> None:
    buffer, kind = signatures()[sid]
    value, named = (VALUES[kind], VALUES[kind]) if kind else ("203.0.113.9", VALUES[IndicatorType.IPV4_NET])
    [seen], left = found_in(world, "suricata-eve", an_alert(sid, **hit_of(buffer, value)))
    assert (seen.value, seen.count, seen.first_seen_ms, seen.last_seen_ms) == (named, 1, AT_MS, AT_MS)
    assert (seen.marking.releasable_to, seen.marking.tlp, seen.confidence, seen.labels) == (
        ("GBR",),
        "TLP:GREEN",
        -1,
        (),
    )
    assert left == ([] if kind else [OTHER_SIDE])


def test_every_rule_in_the_rules_file_is_known_by_its_sid() -> None:
    text = rules("alert", dict.fromkeys(IndicatorType, 1))
    written = {int(line.rpartition("sid:")[2].partition(";")[0]) for line in text.splitlines()}
    assert written == set(signatures()) <= set(SURICATA_SIDS), RULES_FILE


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (an_alert(2_024_001, dest_ip=ADDRESS), NO_HIT),
        (an_alert(3_900_001, dest_ip=ADDRESS, alert={"gid": 3, "signature_id": 3_900_001}), NO_HIT),
        (an_alert(3_900_001, dest_ip=ADDRESS, event_type="drop"), NO_HIT),
        (b'{"event_type": "dns", "timestamp": "x"}\n', NO_HIT),
        (an_alert(3_900_001, dest_ip="198.51.100.99"), "not-exchanged"),
        (an_alert(3_900_006, http={"hostname": ADDRESS}), "not-exchanged"),
        (an_alert(3_900_004, dns={"query": [{"rrname": "gone.example.com"}]}), "ended"),
        (an_alert(3_900_004), NO_VALUE),
        (an_alert(3_900_007, tls={"sni": NAME}), NO_VALUE),
    ],
)
def test_what_is_no_hit_on_what_the_partner_shares_is_left_out_with_its_reason(
    world: World, record: bytes, rule: str
) -> None:
    assert found_in(world, "suricata-eve", record) == ([], [rule])


@pytest.mark.parametrize(
    "dns",
    [
        {"type": "query", "rrname": NAME},
        {"query": [{"rrname": NAME}]},
        {"version": 3, "queries": [{"rrname": NAME}]},
    ],
)
def test_the_name_that_was_asked_for_is_found_in_each_version_of_dns_records(world: World, dns: dict[str, Any]) -> None:
    [seen], _ = found_in(world, "suricata-eve", an_alert(3_900_004, dns=dns))
    assert seen.value == NAME


def test_damaged_and_contradicting_records_are_refused_and_stop_nothing(world: World) -> None:
    reader = reader_of("suricata-eve", world.path, NATION, "GBR", "", world.clock_ms)
    content = b'{"event_type": "al\n' + an_alert(3_900_001, timestamp="noon") + an_alert(3_900_001, dest_ip=ADDRESS)
    kinds = Counter(type(each).__name__ for each in reader.read(an_input(content), Defaults()))
    assert kinds == {"Rejected": 2, "Seen": 1}


def test_a_producer_leaves_alerts_on_delivered_values_to_the_sightings(world: World) -> None:
    readings = list(readers()["suricata-eve"].read(an_input(an_alert(3_900_001, dest_ip=ADDRESS)), Defaults()))
    assert [each.rule for each in readings if isinstance(each, LeftOut)] == ["delivered"]
    assert len(readings) == 1


def zeek_types() -> dict[IndicatorType, tuple[str, str, str]]:
    """What our Zeek output writes of each value: the type, the value and the source."""
    found = {}
    for kind, value in VALUES.items():
        row = row_of(an_entry(value, kind.label), kind) if kind in TYPES else None
        if row is not None:
            assert not isinstance(row, str)
            found[kind] = (row.type, row.value, row.source)
    return found


@pytest.mark.parametrize("kind", zeek_types())
def test_a_hit_on_each_row_that_the_zeek_output_writes_is_a_sighting(world: World, kind: IndicatorType) -> None:
    matched, value, source = zeek_types()[kind]
    is_network = matched == "Intel::SUBNET"
    seen_value, stated = ("203.0.113.9", "Intel::ADDR") if is_network else (value, matched)
    fields = ["ts", "seen.indicator", "seen.indicator_type", "matched", "sources"]
    row = ["1795161600.250000", seen_value, stated, matched, source]
    types = "time\tstring\tenum\tset[enum]\tset[string]"
    named = "\t".join(fields)
    heading = f"#separator \\x09\n#set_separator\t,\n#path\tintel\n#fields\t{named}\n#types\t{types}\n"
    as_tsv = (heading + "\t".join(row) + "\n").encode()
    as_json = {**dict(zip(fields, row, strict=True)), "ts": 1795161600.25, "matched": [matched], "sources": [source]}
    for content in (as_tsv, json.dumps(as_json).encode()):
        [seen], left = found_in(world, "zeek-intel", content)
        assert (seen.kind, seen.value, seen.first_seen_ms, left) == (kind, VALUES[kind], AT_MS, [])


@pytest.mark.parametrize(
    ("name", "fields", "rule"),
    [
        ("zeek-intel", {"sources": ["vendor"]}, NO_HIT),
        ("zeek-intel", {"sources": ["kakehashi-USA", "vendor"]}, OTHER_ORIGIN),
        ("zeek-intel", {"sources": ["kakehashi-JPN"]}, OTHER_ORIGIN),
        ("zeek-intel", {"sources": ["kakehashi-GBR"], "seen.indicator": "192.0.2.1"}, "not-exchanged"),
        ("zeek-intel", {"_path": "conn"}, NO_HIT),
        ("zeek-notice", {"_path": "notice", "note": "Scan::Port_Scan", "sub": ADDRESS}, NO_HIT),
        ("zeek-notice", {"_path": "notice", "note": "Intel::Notice", "sub": "nothing.example.com"}, "not-exchanged"),
    ],
)
def test_other_records_of_zeek_are_left_out(world: World, name: str, fields: dict[str, Any], rule: str) -> None:
    record = {"_path": "intel", "ts": 1795161600.25, "seen.indicator": ADDRESS, "seen.indicator_type": "Intel::ADDR"}
    found, left = found_in(world, name, json.dumps(record | {"matched": ["Intel::ADDR"]} | fields).encode())
    assert found == []
    assert set(left) == {rule}


@pytest.mark.parametrize("value", [ADDRESS, NAME, MD5, SHA256, "bad.example/a", "a@bad.example", "invoice.exe"])
def test_a_notice_about_an_intel_hit_is_a_sighting(world: World, value: str) -> None:
    record = {"_path": "notice", "ts": 1795161600.25, "note": "Intel::Notice", "sub": value}
    [seen], _ = found_in(world, "zeek-notice", json.dumps(record).encode())
    assert seen.value.endswith(value)


def test_nothing_is_decided_by_a_picture_that_does_not_have_the_partner(world: World) -> None:
    with pytest.raises(TransientError, match="USA"):  # what it shares was never read: nothing is decided
        found_in(world, "suricata-eve", an_alert(3_900_001, dest_ip=ADDRESS), partner="USA")


def test_the_number_of_readings_of_a_record_does_not_depend_on_the_picture(world: World) -> None:
    counts = set()
    for first in ("203.0.113.9", "192.0.2.1"):
        for second in ("203.0.113.8", "192.0.2.2"):
            seen, left = found_in(world, "suricata-eve", an_alert(3_900_010, src_ip=first, dest_ip=second))
            counts.add(len(seen) + len(left))
    assert counts == {2}


def test_hits_are_counted_by_their_fates(world: World, tmp_path: Path) -> None:
    metrics = metrics_of(Role.PRODUCE, NATION, ("GBR",), ())
    with Spool(tmp_path, SENSOR.nation, SENSOR.name, NOW_MS) as spool:
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        meter = Meter(metrics, Unwatched(), spool, publisher, lambda: NOW_MS, FATES)
        summary = Summary(observations=3, left_out=Counter({"not-exchanged": 2, "ended": 1, NO_HIT: 7}))
        meter.finish(summary)
        meter.finish(summary)
    for fate, count in ((HitFate.SIGHTED, 3), (HitFate.NOT_EXCHANGED, 2), (HitFate.ENDED, 1), (HitFate.NO_VALUE, 0)):
        assert metrics.registry.get_sample_value("kakehashi_hits_total", {"fate": fate.value}) == count


def test_a_follower_that_is_killed_and_rotated_reports_each_hit_once(tmp_path: Path) -> None:
    world = World(tmp_path / "home")
    for number in range(200):
        world.gbr.release(str(ip_address("203.0.113.0") + number), "ipv4-addr", content={"release_expires_ms": 0})
    world.catch_up()
    path = tmp_path / "eve.json"
    with (
        writing(path) as writer,
        Follower(tmp_path / "spool", tmp_path / "home", path, worker=("tests.kakehashi.hits_worker",)) as follower,
    ):
        for number in range(200):
            writer.file.write(an_alert(2_024_001, dest_ip=ADDRESS))
            writer.file.write(an_alert(3_900_001, dest_ip=f"203.0.113.{number}"))
            if number % 50 == 25:
                follower.waits_for(number)
                follower.end(signal.SIGKILL)
                path.rename(tmp_path / f"eve.json.{9 - number // 50}")
                writer.reopen()
                follower.start()
        follower.waits_for(200)
        follower.end()
        assert Counter(follower.values()) == Counter(f"203.0.113.{number}" for number in range(200))


def test_without_a_broker_a_follower_begins_with_the_picture_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_broker(*_: object) -> None:
        raise BrokerUnavailable("no broker answers")

    monkeypatch.setattr(sighting_follow, "bring_up_to_date", no_broker)
    cluster, settings = Cluster(NATION, "127.0.0.1:1"), Settings.from_env({"KAKEHASHI_HOME": str(tmp_path)})
    with pytest.raises(BrokerUnavailable):
        sighting_follow.catch_up(cluster, settings)
    World(tmp_path).catch_up()
    sighting_follow.catch_up(cluster, settings)
    assert "no broker answers" in capsys.readouterr().err


def test_the_formats_of_hits_are_the_documented_ones() -> None:
    assert set(FORMATS) == {"suricata-eve", "zeek-intel", "zeek-notice"}
