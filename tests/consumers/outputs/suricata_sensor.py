"""A picture, the outputs that follow it into a folder and a socket, and the Suricata behind them, for tests."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.follow import Following
from consumers.outputs.protocol import Remove
from consumers.outputs.suricata_rules import RULES_FILE
from consumers.outputs.targets import followings
from consumers.picture.entry import Entry
from consumers.picture.filters import Filter
from consumers.subscription.changes import State
from schemas.markings import Pap
from tests.builders import NOW_MS
from tests.consumers.outputs.suricata_server import SuricataSocket
from tests.consumers.picture.topics import NATION, World

NAMES: Final = "kakehashi-domain"


def coded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def names_in(server: SuricataSocket) -> set[str]:
    return {value.decode() for value in server.sets[NAMES][1] if isinstance(value, bytes)}


class Sensor:
    """Turns, and what is behind them."""

    def __init__(self, folder: Path) -> None:
        self.world, self.socket, self.folder = World(folder), folder / "s", folder / "rules"
        self.folder.mkdir()
        self.server: SuricataSocket | None = None
        self._version, self.live = NOW_MS, self._started()

    def start_again(self) -> None:
        """New processes of ours."""
        self.live.close()
        self.live = self._started()

    def _started(self) -> Following:
        text = f"suricata:{self.folder}?socket={self.socket}"
        self.files, live = followings(
            text, NATION, self.folder.parent, Filter(), Pap.UNSTATED, self.world.path, self.world.clock_ms
        )
        return live

    def change(self, value: str, record: str = "content") -> None:
        self._version += 1
        self.world.gbr.release(value, version=self._version, record=record)
        self.world.catch_up()

    def write_files(self) -> None:
        """Until they are current: they rest between two writes."""
        with self.world.picture() as picture:
            while self.files.holds(picture) != picture.head_us():
                self.files.turn(picture)

    def turn(self) -> None:
        """Files, then memory."""
        self.write_files()
        with self.world.picture() as picture:
            self.live.turn(picture)

    def suricata(self) -> SuricataSocket:
        """A Suricata that starts now; the one before has ended."""
        if self.server is not None:
            self.server.stop()
        self.server = SuricataSocket(self.socket, self.folder / RULES_FILE).start()
        return self.server

    def unapplied(self) -> dict[str, int]:
        with self.world.picture() as picture:
            return {each.name: each.unapplied_recalls for each in picture.followers()}


def removal(entry: Entry) -> Remove:
    return Remove(entry.id, entry.origin, entry.type, entry.value, State.RECALLED, entry.version + 1)


@contextmanager
def process(sensor: Sensor, *, listens: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """A Suricata in its own process, that has read the files; it listens unless told otherwise."""
    command = [sys.executable, "-m", "tests.consumers.outputs.suricata_server", str(sensor.socket)]
    found = subprocess.Popen([*command, str(sensor.folder / RULES_FILE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert found.stdout is not None
        assert found.stdout.readline() == b"loaded\n"
        if listens:
            listen(found)
        yield found
    finally:
        found.kill()
        found.communicate()


def listen(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(b"\n")
    server.stdin.flush()
    assert server.stdout.readline() == b"listens\n"


@pytest.fixture
def sensor(tmp_path: Path) -> Iterator[Sensor]:
    found = Sensor(tmp_path)
    found.change("first.example")
    found.write_files()
    found.suricata()
    found.turn()
    yield found
    found.live.close()
    assert found.server is not None
    found.server.stop()
