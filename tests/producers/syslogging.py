"""Senders of syslog over TLS, and a listener in a thread, for tests."""

import contextlib
import os
import socket
import ssl
from pathlib import Path
from threading import Thread

from localkafka.ports import free_ports
from producers.live import syslog
from producers.live.documents import Gap, LiveInput
from producers.stop import Stop
from schemas.markings import Tlp, understand
from tests.link.certificates import Authority, Issued
from tests.polling import eventually


def framed(*messages: bytes) -> bytes:
    return b"".join(str(len(message)).encode() + b" " + message for message in messages)


def a_message(line: str, data: str = "-") -> bytes:
    return f"<134>1 2026-11-20T00:00:00Z ids.example suricata 7 - {data} {line}".encode()


def listening(authority: Authority, folder: Path, port: int) -> LiveInput:
    """The input of a listener at this port, which can be stopped."""
    address = f"syslog+tls://127.0.0.1:{port}"
    return LiveInput(address, folder / "in", authority.issue("listener").both, authority.file, stop=Stop())


def connected(port: int, authority: Authority, client: Issued | None) -> ssl.SSLSocket:
    """A connection, as soon as someone listens."""
    eventually(lambda: is_open(port), 20, "it listens")
    return connected_now(port, authority, client)


def connected_now(port: int, authority: Authority, client: Issued | None) -> ssl.SSLSocket:
    """A connection. Raises OSError if no one listens."""
    context = ssl.create_default_context(cafile=authority.file)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")


def is_open(port: int) -> bool:
    """Whether someone listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def free_port() -> int:
    """A port that no client is given, so that none connects to itself while it waits for a listener."""
    return free_ports().client


class Receiving:
    """A listener in a thread, whose documents are read at once: lines with their markings, and gaps."""

    def __init__(self, place: LiveInput) -> None:
        self.lines, self.gaps = list[tuple[str, Tlp]](), list[str]()
        self._stop, self._found = place.stop, syslog.received(place)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for each in self._found:
            if isinstance(each, Gap):
                self.gaps.append(each.text)
            else:
                tlp = understand(each.around.marking).tlp
                self.lines += [(line, tlp) for line in each.path.read_text().splitlines()]

    def close(self) -> None:
        """Stop it, unless it was asked to: a second request is an interrupt."""
        if not self._stop.requested:
            self._stop.request()
        self._thread.join(20)


def sees_the_end(secured: ssl.SSLSocket) -> bool:
    """Whether the listener has ended its side, as rsyslog looks before it sends."""
    with socket.socket(fileno=os.dup(secured.fileno())) as plain, contextlib.suppress(BlockingIOError):
        return plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    return False


def set_aside(place: LiveInput, lines: int) -> list[str]:
    """What the next run reads: the last document of this run, and what it has set aside."""
    again = Receiving(place._replace(stop=Stop()))
    eventually(lambda: len(again.lines) == lines, 20, "what was set aside is read")
    again.close()
    return [line for line, _ in again.lines]
