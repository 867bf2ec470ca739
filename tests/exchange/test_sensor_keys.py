"""The sensors of a roster: what an entry may be, and whose signatures count when."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.authority.roster import Role, entry_text, load_roster
from exchange.authority.sensor_keys import KeyState, SensorKey, read_sensor, sensor_entry
from exchange.errors import ConfigurationError
from schemas.signing import key_id, public_of
from tests.officers import an_officer, key_of

PUBLIC, OTHER = public_of(key_of("edge-1")), public_of(key_of("edge-2"))
BEGIN_MS = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)


def entry_of(sensor: str, from_ms: int = 0) -> str:
    return sensor_entry(SensorKey(sensor, PUBLIC, from_ms))


def written(folder: Path, *parts: str) -> Path:
    (folder / "GBR.toml").write_text("\n".join(parts), "utf-8")
    return folder


def test_an_entry_is_read_as_it_is_printed_beside_officers(tmp_path: Path) -> None:
    entries = (sensor_entry(SensorKey("縁-1", PUBLIC, BEGIN_MS)), entry_text(an_officer("alice", Role.REDRIVE)))
    roster = load_roster("GBR", written(tmp_path, "signatures_required_from = 2027-04-01", *entries))
    [key] = roster.sensors.by_sensor["縁-1"]
    assert (key.key, key.from_ms, key.until_ms, key.key_id) == (PUBLIC, BEGIN_MS, 0, key_id(PUBLIC))
    assert roster.sensors.required_from_ms == int(datetime(2027, 4, 1, tzinfo=UTC).timestamp() * 1000)
    assert [each.person for each in roster.officers.values()] == ["alice"]


def test_a_key_counts_from_its_first_day_to_the_end_of_its_last(tmp_path: Path) -> None:
    entry = sensor_entry(SensorKey("edge-1", PUBLIC)) + "from = 2026-12-01\nuntil = 2026-12-01\n"
    [key] = load_roster("GBR", written(tmp_path, entry)).sensors.by_sensor["edge-1"]
    day_ms = 24 * 60 * 60 * 1000
    assert [key.standing(BEGIN_MS + at) for at in (-1, 0, day_ms - 1, day_ms)] == [
        KeyState.NOT_YET,
        KeyState.VALID,
        KeyState.VALID,
        KeyState.ENDED,
    ]


@given(st.integers(0, 1 << 42), st.integers(0, 1 << 42), st.integers(0, 1 << 42))
def test_an_entry_keeps_its_times_to_the_millisecond(from_ms: int, life_ms: int, revoked_ms: int) -> None:
    key = SensorKey("edge-1", PUBLIC, from_ms, from_ms + life_ms if life_ms else 0, revoked_ms)
    [entry] = tomllib.loads(sensor_entry(key))["sensor"]
    assert read_sensor(Path("GBR.toml"), 1, entry) == key


def test_a_revocation_counts_from_its_time_on_and_before_an_end(tmp_path: Path) -> None:
    times = "from = 2026-12-01\nuntil = 2026-12-02T00:00:00+09:00\nrevoked = 2026-12-01T12:00:00Z\n"
    [key] = load_roster("GBR", written(tmp_path, sensor_entry(SensorKey("edge-1", PUBLIC)) + times)).sensors.by_sensor[
        "edge-1"
    ]
    noon_ms = BEGIN_MS + 12 * 60 * 60 * 1000
    assert key.until_ms == noon_ms + 3 * 60 * 60 * 1000
    assert [key.standing(at_ms) for at_ms in (noon_ms - 1, noon_ms, key.until_ms)] == [
        KeyState.VALID,
        KeyState.REVOKED,
        KeyState.REVOKED,
    ]


def test_a_sensor_may_have_a_key_and_its_successor(tmp_path: Path) -> None:
    both = (sensor_entry(SensorKey("edge-1", PUBLIC)), sensor_entry(SensorKey("edge-1", OTHER, BEGIN_MS)))
    assert len(load_roster("GBR", written(tmp_path, *both)).sensors.by_sensor["edge-1"]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[sensor]]\nsensor = "edge-1"\nkey = "ed25519:AAAA"\n', "sensor 1: key is ed25519:"),
        (entry_of(""), "sensor is its name"),
        (entry_of("edge-1") + 'until = "2027-01-01"\n', "without quotes"),
        (entry_of("edge-1") + "revoked = 2027-01-01T08:00:00\n", "2027-12-31T08:30:00Z"),
        (entry_of("edge-1", BEGIN_MS) + "until = 2026-11-30\n", "ends before it begins"),
        (entry_of("edge-1") + "till = 2027-01-01\n", "has other fields"),
        (entry_of("edge-1") + entry_of("edge-2"), "have the same key"),
        (entry_of("edge-1") + "revoked = 2027-01-01\n" + entry_of("edge-1"), "has two entries"),
        ("signatures_required_from = true\n", "is a day or a time"),
        ("sensor = 1\n", "has [[officer]] and [[sensor]] entries"),
        ("sensors = []\n", "sensors"),
    ],
)
def test_an_invalid_entry_is_named_with_what_to_change(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_roster("GBR", written(tmp_path, text))
    assert words in str(refused.value)


def test_the_roster_that_the_docs_show_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sre.md").read_text("utf-8")
    text = page.split("```toml\nsignatures_required_from", 1)[1].split("```", 1)[0]
    roster = load_roster("GBR", written(tmp_path, "signatures_required_from" + text))
    assert list(roster.sensors.by_sensor) == ["edge-1"]
    assert roster.sensors.required_from_ms
