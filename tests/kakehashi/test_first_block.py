"""README's first block, pasted whole into a shell on a terminal, twice: what a newcomer does, and does again."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kakehashi.command import kakehashi
from tests.kakehashi.pseudo_terminal import lines_of, session

pytestmark = pytest.mark.kafka

README = Path(__file__).resolve().parents[2] / "README.md"
SETUP = "make setup && . .venv/bin/activate\n"
ANSWERED = """until kakehashi released list --nation GBR | grep -q '"answer":"applied"'; do :; done"""
HELD = "098f6bcd4621d373cade4e832627b4f6"


def first_block() -> str:
    """The block as it is, without the installation: the tests run in an environment that has it."""
    section = README.read_text("utf-8").partition("## Your first command")[2]
    found = re.search(r"```sh\n(.*?)```", section, re.S)
    assert found is not None
    assert found[1].startswith(SETUP)
    return found[1].removeprefix(SETUP)


@contextmanager
def shell(folder: Path) -> Iterator[int]:
    """An interactive shell in a folder, on a terminal: our end of it. Its jobs end with it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = os.environ | {"PATH": path, "PS1": "$ "}
    with session(["bash", "--norc", "-i"], within=folder, environ=environ) as (_, screen):
        yield screen
        _announced(screen, "kill $(jobs -p); wait", "ended")


def _announced(screen: int, text: str, done: str) -> str:
    """Paste a text, and what appears until the shell has come to its end."""
    paste = memoryview(f"{text}\necho {done[:2]}''{done[2:]} $?\n".encode())

    def write() -> None:
        at = 0
        while at < len(paste):  # a terminal takes a few kilobytes, and the rest when they were read
            at += os.write(screen, paste[at : at + 1024])

    threading.Thread(target=write, daemon=True).start()
    seen = ""
    for read in lines_of(screen):
        seen += read
        if re.search(rf"^{done} \d+$", seen.replace("\r", ""), re.M):
            return seen
    raise AssertionError(f"the shell has ended:\n{seen}")


def test_the_first_block_works_pasted_whole_and_again_on_what_the_first_time_has_left(tmp_path: Path) -> None:
    try:
        for attempt in ("first", "second"):
            with shell(tmp_path) as screen:
                seen = _announced(screen, first_block(), attempt)
                assert re.search(rf"^{attempt} 0$", seen.replace("\r", ""), re.M), seen
                for nation, partner in (("GBR", "JPN"), ("JPN", "GBR")):
                    assert f"{nation}: all 4 shards run, and the bridge to {partner}" in seen, seen
                shown = _announced(screen, "kakehashi produce --nation GBR --sensor desk iocs.csv", "sent")
                assert ("4 observations in 1 report" if attempt == "first" else "read before") in shown, shown
                shown = _announced(screen, "kakehashi tail --nation JPN --partner GBR --limit 1", "seen")
                assert "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" in shown, shown
                shown = _announced(screen, f"kakehashi explain --nation GBR {HELD}", "why")
                assert "HOLD to JPN" in shown, shown
                _announced(screen, ANSWERED, "back")
    finally:
        kakehashi("down", "--wipe", within=tmp_path)
