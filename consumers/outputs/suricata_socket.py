"""Suricata's command socket: JSON objects, one a line, each answered before the next one is sent.

Sources: Suricata 8.0, ``src/unix-manager.c`` and ``src/runmode-unix-socket.c``; user guide, "Datasets", "Unix Socket".
Suricata reads a message at once and takes fewer than 4,096 bytes; on one that it does not understand it closes the
connection.
"""

import os
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from consumers.outputs.protocol import OutputUnavailable

_VERSION: Final = "0.2"
_MOST_BYTES: Final = 1 << 16
_PEER: Final = "3i"  # ucred: process, user, group
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Answer(msgspec.Struct, frozen=True):
    """What Suricata has answered. "NOK" need not be an error: for example, for a value that is in no set."""

    status: Literal["OK", "NOK"] = msgspec.field(name="return")
    message: Any = None

    @property
    def is_ok(self) -> bool:
        """Whether the command has succeeded."""
        return self.status == "OK"


class Process(msgspec.Struct, frozen=True):
    """The process that answers: ``boot`` names the time since the machine started, ``started_s`` is seconds into it."""

    boot: str
    pid: int
    started_s: float

    def is_since(self, boot: str, at_s: float) -> bool:
        """Whether it has started after a moment: so also read its files after it."""
        return self.boot != boot or self.started_s > at_s


class CommandSocket:
    """A connection that is made when it is needed. All methods raise OutputUnavailable if there is no answer."""

    def __init__(self, name: str, path: str, timeout_s: float = 10.0) -> None:
        """``name`` is how errors call it; an answer may take up to ``timeout_s``."""
        self._name, self._path, self._timeout_s = name, path, timeout_s
        self._socket: socket.socket | None = None
        self._received = b""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that has not ended."""
        if self._socket is None:
            return False
        try:
            self._socket.setblocking(False)
            return self._socket.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def open(self) -> Process | None:
        """Connect anew; the process that has answered, None if this machine does not show it."""
        self.close()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.connect(self._path)
        except OSError as error:
            self.close()
            raise OutputUnavailable(f"{self._name} cannot be reached: {error.strerror or error}") from error
        if not self._exchanged({"version": _VERSION}).is_ok:
            self.close()
            raise OutputUnavailable(f"{self._name} does not take version {_VERSION} of the protocol")
        return _peer(self._socket)

    def ask(self, command: str, **arguments: str) -> Answer:
        """Send a command, and wait for its answer."""
        return self._exchanged({"command": command, "arguments": arguments} if arguments else {"command": command})

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""

    def _exchanged(self, message: dict[str, Any]) -> Answer:
        if self._socket is None:
            raise OutputUnavailable(f"{self._name} is not connected")
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(msgspec.json.encode(message) + b"\n")
            return self._answer(self._socket)
        except (OSError, msgspec.DecodeError) as error:
            self.close()
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            raise OutputUnavailable(f"{self._name} does not answer as Suricata does: {reason}") from error

    def _answer(self, connection: socket.socket) -> Answer:
        end_s = time.monotonic() + self._timeout_s
        while True:
            self._received = self._received.lstrip()
            line, newline, rest = self._received.partition(b"\n")
            if newline:
                self._received = rest
                return msgspec.json.decode(line, type=Answer)
            with suppress(msgspec.DecodeError):  # version 0.1 has no newline at the end
                found = msgspec.json.decode(self._received, type=Answer)
                self._received = b""
                return found
            if len(self._received) > _MOST_BYTES:
                raise msgspec.DecodeError(f"an answer of more than {_MOST_BYTES} bytes")
            connection.settimeout(max(0.001, end_s - time.monotonic()))
            portion = connection.recv(_MOST_BYTES)
            if not portion:
                raise ConnectionError("the connection was closed")
            self._received += portion


def now_s() -> float:
    """Seconds since the machine has started, as processes state when they started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot() -> str:
    """The name of the time since the machine has started; empty if it has none."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def _peer(connection: socket.socket) -> Process | None:
    with suppress(OSError, ValueError, IndexError):
        pid, _, _ = struct.unpack(
            _PEER, connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(_PEER))
        )
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return Process(boot(), pid, int(fields[19]) / _TICKS)
    return None
