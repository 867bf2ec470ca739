"""What holds for every command: one name for each side, exit code 2 for a bad nation, flags without a type."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from typer.main import get_command

from exchange.errors import Exit
from kakehashi.conventions import ALIASES, OF_A_FOLDER, Command
from kakehashi.main import Invocation, command_line
from tests.kakehashi.command import kakehashi

NUMBERS = frozenset({"shard"})
ACTIONS = frozenset(
    {
        *("produce", "quarantine redrive", "sighting report", "sighting follow", "dispute"),
        *(
            "review approve",
            "review refuse",
            "recall",
            "revoke",
            "lift",
            "border close",
            "border open",
            "border shadow",
        ),
        *(
            "officer keygen",
            "sensor init",
            *("sensor keygen", "sensor rotate", "sensor revoke", "sensor canary"),
            "sensor run",
            "audit anchor",
            "audit truncate",
            "policy sign",
            "policy activate",
            "policy publish",
        ),
        *("streams", "bridge", "wait", "down", "try", "output run", "output forget"),
        *("taxii serve", "taxii token"),
    }
)
"""Commands that do something. All others read: they list things, show one, or check."""
WITH_RESULTS = frozenset(
    {
        *("recall", "revoke", "lift", "review approve", "review refuse"),
        *("border close", "border open", "border shadow", "quarantine redrive"),
    }
)
"""Actions with a result for each indicator, entry or process."""
CHECKS = frozenset(
    {"output check", "audit verify", "audit rerun", "policy prove", "policy diff", "policy test", "policy simulate"}
)
"""Commands whose result is their exit code, and text that gives the reason."""
TO_A_TARGET = frozenset({"output run", "output check", "output forget"})
"""Their --to is a file or a receiver."""
FORMER = frozenset({"--from", "--to"})
ALWAYS_LINES = frozenset({"audit export", "export"})
JSON_HELP = frozenset(
    {
        "JSON lines, as in a pipe.",
        "JSON lines instead of text.",
        "JSON lines of --dry-run, as in a pipe.",
    }
)


def _below(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, *path, name)
        else:
            yield " ".join([*path, name]), command


@cache
def _program() -> Any:
    return get_command(command_line(Invocation()))


@cache
def commands() -> dict[str, Any]:
    return dict(_below(_program()))


def _options(command: Any) -> dict[str, Any]:
    return {param.name: param for param in command.params if param.param_type_name == "option"}


def _arguments(command: Any, **given: str) -> list[str]:
    """A value for all that the command requires, and what is given."""
    words = []
    for param in command.params:
        if param.param_type_name == "argument" and param.required:
            words.append("x")
        elif param.name in given:
            words += [param.opts[0], given[param.name]]
        elif param.required:
            words += [param.opts[0], "1" if param.name in NUMBERS else "x"]
    return words


def required(path: str, **given: str) -> list[str]:
    """The arguments that a command must have, and those that are given."""
    return _arguments(commands()[path], **given)


def commands_with(json_help: str) -> list[str]:
    """The commands whose ``--json`` means that."""
    return [
        path
        for path, each in commands().items()
        if "as_json" in _options(each) and _options(each)["as_json"].help == json_help
    ]


def run(path: str, arguments: list[str]) -> tuple[int, str]:
    environ = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "300", "KAKEHASHI_NATIONS": "GBR,JPN"}
    result = CliRunner(env=environ).invoke(_program(), [*path.split(), *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("path", commands())
def test_a_command_names_the_two_sides_as_all_others_do(path: str) -> None:
    command = commands()[path]
    assert isinstance(command, Command)
    names = {opt for param in command.params for opt in param.opts}
    assert not names & (
        {"--from", "--origin", "--country"} if path in TO_A_TARGET else {*FORMER, "--origin", "--country"}
    )
    arguments = {param.name for param in command.params if param.param_type_name == "argument"}
    assert not arguments & {"nation", "partner"}, "a side is an option"
    if "--partner" in names:
        assert "--nation" in names


@pytest.mark.parametrize("path", commands())
def test_a_flag_shows_no_type(path: str) -> None:
    exit_code, shown = run(path, ["--help"])
    assert exit_code == Exit.OK
    assert "<bool>" not in shown


@pytest.mark.parametrize("path", sorted(commands().keys() - ACTIONS - CHECKS - ALWAYS_LINES))
def test_a_command_that_reads_has_json_lines_in_one_form(path: str) -> None:
    options = {opt: param for param in commands()[path].params for opt in param.opts}
    assert "--json" in options, f"{path} reads: give it AsJson or TextAsJson (kakehashi/listing.py), or list it above"
    assert options["--json"].help in JSON_HELP


@pytest.mark.parametrize("path", sorted(WITH_RESULTS))
def test_an_officer_s_command_has_its_results_as_json_lines(path: str) -> None:
    options = {opt: param for param in commands()[path].params for opt in param.opts}
    assert options["--json"].help == "JSON lines instead of text."


def test_the_commands_that_need_no_json_lines_exist() -> None:
    assert commands().keys() >= ACTIONS | CHECKS | ALWAYS_LINES


@pytest.mark.parametrize("path", [path for path, each in commands().items() if "nation" in _options(each)])
def test_a_nation_of_a_bad_form_is_a_usage_error(path: str) -> None:
    command = commands()[path]
    exit_code, printed = run(path, _arguments(command, nation="Britain", partner="JPN"))
    assert exit_code == Exit.USAGE
    assert "`Britain` is not an ISO 3166-1 alpha-3 code" in printed
    if path not in OF_A_FOLDER:
        exit_code, printed = run(path, _arguments(command, nation="GRB", partner="JPN"))
        assert exit_code == Exit.USAGE
        assert "unknown nation `GRB`: set KAKEHASHI_NATIONS or correct the option; did you mean `GBR`?" in printed


@pytest.mark.parametrize("path", [path for path, each in commands().items() if "partner" in _options(each)])
def test_a_partner_that_is_none_is_a_usage_error(path: str) -> None:
    for partner, why in (("USA", "unknown nation `USA`"), ("GBR", "its partners are JPN"), ("jpn", "write JPN")):
        exit_code, printed = run(path, _arguments(commands()[path], nation="GBR", partner=partner))
        assert exit_code == Exit.USAGE
        assert why in printed


@pytest.mark.parametrize("path", ALIASES)
def test_a_former_name_of_an_option_still_works_and_is_not_shown(path: str) -> None:
    command = commands()[path]
    current = _arguments(command, nation="GBR", partner="USA")
    former = {new: old for old, new in ALIASES[path].items()}
    arguments = [former.get(word, word) for word in current]
    assert arguments != current
    assert run(path, [word for word in arguments if word]) == run(path, current)
    assert "unknown nation `USA`" in run(path, current)[1]
    _, shown = run(path, ["--help"])
    assert not {old for old in ALIASES[path] if old and f" {old} " in shown}


@pytest.mark.parametrize("path", ["streams", "bridge"])
def test_an_unknown_log_level_is_a_usage_error(path: str) -> None:
    arguments = _arguments(commands()[path], nation="GBR", partner="JPN", loglevel="loud")
    exit_code, printed = run(path, arguments)
    assert exit_code == Exit.USAGE
    assert "'debug', 'info', 'warning', 'error'" in printed


def test_a_reader_of_the_output_may_end_early() -> None:
    shown = f"{sys.executable} -m kakehashi topics --nation GBR --dry-run"
    line = f"set -o pipefail; {shown} | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"KAKEHASHI_NATIONS": ",".join(["GBR", *(f"A{a}{b}" for a in "ABCDEF" for b in "ABCDEFGH")])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (Exit.OK, "", 1)


def test_a_full_disk_is_not_a_good_end(tmp_path: Any) -> None:
    done = kakehashi("topics", "--nation", "GBR", "--dry-run", within=tmp_path)
    assert done.returncode == Exit.OK
    with open("/dev/full", "w", encoding="utf-8") as full:
        failed = subprocess.run(
            [sys.executable, "-m", "kakehashi", "topics", "--nation", "GBR", "--dry-run"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert failed.returncode not in (Exit.OK, Exit.USAGE)
