"""What the pages point to is there: links, anchors, files, pictures, commands, targets."""

import runpy
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from click.testing import CliRunner

from kakehashi.main import Invocation, command_line
from tests.docs.pages import PAGES, ROOT, anchors, code_spans, links, shell_commands, simple_commands

MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
CODE: Final = ("schemas/", "exchange/", "producers/", "streams/", "consumers/", "kakehashi/", "policy/", "helm/")
FILES: Final = (*CODE, "tests/", "docs/", "demo/", "bench/", "localkafka/", "tools/")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_every_relative_link_resolves(page: Path) -> None:
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{link}: there is no such heading"


@each_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    for span in code_spans(page):
        if span.startswith(FILES) and " " not in span and "<" not in span and "…" not in span:
            assert (ROOT / span).exists(), f"`{span}` is not there"


@each_page
def test_every_command_shown_is_one_that_the_command_line_takes(page: Path) -> None:
    for line, words in shell_commands(page):
        if words[0].rpartition("/")[2] == "kakehashi":
            assert not refused(words[1:]), f"{page.name}, block in line {line}: {' '.join(words)}"


@each_page
def test_every_command_named_in_the_text_exists_with_these_options(page: Path) -> None:
    for span in code_spans(page):
        words = span.split()
        if words[:1] == ["kakehashi"] and len(words) > 1 and "…" not in span:
            for command in simple_commands(span):
                problem = refused(command[1:])
                incomplete = "Missing " in problem or "─ Commands ─" in problem  # an option, or the command of a group
                assert not problem or incomplete, f"`{span}`: {problem}"


@each_page
def test_every_target_of_make_exists(page: Path) -> None:
    spans = [words for span in code_spans(page) if "…" not in span for words in simple_commands(span)]
    shown = [words for _, words in shell_commands(page)]
    for words in (*spans, *shown):
        if words[0] == "make":
            for target in words[1:]:
                assert "=" in target or f"\n{target}:" in MAKEFILE, f"make {target}"


def test_the_picture_is_the_one_that_its_script_draws() -> None:
    script = ROOT / "docs" / "images" / "flow.py"
    assert script.with_suffix(".svg").read_text("utf-8") == runpy.run_path(str(script))["svg"]()


def test_every_folder_in_the_picture_exists_and_every_step_is_in_the_picture() -> None:
    boxes = runpy.run_path(str(ROOT / "docs" / "images" / "flow.py"))["BOXES"]
    drawn = {folder for box in boxes for folder in box.folders.splitlines()}
    assert {folder for folder in drawn if not (ROOT / folder / "__init__.py").exists()} == set()
    steps = {
        str(file.parent.relative_to(ROOT)) for top in ("streams", "consumers") for file in ROOT.glob(f"{top}/*/step.py")
    }
    assert len(steps) == 5
    assert steps <= drawn


def test_a_command_with_a_mistake_is_noticed() -> None:
    assert not refused(["tail", "--nation", "JPN", "--partner", "GBR"])
    assert not refused(["tail", "--help"])
    assert not refused(["quarantine", "list", "--nation", "GBR"])
    assert "--origin" in refused(["tail", "--nation", "JPN", "--origin", "GBR"])
    assert "Missing option" in refused(["tail"])
    assert "create" in refused(["topics", "create", "--nation", "GBR"])
    assert "fetch" in refused(["fetch"])
    assert "lists" in refused(["quarantine", "lists", "--nation", "GBR"])


def refused(arguments: list[str]) -> str:
    """What the real command line has against these arguments, empty if nothing. The command itself is not run."""
    found = CliRunner(env={"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}).invoke(_idle(), arguments)
    return "" if found.exit_code == 0 else found.output


@cache
def _idle() -> Any:
    """The command line, each of whose commands parses its arguments and does nothing."""
    app = command_line(Invocation())
    groups = [app]
    while groups:
        group = groups.pop()
        groups += [below.typer_instance for below in group.registered_groups if below.typer_instance is not None]
        for command in group.registered_commands:
            assert command.callback is not None
            command.callback = _doing_nothing(command.callback)
    return typer.main.get_command(app)


def _doing_nothing(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def nothing(*_arguments: object, **_options: object) -> None:
        """Nothing."""

    return nothing
