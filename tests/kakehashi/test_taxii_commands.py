"""`kakehashi taxii` on a real cluster: a process that serves, follows, survives a kill and ends when it is asked to."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Exit
from tests.kakehashi.soc import Soc
from tests.polling import eventually

pytestmark = pytest.mark.kafka


def until(condition: Callable[[], bool]) -> None:
    eventually(condition, 90.0, "the condition")


def clients_file(soc: Soc, folder: Path) -> tuple[str, Path]:
    """A new token, and a file with its client."""
    lines = soc.run("taxii", "token").splitlines()
    file = folder / "clients.toml"
    entry = '[[client]]\nname = "siem"\nceiling = "TLP:AMBER"\nactivity = "passive-local"\n'
    file.write_text(entry + lines[1].partition(":")[2].strip() + "\n")
    return lines[0].partition(":")[2].strip(), file


def test_the_clients_of_a_file_are_listed(soc: Soc, tmp_path: Path) -> None:
    _, file = clients_file(soc, tmp_path)
    [listed] = soc.lines("taxii", "clients", "--nation", "JPN", "--clients", str(file))
    assert (listed["client"], listed["tokens"]) == ("siem", 1)
    assert listed["collections"] == ["jpn-amber", "gbr-amber"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--clients", "none.toml"), "No such file"),
        (("--clients", "clients.toml", "--address", "0.0.0.0"), "in clear"),  # noqa: S104
        (("--clients", "clients.toml", "--certificate", "none.pem"), "cannot be used"),
        (("--clients", "clients.toml", "--address", "192.0.2.1.example", "--certificate", "x"), "cannot be used"),
    ],
)
def test_a_server_that_cannot_be_meant_is_a_configuration_error(
    soc: Soc, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    clients_file(soc, tmp_path)
    given = [str(tmp_path / word) if word.endswith(".toml") else word for word in words]
    assert why in soc.run("taxii", "serve", "--nation", "JPN", *given, code=Exit.CONFIGURATION)


def test_a_running_server_follows_the_topic_survives_a_kill_and_ends_when_asked(soc: Soc, tmp_path: Path) -> None:
    token, file = clients_file(soc, tmp_path)
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        port, metrics = one.getsockname()[1], two.getsockname()[1]

    def start() -> "subprocess.Popen[bytes]":
        words = ["taxii", "serve", "--nation", "JPN", "--clients", str(file), "--port", str(port)]
        return subprocess.Popen(
            [sys.executable, "-m", "kakehashi", *words],
            cwd=soc.folder,
            env=os.environ | soc.environ | {"KAKEHASHI_METRICS_PORT": str(metrics)},
            stderr=subprocess.DEVNULL,
        )

    def get(path: str, at: int) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{at}{path}")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # our own address
                return bytes(answer.read())
        except (urllib.error.URLError, ConnectionError):
            return b"{}"

    def indicators() -> dict[str, dict[str, Any]]:
        found = json.loads(get("/jpn/collections/gbr-amber/objects/?match%5Btype%5D=indicator", port))
        return {each["name"]: each for each in found.get("objects", [])}

    running = start()
    try:
        until(lambda: "198.51.100.7" in indicators())
        soc.release("taxii.example")
        until(lambda: "taxii.example" in indicators())
        running.send_signal(signal.SIGKILL)
        running.wait()
        soc.release("taxii.example", record="recalled")
        running = start()
        until(lambda: "withdrawn" in indicators())
        assert "taxii.example" not in indicators()
        until(lambda: get("/ready", metrics) != b"{}")
        until(lambda: b'kakehashi_picture_indicators{origin="GBR"}' in get("/metrics", metrics))
        assert b'kakehashi_taxii_requests_total{client="siem",outcome="answered"}' in get("/metrics", metrics)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == Exit.OK
    finally:
        running.kill()
        running.wait()
