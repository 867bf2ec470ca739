"""Programs of a distribution's packages, run for a test: in a folder of its own, on free ports, without privileges."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from localkafka.ports import free_ports
from tests.polling import eventually

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WITHIN_S: Final = 30.0


def program(name: str, package: str) -> str:
    """The path of a program; the test is skipped without it."""
    found = shutil.which(name) or shutil.which(name, path=_PATH)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def free_port() -> int:
    """A port that is free for both UDP and TCP, and that no client is given: one that waits would connect to itself."""
    while True:
        port = free_ports().client
        with socket.socket(type=socket.SOCK_DGRAM) as udp, suppress(OSError):
            udp.bind(("127.0.0.1", port))
            return port


@contextmanager
def daemon(command: Sequence[str | Path], log: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    """It runs as soon as ``is_ready``, and is ended at the end. Fails with its log if it ends before."""
    with log.open("wb") as written:
        process = subprocess.Popen([*map(str, command)], stdout=written, stderr=subprocess.STDOUT)

    def runs() -> bool:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        return is_ready()

    try:
        eventually(runs, _WITHIN_S, f"{command[0]} is ready")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def call(*command: str | Path) -> str:
    """What a program prints; fails with it if its exit code is not 0."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def until(is_true: Callable[[], bool], what: str) -> float:
    """Wait for a condition; how many seconds it took."""
    began = time.monotonic()
    eventually(is_true, _WITHIN_S, what)
    return time.monotonic() - began
