"""Restores a large state in a process of its own: ``python -m exchange.protocol.restore_apart`` is that process.

RocksDB is written to under the interpreter's lock, so shards that restore in one process restore one after the other.
The other process only reads Kafka and writes the shard's folder, which it holds as any owner does; its memory goes with
it. It gets what it needs on its standard input, credentials among it, and ends when that is closed: it does not outlive
us. Whatever happens to it costs time alone, because the shard reads behind it what is missing (``Restorer``).
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from exchange.clock import now_ms
from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster
from exchange.kafka.log import KafkaLog
from exchange.protocol.record import Position
from exchange.protocol.restore import read_into
from exchange.protocol.state import RocksState
from schemas import topics

_log = logging.getLogger(__name__)

WORTH_OFFSETS: Final = 200_000  # about a second of reading; a process costs a third of one
AT_ONCE: Final = min(4, os.cpu_count() or 1)  # each takes about 180 MiB
_TURN_S: Final = 1.0
_PORTION: Final = b".\n"
_turns: Final = threading.BoundedSemaphore(AT_ONCE)


class Errand(msgspec.Struct, frozen=True):
    """What the process needs to know. Never printed: ``security`` has credentials."""

    nation: str
    bootstrap: str
    security: Mapping[str, str]
    step: str
    shard: int
    folder: str
    changelog_id: str
    state_format: int
    rows_begin: int


@dataclass(frozen=True, slots=True)
class RestoreApart:
    """Brings the closed state of one shard near its committed position, if that is worth a process.

    At most ``AT_ONCE`` processes run at a time; the others wait for their turn.
    """

    cluster: Cluster
    log: KafkaLog
    step: str
    shard: int
    open_state: Callable[[], RocksState]
    worth_offsets: int = WORTH_OFFSETS

    def __call__(self, position: Position, on_portion: Callable[[], None]) -> None:
        """``on_portion`` is called for each portion, and while this shard waits for its turn. Raises as opening a state
        does, and BrokerUnavailable."""
        with closing(self.open_state()) as state:
            place, folder = state.place, state.folder
        if place.batch == position.batch:
            return
        start = place.next_offset
        if self.log.distance(start if start and self.log.remembers(start) else 0) < self.worth_offsets:
            return
        cluster = self.cluster
        errand = Errand(
            cluster.nation,
            cluster.bootstrap,
            cluster.security,
            self.step,
            self.shard,
            str(folder),
            place.changelog_id,
            place.state_format,
            self.log.rows_begin,
        )
        with _turn(on_portion):
            code = self._run(errand, on_portion)
        if code:
            _log.warning(
                "restore.apart_ended step=%s shard=%d code=%d: the rest is read here", self.step, self.shard, code
            )

    def _run(self, errand: Errand, on_portion: Callable[[], None]) -> int:
        """The exit code of a process that does the errand."""
        command = [sys.executable, "-m", __name__]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True
        ) as process:
            try:
                if process.stdin is None or process.stdout is None:
                    raise RuntimeError("a process with pipes has none")
                with suppress(BrokenPipeError):
                    os.write(process.stdin.fileno(), msgspec.json.encode(errand) + b"\n")
                for line in process.stdout:
                    if line == _PORTION:
                        on_portion()
                    else:
                        text = line.decode("utf-8", "replace").rstrip()
                        _log.warning("restore.apart step=%s shard=%d: %s", self.step, self.shard, text)
                return process.wait()
            finally:
                process.kill()


@contextmanager
def _turn(on_wait: Callable[[], None]) -> Iterator[None]:
    while not _turns.acquire(timeout=_TURN_S):
        on_wait()
    try:
        yield
    finally:
        _turns.release()


def do(errand: Errand, on_portion: Callable[[], None]) -> None:
    """Restore the state in the errand's folder. Raises as ``read_into`` and ``RocksState`` do."""
    cluster = Cluster(errand.nation, errand.bootstrap, errand.security)
    ids = {topics.changelog(errand.step): errand.changelog_id}
    log = KafkaLog(cluster, errand.step, errand.shard, input_ids=ids, state_format=errand.state_format)
    log.begin_rows_at(errand.rows_begin)  # the position is not read here: its schema may have an id of a registry
    with closing(RocksState(Path(errand.folder), errand.changelog_id, errand.state_format)) as state:
        read_into(state, log, now_ms, on_portion)


def main() -> int:
    """Do the errand on standard input. Standard output gets a line for each portion, and an error's message."""
    asked = b""
    while not asked.endswith(b"\n"):
        found = os.read(0, 1 << 16)
        if not found:
            return 0
        asked += found
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        do(msgspec.json.decode(asked, type=Errand), lambda: _print(_PORTION))
    except ExchangeError as error:
        _print(f"{type(error).__name__}: {error}\n".encode())
        return error.exit_code
    return 0


def _end_with_parent() -> None:
    """The other end of our standard input is closed by the end of our parent, and by nothing else."""
    os.read(0, 1)
    os._exit(1)


def _print(line: bytes) -> None:
    os.write(1, line)


if __name__ == "__main__":
    sys.exit(main())
