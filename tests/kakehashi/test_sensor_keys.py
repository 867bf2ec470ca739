"""The life of a sensor's keys from the command line: what it prints goes into the roster as it is."""

import json
from pathlib import Path
from subprocess import CompletedProcess

from exchange.authority.roster import load_roster
from exchange.authority.sensor_keys import KeyState, SensorKey, sensor_entry
from exchange.clock import now_ms
from tests.builders import DAY_MS
from tests.kakehashi.command import kakehashi


class Keys:
    """A roster's folder, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> CompletedProcess[str]:
        return kakehashi("sensor", *words, within=self.folder, KAKEHASHI_OFFICERS=str(self.folder))

    def entered(self, *words: str) -> tuple[SensorKey, ...]:
        """The sensor's keys after what the command printed is the roster."""
        printed = self.run(*words)
        assert printed.returncode == 0, printed.stderr
        (self.folder / "GBR.toml").write_text(printed.stdout, "utf-8")
        return load_roster("GBR", self.folder).sensors.by_sensor["edge-1"]


def test_a_key_is_made_rotated_and_revoked_and_its_successor_stays_valid(tmp_path: Path) -> None:
    keys, of = Keys(tmp_path), ("--nation", "GBR", "--sensor", "edge-1")
    began_ms = now_ms()
    [first] = keys.entered("keygen", "--sensor", "edge-1", "--out", "1.key")
    assert began_ms <= first.from_ms <= now_ms()
    first, second = keys.entered("rotate", *of, "--out", "2.key", "--overlap", "2d")
    assert began_ms + 2 * DAY_MS <= first.until_ms <= now_ms() + 2 * DAY_MS
    assert {each.standing(now_ms()) for each in (first, second)} == {KeyState.VALID}
    first, second = keys.entered("revoke", first.key_id[:8], *of, "--since", "3h")
    assert first.standing(now_ms() - DAY_MS // 4) is not KeyState.REVOKED
    assert (first.standing(now_ms()), second.standing(now_ms())) == (KeyState.REVOKED, KeyState.VALID)
    listed = [json.loads(line) for line in keys.run("keys", "--nation", "GBR").stdout.splitlines()]
    assert [(each["key_id"], each["standing"]) for each in listed] == [
        (first.key_id, "revoked"),
        (second.key_id, "valid"),
    ]


def test_a_rotation_leaves_the_entries_of_keys_that_are_not_valid_now(tmp_path: Path) -> None:
    keys, now = Keys(tmp_path), now_ms()
    made = [SensorKey("edge-1", bytes([number] * 32), *times) for number, times in enumerate([
        (0, 0), (0, now + DAY_MS), (now - 9 * DAY_MS, now - DAY_MS), (now + 99 * DAY_MS,), (0, 0, now - DAY_MS)
    ])]  # fmt: skip
    (tmp_path / "GBR.toml").write_text("\n".join(map(sensor_entry, made)), "utf-8")
    after = {
        each.key: each for each in keys.entered("rotate", "--nation", "GBR", "--sensor", "edge-1", "--out", "n.key")
    }
    assert [after.pop(each.key) == each for each in made] == [False, True, True, True, True]
    [made_now] = after.values()
    assert made_now.standing(now_ms()) is KeyState.VALID


def test_what_is_not_there_is_named_and_no_file_is_made(tmp_path: Path) -> None:
    keys, of = Keys(tmp_path), ("--nation", "GBR", "--sensor", "edge-1")
    refused = keys.run("rotate", *of, "--out", "2.key")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "no valid key" in refused.stderr
    assert not (tmp_path / "2.key").exists()
    refused = keys.run("revoke", "00", *of)
    assert refused.returncode == 4
    assert "kakehashi sensor keys" in refused.stderr
    assert keys.run("rotate", *of, "--out", "2.key", "--overlap", "soon").returncode == 2
