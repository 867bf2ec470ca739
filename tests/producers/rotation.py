"""``python -m tests.producers.rotation --seconds 60``: logrotate in its modes; the follower and Kafka are killed.

Needs ``logrotate`` (Debian, Ubuntu: apt-get install logrotate). Each mode has a writer of 20 000 lines a second, a
rotation every few seconds by logrotate itself, a follower that publishes and is killed at random moments, and a Kafka
that is killed, too, and stays away for a moment. Counted are the reports in the topic, each sequence number once, as
intake counts them. It prints what was lost and what was counted twice, and ends with 1 if there is any of either.

logrotate's manual states that ``copytruncate`` loses what is written between its copy and its truncation; no reader can
find that. So in that mode the writer rests while logrotate runs. Nor can one find what is written to a file that was
compressed and removed already, as without ``delaycompress``: there the writer is told before it writes again.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.producers.following import Follower, Writer, writing
from tests.producers.hurt_kafka import HurtKafka, Published, hurt_kafka

MODES: Final = {
    "create": "create",
    "copytruncate": "copytruncate",
    "compress": "create\n compress",
    "delaycompress": "create\n compress\n delaycompress",
    "dateext": "create\n dateext\n dateformat -%Y%m%d-%s",
    "extension": "create\n dateext\n dateformat -%Y%m%d-%s\n extension .txt\n compress",
    "nocreate": "nocreate",
    "copytruncate-compress": "copytruncate\n compress",
}
COMPRESSED_AT_ONCE: Final = ("compress", "extension")
LINES_PER_SECOND: Final = 20_000
_TICK_S: Final = 0.05


class Logrotate:
    """logrotate with a state of its own, as root's cron would run it."""

    def __init__(self, folder: Path, path: Path, mode: str) -> None:
        found = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin:/sbin")
        if found is None:
            raise SystemExit("logrotate is missing. Debian, Ubuntu: apt-get install logrotate")
        self._command, self._folder = found, folder
        self._rules = folder / "rules"
        self._rules.write_text(f"{path} {{\n rotate 50\n missingok\n {MODES[mode]}\n}}\n")
        self._rules.chmod(0o644)

    def rotate(self) -> None:
        """Rotate now."""
        command = (self._command, "--force", "--state", str(self._folder / "state"), str(self._rules))
        subprocess.run(command, check=True, capture_output=True)


class Tried(NamedTuple):
    """One mode: lines, and kills of the follower and of Kafka."""

    written: int
    lost: int
    twice: int
    kills: int
    kafka_kills: int


def tried(mode: str, seconds: float, random: Random, place: str, hurt: HurtKafka) -> Tried:
    """Try one mode."""
    folder = Path(tempfile.mkdtemp(prefix="rotation"))
    (folder / "logs").mkdir(mode=0o755)
    path = folder / "logs" / "list.txt"
    logrotate = Logrotate(folder, path, mode)
    kills, sensor = 0, f"rotated-{folder.name}".lower()
    worker = ("tests.producers.publishing_worker", hurt.cluster.bootstrap, sensor)
    with (
        Published(hurt.cluster, sensor) as published,
        writing(path) as writer,
        Follower(folder / "spool", folder / "logs" / place, quiet_s=2, worker=worker) as follower,
    ):
        writer.write(1)
        published.waits_for(1, within_s=60)  # what was rotated away before anyone followed is no one's
        began = time.monotonic()
        rotate_at, kill_at = began + 2, began + 3
        hurt.begin(seconds, Random(random.random()))
        while (now := time.monotonic()) < began + seconds:
            _write(writer, int((now - began) * LINES_PER_SECOND) - writer.written)
            if now >= rotate_at:
                logrotate.rotate()
                if "copytruncate" not in mode:
                    if mode not in COMPRESSED_AT_ONCE:
                        _write(writer, 300)  # it is not told at once
                    writer.reopen()
                rotate_at = time.monotonic() + random.uniform(2, 5)
            if now >= kill_at:
                follower.end(signal.SIGKILL)
                follower.start()
                kills, kill_at = kills + 1, time.monotonic() + random.uniform(1, 6)
            time.sleep(_TICK_S)
        kafka_kills = hurt.ended()
        with suppress(AssertionError):  # what is missing then is counted below
            published.waits_for(writer.written, within_s=40 + 2 * seconds)
        follower.end()
        published.take()
        found, written = published.values, writer.values()
        for gap in follower.gaps:
            sys.stdout.write(f"  {gap}\n")
    lost = sum(value not in found for value in written)
    if not lost:
        shutil.rmtree(folder)
    return Tried(len(written), lost, sum(count - 1 for count in found.values()), kills, kafka_kills)


def _write(writer: Writer, lines: int) -> None:
    if lines > 0:
        writer.write(lines)


def main() -> int:
    """Try every mode, with a path and with a pattern."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", default="7")
    parser.add_argument("--mode", choices=MODES, action="append")
    stated = parser.parse_args()
    os.umask(0o022)
    failed = False
    with hurt_kafka() as hurt:
        for mode in stated.mode or MODES:
            for place in ("list.txt", "list*"):
                found = tried(mode, stated.seconds, Random(f"{stated.seed} {mode} {place}"), place, hurt)
                sys.stdout.write(
                    f"{mode:22} {place:9} {found.written:,} lines, {found.kills} kills, {found.kafka_kills} of Kafka: "
                    f"{found.lost} lost, {found.twice} twice\n"
                )
                sys.stdout.flush()
                failed = failed or bool(found.lost or found.twice)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
