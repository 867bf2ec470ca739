"""A state that is restored in another process is the changelog's, whatever happens to that process meanwhile."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from exchange import process
from exchange.clock import now_ms
from exchange.errors import ProducerFenced
from exchange.kafka.clients import Cluster
from exchange.kafka.schema_registry import Registry, register
from exchange.protocol import restore_apart
from exchange.protocol.record import Position, RowChange
from exchange.protocol.restore import Restorer
from exchange.protocol.restore_apart import AT_ONCE, RestoreApart
from exchange.protocol.state import StateDamaged
from tests.conftest import Brokers
from tests.exchange.changelogs import Changelog, Owner, write_open
from tests.polling import eventually
from tests.schema_registry import running

SOON_S = 30.0
BATCHES, ROWS = 3, 1_500
VALUE = "v" * 400


class Watched(subprocess.Popen[bytes]):
    """A process that a test knows of."""

    started: ClassVar[list["Watched"]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.started.append(self)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    """The processes that were started, in their order."""
    monkeypatch.setattr(Watched, "started", [])
    monkeypatch.setattr(subprocess, "Popen", Watched)
    return Watched.started


@pytest.fixture
def changelog(brokers: Brokers, unique: str) -> Changelog:
    """A step of this test's own."""
    return Changelog(Cluster("GBR", brokers.gbr, {"client.id": "not-for-others"}), f"{unique}step")


@pytest.fixture
def owner(changelog: Changelog) -> Owner:
    """Who has written some megabytes of rows, and deleted some again."""
    owner = Owner(changelog)
    for batch in range(BATCHES):
        owner.write(**{f"{batch * ROWS // 2 + number}": f"{batch}{VALUE}" for number in range(ROWS)})
    owner.write(**dict.fromkeys(map(str, range(0, ROWS, 3))))
    return owner


def apart(changelog: Changelog, folder: Path, worth_offsets: int = 1) -> Callable[[Callable[[], None]], None]:
    log = changelog.log()
    position = log.position() or Position()
    found = RestoreApart(changelog.cluster, log, changelog.step, 0, lambda: changelog.state(folder), worth_offsets)
    return lambda on_portion: found(position, on_portion)


def nothing() -> None:
    """No one waits."""


def at_portion(number: int, do: Callable[[], object]) -> Callable[[], None]:
    """Something that happens at this portion, the first is 1."""
    seen: list[None] = []

    def on_portion() -> None:
        seen.append(None)
        if len(seen) == number:
            do()

    return on_portion


def end(started: list[Watched]) -> None:
    """Kill the last one."""
    started[-1].kill()


def check(changelog: Changelog, owner: Owner, folder: Path) -> int:
    """Take the state as the shard does: it has all rows, and no other. The batch that it had before."""
    state = changelog.state(folder)
    try:
        had, log = state.start()[1], changelog.log()
        Restorer(changelog.step, log, now_ms, "").restore(state, log.position() or Position())
        assert state.start()[1] == owner.batch
        assert dict(state.scan(b"", 1 << 20)) == owner.rows
        return had
    finally:
        state.close()


def test_another_process_restores_all_that_is_worth_it(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    apart(changelog, tmp_path / "0", 10 * BATCHES * ROWS)(nothing)
    assert started == [], "little is read without a process"
    apart(changelog, tmp_path / "0")(nothing)
    assert [each.returncode for each in started] == [0]
    assert check(changelog, owner, tmp_path / "0") == owner.batch
    assert "not-for-others" not in str(started[0].args), "what is in a command line is everyone's"
    apart(changelog, tmp_path / "0")(nothing)
    assert len(started) == 1, "it has the committed position"


def test_a_process_that_is_killed_costs_time_alone(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    """It waits for the end of an open transaction, so it is there when it is killed."""
    opened = write_open(changelog, f"{changelog.step}.open", RowChange(b"a", b"never"), batch=99)
    apart(changelog, tmp_path / "0")(at_portion(2, lambda: end(started)))
    assert started[0].returncode == -9
    opened.abort_transaction(SOON_S)
    assert check(changelog, owner, tmp_path / "0") < owner.batch


def test_it_ends_with_the_owner_that_is_killed_and_the_next_one_takes_the_same_folder(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    opened = write_open(changelog, f"{changelog.step}.open", RowChange(b"a", b"never"), batch=99)
    code = (
        "from exchange.protocol import restore_apart\n"
        "from tests.exchange.restoring_worker import *\n"
        "class Shown(restore_apart.subprocess.Popen):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__(*args, **kwargs)\n"
        "        print(self.pid, flush=True)\n"
        "restore_apart.subprocess.Popen = Shown\n"
        "restored(Changelog(Cluster('GBR', sys.argv[1]), sys.argv[2]), Path(sys.argv[3]))\n"
    )
    command = [sys.executable, "-c", code, changelog.cluster.bootstrap, changelog.step, str(tmp_path / "0")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pid = killed.stdout.readline().strip()
        assert killed.stdout.readline() == "portion\n"
        killed.kill()
    eventually(lambda: process.is_gone(socket.gethostname(), pid), SOON_S, "the end of the other process")
    opened.abort_transaction(SOON_S)
    check(changelog, owner, tmp_path / "0")
    assert not (tmp_path / "0.1").exists()


def test_who_cannot_go_on_leaves_no_process_behind(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        apart(changelog, tmp_path / "0")(stop)
    assert started[0].returncode is not None
    check(changelog, owner, tmp_path / "0")


def test_an_owner_that_is_fenced_meanwhile_stops(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    log = changelog.log()
    position = log.position() or Position()
    Owner(changelog).write(a="of the next")
    apart(changelog, tmp_path / "0")(nothing)
    assert started[0].returncode == 0
    state = changelog.state(tmp_path / "0")
    with pytest.raises(ProducerFenced, match=f"batch {owner.batch + 1} was committed by another owner"):
        Restorer(changelog.step, log, now_ms, "").restore(state, position)
    state.close()


def test_a_damaged_folder_is_restored_anew(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    apart(changelog, tmp_path / "0")(nothing)
    for file in (tmp_path / "0").glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[len(content) // 4 : len(content) // 4 + 2_000] = b"\xff" * 2_000
        file.write_bytes(content)
    owner.write(**{f"{number}": f"late{VALUE}" for number in range(ROWS)})
    apart(changelog, tmp_path / "0")(nothing)
    with pytest.raises(StateDamaged, match="has been removed"):
        check(changelog, owner, tmp_path / "0")
    apart(changelog, tmp_path / "0")(nothing)  # its owner is started again
    assert check(changelog, owner, tmp_path / "0") == owner.batch


def test_a_full_disk_is_reported_by_the_owner_and_the_next_one_goes_on(
    changelog: Changelog, owner: Owner, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.exchange.restoring_worker", changelog.cluster.bootstrap, changelog.step]
    ran = subprocess.run(
        [*command, str(tmp_path / "0"), str(1 << 15)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout.splitlines()[-1].startswith("StateRefused"), ran.stdout + ran.stderr
    assert "make room" in ran.stdout
    assert "code=1" in ran.stderr, "the other process met it, too"
    check(changelog, owner, tmp_path / "0")


def test_a_shard_waits_for_its_turn_and_shows_that_it_lives(
    changelog: Changelog, owner: Owner, tmp_path: Path, started: list[Watched]
) -> None:
    alive = threading.Event()
    for _ in range(AT_ONCE):
        assert restore_apart._turns.acquire(timeout=SOON_S)
    waiting = threading.Thread(target=apart(changelog, tmp_path / "0"), args=(alive.set,))
    waiting.start()
    assert alive.wait(SOON_S)
    assert started == []
    for _ in range(AT_ONCE):
        restore_apart._turns.release()
    waiting.join(SOON_S)
    assert check(changelog, owner, tmp_path / "0") == owner.batch


def test_a_nation_with_a_schema_registry_restores_in_another_process_too(
    brokers: Brokers, unique: str, tmp_path: Path, started: list[Watched]
) -> None:
    with running() as url:
        registry = Registry("GBR", url)
        register(registry)
        changelog = Changelog(Cluster("GBR", brokers.gbr, {}, registry), f"{unique}step")
        owner = Owner(changelog)
        owner.write(**{f"{number}": VALUE for number in range(2 * ROWS)})
        apart(changelog, tmp_path / "0")(nothing)
        assert started[-1].returncode == 0
        assert check(changelog, owner, tmp_path / "0") == owner.batch
