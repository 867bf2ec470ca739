"""The demo itself, with a small part of the feeds: two nations, two kills, nothing lost, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from exchange.errors import Exit
from kakehashi import roles
from tests.kakehashi.command import kakehashi
from tests.polling import eventually

pytestmark = pytest.mark.kafka

ROOT: Final = Path(__file__).resolve().parents[2]
FEEDS: Final = ROOT / "tests" / "feeds"
PLAYED: Final = {
    ("GBR", "human-rights", "txt/nso-v3-domains.txt"),
    ("GBR", "osint-stix", "stix/tlp2-marked.json"),
    ("GBR", "vendor-unit42", "txt/ua-ru-iocs"),
    ("GBR", "national-desk", "odd/national.csv"),
    ("JPN", "web-shop-watch", "txt/skimmer.txt"),
    ("JPN", "cyber-desk", "odd/list-shift-jis.csv"),
}


_STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A few of the feeds, in the order of the whole."""
    entries = json.loads((FEEDS / "manifest.json").read_text("utf-8"))
    some = [entry for entry in entries if (entry["nation"], entry["sensor"], entry["file"]) in PLAYED]
    assert len(some) == len(PLAYED)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps([entry | {"file": str(FEEDS / entry["file"])} for entry in some]), encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in which nothing runs any more afterwards."""
    yield tmp_path / "home"
    for demo in _STARTED:
        demo.kill()
        demo.communicate(timeout=10)
    _STARTED.clear()
    kakehashi("down", "--wipe", within=tmp_path, KAKEHASHI_HOME=str(tmp_path / "home"))


def _demo(manifest: Path, home: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo", "--manifest", str(manifest), "--home", str(home), "--seconds", "5", *more]
    demo = subprocess.Popen(
        [*command, "--report", str(home.with_suffix(".json"))],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _STARTED.append(demo)
    return demo


def _processes(home: Path) -> list[int]:
    """Everything on this machine that was started for this home: brokers by their arguments, roles by their variables.

    Without Docker; a container of ours ends with what is known of it in the home.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in shown and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def test_two_nations_exchange_real_feeds_and_two_kills_lose_and_repeat_nothing(manifest: Path, home: Path) -> None:
    demo = _demo(manifest, home)
    shown, complained = demo.communicate(timeout=240)
    assert demo.returncode == Exit.OK, shown + complained
    assert complained == ""
    report: dict[str, Any] = json.loads(home.with_suffix(".json").read_text("utf-8"))
    for direction in (report["GBR->JPN"], report["JPN->GBR"]):
        assert (direction["lost"], direction["duplicated"], direction["wrong"]) == (0, 0, 0)
        assert direction["observations_in"] == direction["valid"] + direction["quarantined"]
        parts = (direction["released"], direction["held"], direction["withheld"], direction["ended"])
        assert direction["distinct"] == sum(parts)
        assert direction["released"] == direction["replicated"] == direction["received"]
        assert direction["latency_ms"]["p99"] >= direction["latency_ms"]["p50"]
    there = report["GBR->JPN"]
    assert there["valid"] > 600
    assert there["released"] > 500
    assert min(there["held"], there["withheld"], there["quarantined"], there["latency_ms"]["p50"]) > 0
    assert report["JPN->GBR"]["held"] > 100, "the unmarked list waits"
    assert [each["what"] for each in report["killed"]] == ["bridge GBR → JPN", "stream worker of GBR"]
    assert all(each["went_on_ms"] > 0 for each in report["killed"])
    assert shown.count("kill -9") == 4, "twice as it happens, twice at the end"
    assert "Everything that was started has been stopped." in shown
    assert _processes(home) == []
    assert not home.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_demo_that_is_stopped_leaves_nothing_running(manifest: Path, home: Path, number: signal.Signals) -> None:
    demo = _demo(manifest, home)
    eventually(lambda: len(roles.known(home)) >= 4, 60, "both nations have their roles")
    assert len(_processes(home)) >= 6
    demo.send_signal(number)
    _, complained = demo.communicate(timeout=60)
    assert demo.returncode == (Exit.INTERRUPTED if number is signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in complained
    eventually(lambda: _processes(home) == [], 60, "nothing runs any more")
