"""The sensors of a roster: what an entry may be, and whose signatures count when."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exchange.authority.roster import Role, entry_text, load_roster
from exchange.authority.sensor_keys import sensor_entry
from exchange.errors import ConfigurationError
from schemas.signing import key_id, public_of
from tests.officers import an_officer, key_of

PUBLIC, OTHER = public_of(key_of("edge-1")), public_of(key_of("edge-2"))
DAY = date(2026, 12, 1)
BEGIN_MS = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)


def written(folder: Path, *parts: str) -> Path:
    (folder / "GBR.toml").write_text("\n".join(parts), "utf-8")
    return folder


def test_an_entry_is_read_as_it_is_printed_beside_officers(tmp_path: Path) -> None:
    entries = (sensor_entry("縁-1", PUBLIC, DAY), entry_text(an_officer("alice", Role.REDRIVE)))
    roster = load_roster("GBR", written(tmp_path, "signatures_required_from = 2027-04-01", *entries))
    [key] = roster.sensors.by_sensor["縁-1"]
    assert (key.key, key.from_ms, key.until_ms, key.key_id) == (PUBLIC, BEGIN_MS, 0, key_id(PUBLIC))
    assert roster.sensors.required_from_ms == int(datetime(2027, 4, 1, tzinfo=UTC).timestamp() * 1000)
    assert [each.person for each in roster.officers.values()] == ["alice"]


def test_a_key_counts_from_its_first_day_to_the_end_of_its_last(tmp_path: Path) -> None:
    entry = sensor_entry("edge-1", PUBLIC, DAY) + "until = 2026-12-01\n"
    [key] = load_roster("GBR", written(tmp_path, entry)).sensors.by_sensor["edge-1"]
    day_ms = 24 * 60 * 60 * 1000
    assert [key.counts(BEGIN_MS + at) for at in (-1, 0, day_ms - 1, day_ms)] == [False, True, True, False]


def test_a_sensor_may_have_a_key_and_its_successor(tmp_path: Path) -> None:
    both = (sensor_entry("edge-1", PUBLIC), sensor_entry("edge-1", OTHER, DAY))
    assert len(load_roster("GBR", written(tmp_path, *both)).sensors.by_sensor["edge-1"]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[sensor]]\nsensor = "edge-1"\nkey = "ed25519:AAAA"\n', "sensor 1: key is ed25519:"),
        (sensor_entry("", PUBLIC), "sensor is its name"),
        (sensor_entry("edge-1", PUBLIC) + 'until = "2027-01-01"\n', "without quotes"),
        (sensor_entry("edge-1", PUBLIC, DAY) + "until = 2026-11-30\n", "ends before it begins"),
        (sensor_entry("edge-1", PUBLIC) + "till = 2027-01-01\n", "has other fields"),
        (sensor_entry("edge-1", PUBLIC) + sensor_entry("edge-2", PUBLIC), "have the same key"),
        ("signatures_required_from = true\n", "is a day"),
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
