"""Free loopback ports for brokers, also if several processes start some at the same time."""

import fcntl
import os
import secrets
import socket
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from exchange.errors import BrokerUnavailable

LOOPBACK: Final = "127.0.0.1"
# Below the range from which Linux gives outgoing connections their port (32768 and up): a client that
# reconnects to a broker that is down must not be given, nor connect to itself on, the broker's port.
_PORTS: Final = range(19000, 32000)
_HELD: Final[deque[IO[str]]] = deque(maxlen=64)
"""The locks of the ports that this process was given last. By the time one is released, its broker listens."""


@dataclass(frozen=True, slots=True)
class Ports:
    """A broker's two loopback ports: for clients, and for its own controller."""

    client: int
    controller: int


def free_ports() -> Ports:
    """Two ports that nothing listens on now, and that no process of this user was given lately: it may not have begun
    to listen yet. A process of someone else can still be faster; then the start fails with a message."""
    chosen: list[int] = []
    for _ in range(len(_PORTS)):
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        lock = _locked(port)
        if lock is None:
            continue
        if not _is_free(port):
            lock.close()
            continue
        _HELD.append(lock)
        chosen.append(port)
        if len(chosen) == 2:
            return Ports(*sorted(chosen))
    raise BrokerUnavailable(f"no two free ports on {LOOPBACK} between {_PORTS.start} and {_PORTS.stop}")


def _locked(port: int) -> IO[str] | None:
    """The port's lock among all processes of this user, which ends with the file that holds it; None if it is taken."""
    folder = Path(tempfile.gettempdir()) / f"kakehashi-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = (folder / str(port)).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
