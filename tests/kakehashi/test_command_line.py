"""The front door: help is instant and has examples, and every end is one line and an exit code that means it."""

import subprocess
import sys
from pathlib import Path

import pytest

from exchange.errors import Exit
from tests.kakehashi.command import kakehashi
from tests.kakehashi.test_conventions import commands


def test_help_and_completion_load_no_role() -> None:
    program = (
        "import sys\n"
        "from kakehashi.main import Invocation, command_line\n"
        "command_line(Invocation())\n"
        "heavy = {'faust', 'polars', 'cedarpy', 'confluent_kafka', 'docker', 'fastavro', 'rocksdict', 'numpy'}\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def test_every_command_states_what_it_does_and_gives_examples() -> None:
    assert {"up", "down", "status", "doctor"} <= set(commands())
    for path, command in commands().items():
        words = f"kakehashi {path}"
        assert command.help, f"{words} --help does not say what it does"
        assert words in (command.epilog or ""), f"{words} --help gives no example"


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    done = kakehashi("sned", within=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "No such command" in done.stderr


def test_an_error_is_one_clear_line_and_its_exit_code(tmp_path: Path) -> None:
    done = kakehashi("status", within=tmp_path, KAKEHASHI_BROKER_PROVIDER="magic")
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith("kakehashi: ")
    assert "KAKEHASHI_BROKER_PROVIDER=magic" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("recall 198.51.100.7 --nation GBR --key no.key --reason a", "no.key: No such file or directory: `kakehashi"),
        ("taxii clients --nation JPN --clients no.toml", "no.toml: No such file or directory\n"),
    ],
)
def test_a_file_that_is_not_there_is_named_once_and_without_a_number(tmp_path: Path, line: str, shown: str) -> None:
    done = kakehashi(*line.split(), within=tmp_path)
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith(f"kakehashi: {shown}"), done.stderr


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    done = kakehashi("--debug", "status", within=tmp_path, KAKEHASHI_BROKER_PROVIDER="magic")
    assert done.returncode == Exit.CONFIGURATION
    assert "Traceback" in done.stderr


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert kakehashi("--version", within=tmp_path).stdout.startswith("kakehashi 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_the_commands(tmp_path: Path, shell: str) -> None:
    asked = {"bash": {"COMP_WORDS": "kakehashi sta", "COMP_CWORD": "1"}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": "kakehashi sta", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )
    done = kakehashi(within=tmp_path, _KAKEHASHI_COMPLETE=f"complete_{shell}", **asked)
    assert "status" in done.stdout
