"""``down`` names what still runs in other terminals, and wipes nothing under it: real processes, real signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.errors import Exit
from kakehashi.in_use import KEEP_FILES, USE_CLUSTERS, User, users
from tests.kakehashi.command import kakehashi
from tests.kakehashi.pseudo_terminal import lines_of, started
from tests.kakehashi.test_conventions import commands
from tests.polling import eventually

NO_BROKER = {"KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1", "KAKEHASHI_JPN_BOOTSTRAP": "127.0.0.1:1"}
LASTING = {
    "produce": ("--nation", "GBR", "--sensor", "edge", "feed.txt"),
    "sensor run": ("edge.yaml",),
}
PROFILE = "nation: GBR\nsensor: edge\ninputs:\n- at: feed.txt\n"


@contextmanager
def running(command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that waits for a broker."""
    (folder / "feed.txt").write_text("198.51.100.7\n", "utf-8")
    line = [sys.executable, "-m", "kakehashi", *command.split(), *LASTING[command]]
    process = subprocess.Popen(line, cwd=folder, env=os.environ | NO_BROKER, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: bool(listed(folder)), 30, f"{command} is listed")
        yield process
    finally:
        process.kill()
        process.wait()


def listed(folder: Path) -> list[User]:
    """What uses the folder's home."""
    with users(folder / ".kakehashi") as found:
        return found


def test_down_names_what_still_runs_and_a_wipe_in_a_script_is_refused_with_nothing_deleted(tmp_path: Path) -> None:
    with running("produce", tmp_path) as process:
        done = kakehashi("down", within=tmp_path)
        assert done.returncode == Exit.OK, done.stderr
        name = "kakehashi produce --nation GBR --sensor edge"
        assert f"still running, without its cluster: {name} (process {process.pid})" in done.stdout
        assert process.poll() is None
        spool = tmp_path / ".kakehashi/spool/GBR/edge"
        eventually(spool.exists, 30, "it has a spool")
        for nation in ((), ("--nation", "GBR")):
            done = kakehashi("down", "--wipe", *nation, within=tmp_path)
            assert done.returncode == Exit.REFUSED, done.stdout
            assert f"(process {process.pid})" in done.stderr
            assert "add --yes" in done.stderr
        assert spool.exists()
        assert process.poll() is None
        assert kakehashi("down", "--wipe", "--nation", "JPN", within=tmp_path).returncode == Exit.OK, "it is not GBR's"
        done = kakehashi("down", "--wipe", "--yes", within=tmp_path)
        assert done.returncode == Exit.OK, done.stderr
        assert process.wait(30) == Exit.INTERRUPTED, "in good order"
        assert not spool.exists()


def test_a_wipe_asks_on_a_terminal(tmp_path: Path) -> None:
    with running("produce", tmp_path) as process:
        for answer, ends in ((b"n\n", False), (b"y\n", True)):
            with started("down", "--wipe", within=tmp_path, environ=os.environ) as (down, screen):
                shown = ""
                for read in lines_of(screen):
                    shown += read
                    if shown.endswith("[y/N]: "):
                        os.write(screen, answer)
                assert down.wait(60) == (Exit.OK if ends else Exit.REFUSED), shown
            assert (process.poll() is None) != ends


def test_a_killed_command_is_not_named_any_more(tmp_path: Path) -> None:
    with running("produce", tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        done = kakehashi("down", "--wipe", within=tmp_path)
    assert (done.returncode, done.stderr) == (Exit.OK, "")


def test_a_profile_s_sensor_is_named_for_any_nation(tmp_path: Path) -> None:
    (tmp_path / "edge.yaml").write_text(PROFILE, "utf-8")
    with running("sensor run", tmp_path):
        done = kakehashi("down", "--wipe", "--nation", "JPN", within=tmp_path)
    assert "kakehashi sensor run edge.yaml" in done.stderr


def test_a_dry_run_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "feed.txt").write_text("198.51.100.7\n", "utf-8")
    done = kakehashi("produce", "--nation", "GBR", "--sensor", "a", "--dry-run", "feed.txt", within=tmp_path)
    assert done.returncode == Exit.OK, done.stderr
    assert not (tmp_path / ".kakehashi").exists()


def test_every_command_that_reaches_for_the_home_is_listed() -> None:
    """What a command's own file imports or reads tells it: settings of folders, pictures, spools, workers."""
    reaches = re.compile(
        r"settings\.(home|state)\b|picture_of|produce_run|streams\.(worker|repair)|consumers\.bridge\.w"
    )
    folder = Path(__file__).resolve().parents[2] / "kakehashi/commands"
    files = {path.stem.rstrip("_") for path in folder.rglob("*.py") if reaches.search(path.read_text("utf-8"))}
    known = {stem for name in KEEP_FILES | USE_CLUSTERS for stem in (name.split()[0], name.replace(" ", "_"))}
    assert files - {"up", "down", "status"} <= known
    assert set(commands()) >= KEEP_FILES | USE_CLUSTERS
