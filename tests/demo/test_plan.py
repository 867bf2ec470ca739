"""The plan plays the whole manifest, each sensor in order and in one lane, in about the time it is given."""

from pathlib import Path
from typing import Any, Final

import pytest

from demo.plan import LEFT_OUT, STARTING_S, Play, observations, plan, read_manifest

FEEDS: Final = Path(__file__).resolve().parents[1] / "feeds"


@pytest.fixture(scope="module")
def manifest() -> list[Any]:
    return list(read_manifest((FEEDS / "manifest.json").read_text("utf-8")))


def _entry(nation: str, sensor: str, file: str, number: int, **options: Any) -> dict[str, Any]:
    return {"nation": nation, "sensor": sensor, "file": file, "options": options, "observations": number}


def test_every_file_is_played_once_by_its_own_sensor(manifest: list[Any]) -> None:
    played = [(play.nation, play.sensor, name) for lane in plan(manifest, 40) for play in lane for name in play.files]
    wanted = [(entry["nation"], entry["sensor"], entry["file"]) for entry in manifest]
    assert sorted(played) == sorted(each for each in wanted if each[:2] not in LEFT_OUT)


def test_a_sensor_stays_in_one_lane_and_in_order(manifest: list[Any]) -> None:
    lanes = plan(manifest, 40)
    homes: dict[tuple[str, str], int] = {}
    for number, lane in enumerate(lanes):
        for play in lane:
            assert homes.setdefault((play.nation, play.sensor), number) == number
            own = (play.nation, play.sensor)
            files = [entry["file"] for entry in manifest if (entry["nation"], entry["sensor"]) == own]
            assert [name for name in files if name in play.files] == list(play.files)


def test_every_lane_takes_about_the_time_it_is_given(manifest: list[Any]) -> None:
    for lane in plan(manifest, 60):
        seconds = sum(STARTING_S + play.observations / play.rate for play in lane)
        assert 30 < seconds < 61 or all(play.rate <= 40 for play in lane)


def test_what_is_to_come_is_known_beforehand(manifest: list[Any]) -> None:
    lanes = plan(manifest, 40)
    kept = [entry for entry in manifest if (entry["nation"], entry["sensor"]) not in LEFT_OUT]
    for nation in ("GBR", "JPN"):
        assert observations(lanes, nation) == sum(each["observations"] for each in kept if each["nation"] == nation)


def test_files_with_the_same_options_are_one_run_and_options_become_a_command_line() -> None:
    marked = {"tlp": "TLP:AMBER", "releasable-to": ["JPN", "GBR"]}
    lanes = plan(
        [
            _entry("GBR", "desk", "a.txt", 3, **marked),
            _entry("GBR", "desk", "b.txt", 4, **marked),
            _entry("GBR", "desk", "c.txt", 5),
        ],
        10,
    )
    ((first, second),) = lanes
    assert isinstance(first, Play)
    assert (first.files, first.observations, second.files) == (("a.txt", "b.txt"), 7, ("c.txt",))
    assert first.arguments(Path("/feeds")) == (
        *("produce", "--nation", "GBR", "--sensor", "desk", "--rate", str(first.rate), "--json"),
        *("--tlp", "TLP:AMBER", "--releasable-to", "JPN", "--releasable-to", "GBR"),
        *("/feeds/a.txt", "/feeds/b.txt"),
    )


def test_a_manifest_of_nothing_is_a_plan_of_nothing() -> None:
    assert plan([], 40) == ()
