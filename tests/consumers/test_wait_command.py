"""`kakehashi wait` returns once all shards are worked on, and names those that are not."""

import os
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from exchange.errors import BrokerUnavailable
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import POLICY_READING
from tests.builders import a_policy_reading
from tests.conftest import Brokers
from tests.consumers.border import Border


@pytest.fixture
def border(brokers: Brokers, monkeypatch: pytest.MonkeyPatch) -> Border:
    border = Border(brokers)
    monkeypatch.setenv("KAKEHASHI_NATIONS", f"{border.home},{border.partner}")
    monkeypatch.setenv("KAKEHASHI_SHARDS", "1")
    monkeypatch.setenv(f"KAKEHASHI_{border.home}_BOOTSTRAP", border.here.bootstrap)
    monkeypatch.setattr("exchange.settings.Settings.partners", lambda *_: (border.partner,))
    announce(border, "streams", "", os.getpid())
    return border


def announce(border: Border, role: str, partner: str, pid: int | None) -> None:
    """A process reports that it works on shard 0, or, without a number, that it ended in good order."""
    reading = a_policy_reading(role=role, partner=partner, process=f"{socket.gethostname()}:{pid}")
    value = border.here.codec(POLICY_READING).encode(POLICY_READING, reading) if pid else None
    border.put(border.here, topics.POLICY_READINGS, [(f"{role}/{partner}/0".encode(), value)])


def waited(border: Border) -> Result:
    arguments = ["wait", "--nation", border.home, "--partner", border.partner, "--timeout", "1"]
    return CliRunner().invoke(command_line(Invocation()), arguments)


def test_it_returns_once_workers_and_bridge_run(border: Border) -> None:
    announce(border, "bridge", border.partner, os.getpid())
    result = waited(border)
    assert result.exit_code == 0, result.output
    assert f"{border.home}: all 1 shards run, and the bridge to {border.partner}" in result.output


@pytest.mark.parametrize("end", ["never", "killed", "stopped"])
def test_it_names_what_does_not_run(border: Border, end: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    if end != "never":
        announce(border, "bridge", border.partner, ended.pid)
    if end == "stopped":
        announce(border, "bridge", border.partner, None)
    result = waited(border)
    assert isinstance(result.exception, BrokerUnavailable), result.output
    assert str(result.exception) == f"not running after 1 s: bridge to {border.partner} shard 0"
