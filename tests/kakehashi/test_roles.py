"""Role processes: found by whoever knows the home, never mistaken for another process, killed and stopped."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import FatalError, Refused
from kakehashi import roles
from tests.kakehashi.command import kakehashi
from tests.polling import eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in which nothing runs any more afterwards."""
    yield tmp_path
    roles.stop(tmp_path)


def _a_sensor(home: Path) -> roles.RoleProcess:
    """A real role that needs no broker to run for ever: a sensor that waits for one."""
    feed = home / "feed.txt"
    feed.write_text("198.51.100.7\n", encoding="utf-8")
    arguments = ("produce", "--nation", "GBR", "--sensor", "edge", str(feed))
    environ = os.environ | {
        "KAKEHASHI_HOME": str(home),
        "KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1",
        "KAKEHASHI_JPN_BOOTSTRAP": "127.0.0.1:1",
    }
    role = roles.start(home, "sensor-edge", arguments, environ)
    eventually(lambda: "waiting for GBR's Kafka" in _shown(home), 30, "the sensor is at work, without a broker")
    return role


def _shown(home: Path) -> str:
    return roles.log_of(home, "sensor-edge").read_text("utf-8")


def test_a_role_is_known_to_others_and_ends_by_kill(home: Path) -> None:
    role = _a_sensor(home)
    assert roles.known(home) == [role]
    assert roles.is_running(role)
    with pytest.raises(Refused, match=f"sensor-edge runs already, as process {role.pid}"):
        roles.start(home, "sensor-edge", (), os.environ)
    roles.kill(role)
    assert not roles.is_running(role)
    assert roles.known(home) == [role], "it was not stopped in good order: it is still to be started again"


def test_stop_lets_a_role_end_in_good_order_and_forgets_it(home: Path) -> None:
    role = _a_sensor(home)
    assert roles.stop(home) == [role]
    assert not roles.is_running(role)
    assert roles.known(home) == []
    assert "stopped. 1 report in" in _shown(home)
    assert roles.stop(home) == []


def test_down_stops_the_roles_of_a_home(home: Path) -> None:
    role = _a_sensor(home)
    done = kakehashi("down", within=home, KAKEHASHI_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert f"sensor-edge stopped (process {role.pid})" in done.stdout
    assert not roles.is_running(role)


def test_another_process_with_the_same_id_is_left_alone(home: Path) -> None:
    folder = home / "roles"
    folder.mkdir()
    ours = roles.RoleProcess("bridge", os.getpid(), "1", ())
    (folder / "bridge.json").write_text(
        json.dumps({"name": "bridge", "pid": ours.pid, "started": "1", "arguments": []})
    )
    assert not roles.is_running(ours)
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("it was signalled"))
    try:
        assert roles.stop(home) == []
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_role_that_ended_by_itself_is_seen_to_have_ended(home: Path) -> None:
    role = roles.start(home, "nonsense", ("no-such-command",), os.environ)
    eventually(lambda: not roles.is_running(role), 30, "the command refused its arguments")
    assert "No such command" in roles.log_of(home, "nonsense").read_text("utf-8")


def test_a_damaged_file_states_what_to_do(home: Path) -> None:
    folder = home / "roles"
    folder.mkdir()
    (folder / "bridge.json").write_text("{}")
    with pytest.raises(FatalError, match=r"bridge\.json is damaged .* stop what it names by hand and delete it"):
        roles.known(home)
    (folder / "bridge.json").unlink()
