"""Runs one process of the exchange (or of a rival), and reads its cost from ``/proc``: Linux only."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from exchange.errors import FatalError
from localkafka.guard import Guard

ROOT: Final = Path(__file__).resolve().parent.parent
READY_S: Final = 120.0
STOP_S: Final = 20.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE


def peak_resident_bytes(pid: int) -> int:
    """The most memory that a process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@dataclass(slots=True)
class Role:
    """One child process with its log; ended with the block."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int
    guard: Guard

    @classmethod
    def start(cls, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Self:
        """Start ``python -m`` with these arguments. Metrics and readiness are on ``port``."""
        return cls.launch(name, [sys.executable, "-m", *arguments], {**environment, "PYTHONPATH": str(ROOT)}, folder)

    @classmethod
    def launch(cls, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Self:
        """Start any command."""
        folder.mkdir(parents=True, exist_ok=True)
        log, port = folder / f"{name}-{time.time_ns()}.log", free_port()
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**environment, "KAKEHASHI_METRICS_PORT": str(port)},
            )
        return cls(name, process, log, port, Guard(["kill", "-9", str(process.pid)]))

    def await_ready(self) -> None:
        """Wait until ``/ready`` succeeds. Raises FatalError with the end of the log if the process ends first."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise FatalError(f"{self.name} is not ready after {READY_S:g} s:\n{self.log_tail()}")

    def check(self) -> None:
        """Raises FatalError if the process has ended."""
        if self.process.poll() is not None:
            raise FatalError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-25:])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stop(self) -> None:
        """End it in good order, or by force."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.guard.dismiss()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def answered(command: Sequence[str]) -> dict[str, Any]:
    """The line of JSON that a process prints once it has done its work. Raises CalledProcessError if it fails."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
