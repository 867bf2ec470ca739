"""``kakehashi try`` with real processes and real signals: ready, used from elsewhere, gone without a trace."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from exchange.errors import Exit
from kakehashi.trial import counts_of
from tests.kakehashi.command import kakehashi
from tests.kakehashi.pseudo_terminal import lines_of, started

pytestmark = pytest.mark.kafka

READY_S = 120.0
END_S = 60.0
SHA1 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"


@contextmanager
def trying(folder: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kakehashi", "try"],
        cwd=folder,
        env=os.environ | {"KAKEHASHI_KAFKA_HEAP": "256m"} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=END_S)


def until(lines: Iterator[str], words: str) -> list[str]:
    """The lines up to the one with these words."""
    seen = []
    for line in lines:
        seen.append(line)
        if words in line:
            return seen
    raise AssertionError(f"it ended before {words!r}:\n" + "".join(seen))


def printed_commands(text: str) -> list[str]:
    """What it states to type in another terminal: a command of several lines is one."""
    drawn = text.replace("\r", "\n").splitlines()  # the display below is drawn again behind each line
    lines = [line.removeprefix("    ") for line in drawn if line.startswith("    ")]
    return [part.partition("\n")[2].strip() for part in "\n".join(lines).split("# ")[1:]]


def processes_of(home: Path) -> set[int]:
    """The process ids of the clusters and roles that run there."""
    files = [*home.glob("*/cluster.json"), *home.glob("roles/*.json")]
    return {json.loads(file.read_text("utf-8"))["pid"] for file in files}


def running_in(folder: Path) -> list[int]:
    """The processes that have this folder in their command line or environment: all that a trial starts."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(folder).encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def assert_gone(folder: Path) -> None:
    give_up = time.monotonic() + END_S
    while running_in(folder) or any(folder.iterdir()):
        if time.monotonic() > give_up:
            raise AssertionError(f"{running_in(folder)} run, {list(folder.rglob('*'))} is left")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("at", "number", "exit_code"),
    [
        ("starting GBR", signal.SIGTERM, Exit.INTERRUPTED),
        ("GBR: Kafka answers", signal.SIGTERM, Exit.INTERRUPTED),
        ("GBR: Kafka answers", signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["TERM at the start", "TERM while roles start", "KILL while roles start"],
)
def test_a_signal_while_it_starts_leaves_nothing(
    tmp_path: Path, at: str, number: signal.Signals, exit_code: int
) -> None:
    with trying(tmp_path) as process:
        assert process.stdout is not None
        until(process.stdout, at)
        process.send_signal(number)
        process.communicate(timeout=END_S)
        assert process.returncode == exit_code
    assert_gone(tmp_path)


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, Exit.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["TERM", "KILL"],
)
def test_a_signal_ends_everything_and_leaves_nothing(tmp_path: Path, number: signal.Signals, exit_code: int) -> None:
    with trying(tmp_path) as process:
        assert process.stdout is not None
        seen = until(process.stdout, "deletes its data")
        assert any(re.match(r"ready in \d+\.\d s", line) for line in seen)
        assert "\x1b" not in "".join(seen), "a pipe gets plain lines"
        assert len(processes_of(tmp_path / ".kakehashi" / "try")) == 6, "two clusters, two workers, two bridges"
        process.send_signal(number)
        process.communicate(timeout=END_S)
        assert process.returncode == exit_code
    assert_gone(tmp_path)


def test_what_it_states_to_type_next_works_and_ctrl_c_on_a_terminal_ends_it(tmp_path: Path) -> None:
    with started("try", within=tmp_path, environ=os.environ | {"KAKEHASHI_KAFKA_HEAP": "256m"}) as (process, screen):
        text = ""
        for read in lines_of(screen):
            text += read
            if "deletes its data" in text:
                break
        first, produced, explained, *_, tailed = printed_commands(text)
        assert f"echo {SHA1} |" in produced
        fresh = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "KAKEHASHI_KAFKA_HEAP": "256m"}
        pasted = "\n".join((first, produced, f"{tailed} --limit 1", explained))
        shell = subprocess.run(
            ["bash"], input=pasted, env=fresh, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        assert shell.returncode == Exit.OK, shell.stderr
        assert f'"value":"{SHA1}"' in shell.stdout
        assert "RELEASE to JPN" in shell.stdout
        elsewhere = subprocess.Popen(
            ["bash", "-c", f"{first}\nexec {tailed}"], env=fresh, cwd="/", stdout=subprocess.PIPE
        )
        assert elsewhere.stdout is not None
        assert SHA1.encode() in elsewhere.stdout.readline(), "it follows what the trial has"
        os.write(screen, b"\x03")  # Ctrl-C, by the terminal
        for _ in lines_of(screen):
            pass
        assert process.wait(END_S) == Exit.INTERRUPTED
        assert elsewhere.wait(END_S) != Exit.OK, "what runs on the trial ends with it"
        elsewhere.stdout.close()
    assert_gone(tmp_path)


@pytest.mark.parametrize(
    "name", ["KAKEHASHI_GBR_BOOTSTRAP", "KAFKA_BOOTSTRAP_SERVERS", "KAKEHASHI_JPN_SCHEMA_REGISTRY_URL"]
)
def test_a_shell_that_names_a_real_cluster_gets_no_trial(tmp_path: Path, name: str) -> None:
    refused = kakehashi("try", within=tmp_path, **{name: "192.0.2.1:9092"})
    assert (refused.returncode, name in refused.stderr) == (Exit.REFUSED, True)
    assert not any(tmp_path.iterdir())


def test_what_is_shown_is_counted_by_the_worker() -> None:
    page = """# TYPE kakehashi_reports_total counter
kakehashi_reports_total{fate="accepted"} 3.0
kakehashi_reports_total{fate="duplicate"} 9.0
kakehashi_decisions_total{partner="JPN",outcome="hold"} 2.0
kakehashi_decisions_total{partner="AUS",outcome="hold"} 1.0
kakehashi_quarantined_records_total{stage="intake",reason="unknown-type"} 1.0
"""
    assert counts_of(page) == {"reports": 3, "held": 3, "quarantined": 1}
