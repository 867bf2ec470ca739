"""What a message advises can be pasted: each command in it has all that the command line asks for.

A value that the message knows is filled in; one that it does not know is a word in capitals: NATION, FILE.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT, simple_commands
from tests.docs.test_pages import refused

FOLDERS: Final = ("producers", "consumers", "kakehashi", "exchange", "streams", "schemas")
PAGES: Final = frozenset({"help", "act", "epilog", "writes"})  # arguments that are documentation, of no nation
NAMED: Final = frozenset(
    {
        *("kakehashi --debug …", "kakehashi conformance --html", "kakehashi sighting follow"),
        *("kakehashi sensor init", "kakehashi sensor keys", "kakehashi sensor check", "kakehashi revoke"),
    }
)
"""Names of a command in a message that does not ask to run it, or that has it in full beside."""

_NATIONS: Final = {"--nation": "GBR", "--partner": "JPN"}


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The messages below a node, with their lines: literals, whose placeholders are filled with 1."""
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(_filled(part) for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    elif isinstance(node, ast.keyword) and node.arg in PAGES:
        return
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "examples":
        return  # tests/kakehashi/test_conventions.py has these
    else:
        for below in ast.iter_child_nodes(node):
            yield from texts(below)


def _filled(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "1"


def wrong(source: str) -> list[str]:
    """Each command in backticks that the command line does not take as it is."""
    found = []
    for line, text in texts(ast.parse(source)):
        for span in re.findall(r"`(kakehashi [^`]*)`", text):
            nations = re.sub(r"(--nation|--partner) \S+", lambda found: f"{found[1]} {_NATIONS[found[1]]}", span)
            commands = [words[1:] for words in simple_commands(nations) if words[0] == "kakehashi"]
            if span not in NAMED and ("{" in span or any(map(refused, commands))):  # a brace: it is no f-string
                found.append(f"line {line}: `{span}`")
    return found


@cache
def files() -> tuple[Path, ...]:
    return tuple(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_command_that_a_message_advises_can_be_pasted(folder: str) -> None:
    found = {
        str(path.relative_to(ROOT)): bad
        for path in files()
        if path.is_relative_to(ROOT / folder)
        and "`kakehashi " in (text := path.read_text("utf-8"))
        and (bad := wrong(text))
    }
    assert found == {}


def test_an_incomplete_command_is_noticed_and_a_docstring_is_none() -> None:
    assert wrong('raise Refused("see `kakehashi quarantine list`")') == ["line 1: `kakehashi quarantine list`"]
    assert wrong('raise Refused(f"see `kakehashi quarantine list --nation {nation}` for it")') == []
    assert wrong('raise Refused(f"`kakehashi quarantine lists --nation {nation}`")')
    assert wrong('raise Refused("see `kakehashi quarantine list --nation {nation}`")'), "nothing is filled in"
    assert wrong('def f():\n    """As `kakehashi quarantine list` does."""') == []
