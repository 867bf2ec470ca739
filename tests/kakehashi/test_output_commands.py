"""`kakehashi output` on a real cluster: once, and as a process that is killed."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import pytest

from consumers.outputs.suricata_rules import RULES_FILE
from exchange.clock import now_ms
from exchange.errors import Exit
from localkafka.ports import free_ports
from tests.consumers.outputs.suricata_server import SuricataSocket
from tests.kakehashi.soc import Soc
from tests.polling import eventually

pytestmark = pytest.mark.kafka


def until(condition: Callable[[], bool], within_s: float = 90.0) -> None:
    eventually(condition, within_s, "the condition")


def test_a_target_is_written_once_checked_listed_and_forgotten(soc: Soc) -> None:
    to = f"hosts:{soc.folder}/once"
    dry = soc.run("output", "run", "--nation", "JPN", "--to", to, "--dry-run")
    assert "would hold 1 indicator, and differs in 1" in dry
    assert not (soc.folder / "once").exists()
    assert "holds 1 indicator" in soc.run("output", "run", "--nation", "JPN", "--to", to, "--once")
    assert "0.0.0.0 c2.example.com" in (soc.folder / "once").read_text()
    assert "0 differences" in soc.run("output", "check", "--nation", "JPN", "--to", to)
    with (soc.folder / "once").open("a") as file:
        file.write("0.0.0.0 other.example\n")
    once = soc.run("output", "run", "--nation", "JPN", "--to", to, "--once", code=Exit.REFUSED)
    assert "changed by somebody else: 1 difference." in once
    assert "to repair it, delete the target and run this again" in once
    (soc.folder / "once").unlink()
    assert "changed by" not in soc.run("output", "run", "--nation", "JPN", "--to", to, "--once")
    (soc.folder / "once").write_text("0.0.0.0 other.example\n")
    soc.run("output", "check", "--nation", "JPN", "--to", to, code=Exit.REFUSED)
    [listed] = [each for each in soc.lines("output", "list", "--nation", "JPN") if each["output"] == to]
    assert (listed["unapplied_recalls"], listed["running"], listed["pid"], listed["since_ms"]) == (0, False, 0, 0)
    assert "forgotten" in soc.run("output", "forget", "--nation", "JPN", "--to", to)
    assert "no such output" in soc.run("output", "forget", "--nation", "JPN", "--to", to, code=Exit.REFUSED)


def test_suricata_is_reached_by_its_socket_behind_its_files(soc: Soc) -> None:
    folder, socket = soc.folder / "rules", soc.folder / "s"
    folder.mkdir()
    to = ["--nation", "JPN", "--to", f"suricata:{folder}?socket={socket}"]
    assert "cannot be reached" in soc.run("output", "run", *to, "--once", code=Exit.UNAVAILABLE)
    server = SuricataSocket(socket, folder / RULES_FILE).start()
    names = [f"{to[3]}", f"{to[3]} (in memory)"]
    written = soc.run("output", "run", *to, "--once").splitlines()
    assert [each.partition(": holds ")[0] for each in written] == names
    assert len({each.partition(": holds ")[2] for each in written}) == 1
    assert soc.run("output", "check", *to).splitlines() == [f"{each}: 0 differences" for each in names]
    assert {each["output"] for each in soc.lines("output", "list", "--nation", "JPN")} >= set(names)
    soc.run("output", "forget", *to)
    assert not {each["output"] for each in soc.lines("output", "list", "--nation", "JPN")} & set(names)
    server.stop()


def test_a_file_of_somebody_else_is_refused_with_what_to_do_and_no_target_is_written(soc: Soc) -> None:
    theirs, fresh = soc.folder / "myhosts", soc.folder / "fresh"
    theirs.write_text("127.0.0.1 localhost\n")
    to = ["--nation", "JPN", "--to", f"hosts:{fresh}", "--to", f"hosts:{theirs}"]
    for options in (["--once"], ["--dry-run"], []):
        assert "name another path" in soc.run("output", "run", *to, *options, code=Exit.REFUSED)
    assert "foreign" in soc.run("output", "check", *to, code=Exit.REFUSED)
    assert theirs.read_text() == "127.0.0.1 localhost\n"
    assert not fresh.exists()


@pytest.mark.parametrize(
    ("to", "why"), [("nonsense:/x", "with one of the names"), ("hosts:/no/folder/x", "does not exist")]
)
def test_a_target_that_cannot_be_meant_is_a_configuration_error(soc: Soc, to: str, why: str) -> None:
    assert why in soc.run("output", "run", "--nation", "JPN", "--to", to, code=Exit.CONFIGURATION)


def test_a_running_output_follows_survives_a_kill_and_removes_what_was_recalled_meanwhile(soc: Soc) -> None:
    target, other = soc.folder / "hosts", soc.folder / "hosts2"
    port = free_ports().client
    words = ["output", "run", "--nation", "JPN", "--from", "GBR", "--to", f"hosts:{target}", "--to", f"hosts:{other}"]

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "kakehashi", *words],
            cwd=soc.folder,
            env=os.environ | soc.environ | {"KAKEHASHI_METRICS_PORT": str(port)},
            stderr=subprocess.DEVNULL,
        )

    def names() -> set[str]:
        lines = target.read_text().splitlines() if target.exists() else []
        return {line.split()[1] for line in lines if not line.startswith("#")}

    def metric(name: str) -> str:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            return "\n".join(line for line in page.read().decode().splitlines() if line.startswith(f"kakehashi_{name}"))
        return ""  # it is served once the first turns have begun

    began_ms = now_ms()
    running = start()
    try:
        until(lambda: "c2.example.com" in names() and other.exists())
        [listed] = [
            each for each in soc.lines("output", "list", "--nation", "JPN") if each["output"] == f"hosts:{target}"
        ]
        assert (listed["running"], listed["pid"]) == (True, running.pid)
        assert began_ms <= listed["since_ms"] <= now_ms()
        soc.release("follow.example")
        until(lambda: "follow.example" in names())
        soc.release("short.example", valid_until_ms=now_ms() + 1_500)
        until(lambda: "short.example" in names())
        until(lambda: "short.example" not in names())
        until(lambda: f'output_indicators{{output="hosts:{target}"}} 2.0' in metric("output_indicators"))
        running.send_signal(signal.SIGKILL)
        running.wait()
        soc.release("follow.example", record="recalled")
        soc.run("search", "--nation", "JPN", "anything")  # another process keeps the picture meanwhile
        waiting = {each["output"]: each["unapplied_recalls"] for each in soc.lines("output", "list", "--nation", "JPN")}
        assert waiting[f"hosts:{target}"] == 1
        assert "follow.example" in names()
        running = start()
        until(lambda: "follow.example" not in names())
        until(lambda: f'output_unapplied_recalls{{output="hosts:{target}"}} 0.0' in metric("output_unapplied_recalls"))
        home = soc.folder / ".kakehashi" / "picture"
        until(lambda: all(b"follow.example" not in file.read_bytes() for file in home.iterdir()), within_s=60.0)
        assert "kakehashi_output_turns_total" in metric("output_turns_total")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready") as page:
            assert page.status == 200
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == Exit.OK
    finally:
        running.kill()
        running.wait()
