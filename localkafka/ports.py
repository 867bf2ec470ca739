"""Free loopback ports, also if several processes start something at the same time."""

import fcntl
import os
import secrets
import socket
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.errors import BrokerUnavailable

LOOPBACK: Final = "127.0.0.1"
# Below the range from which Linux gives outgoing connections their port (32768 and up): a client that
# reconnects to a broker that is down must not be given, nor connect to itself on, the broker's port.
_BROKERS: Final = range(19000, 32000)
_MOST_HELD: Final = 64
_HELD: Final[deque[int]] = deque()
"""The locks of the ports that this process was given last. By the time one is released, it is listened on."""


@dataclass(frozen=True, slots=True)
class Ports:
    """A broker's two loopback ports: for clients, and for its own controller."""

    client: int
    controller: int


def free_ports() -> Ports:
    """A broker's two. Raises BrokerUnavailable if there are none."""
    return Ports(*sorted(free(_BROKERS, 2)))


def free(among: Sequence[int], number: int) -> list[int]:
    """Ports that nothing listens on now, and that no process of this user was given lately: it may not have begun to
    listen yet. A process of someone else can still be faster; then the start fails with a message.

    Raises BrokerUnavailable if there are not as many.
    """
    chosen: list[int] = []
    for port in secrets.SystemRandom().sample(among, len(among)):
        lock = _locked(port)
        if lock is None:
            continue
        if not _is_free(port):
            os.close(lock)
            continue
        _HELD.append(lock)
        if len(_HELD) > _MOST_HELD:
            os.close(_HELD.popleft())
        chosen.append(port)
        if len(chosen) == number:
            return chosen
    raise BrokerUnavailable(f"no {number} free ports on {LOOPBACK} between {among[0]} and {among[-1]}")


def _locked(port: int) -> int | None:
    """The port's lock among all processes of this user, which ends with its descriptor; None if it is taken."""
    folder = Path(tempfile.gettempdir()) / f"kakehashi-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
