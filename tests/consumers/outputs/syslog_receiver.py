"""A receiver of syslog over TLS for tests: octet-counted frames (RFC 5425), on real sockets."""

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tests.link.certificates import Authority


class SyslogServer:
    """What arrived. ``behaviour`` is ``ok``, ``reset``, ``silent`` (it reads, and never closes), ``deaf``,
    or ``curt``: it reads, and ends without close_notify."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder, "syslog")
        issued = authority.issue("receiver")
        self.ca: Final = authority.file
        self.messages: list[bytes] = []
        self.behaviour, self.let_go = "ok", threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    outer._serve(context.wrap_socket(self.request, server_side=True))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: Final = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, secured: ssl.SSLSocket) -> None:
        with secured:
            if self.behaviour == "deaf":
                self.let_go.wait(30)
                return
            content = b"".join(iter(lambda: secured.recv(65_536), b""))
            if self.behaviour == "reset":
                secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            if self.behaviour == "silent":
                self.let_go.wait(30)
                return
            self.messages += frames_in(content)
            if self.behaviour != "curt":
                secured.unwrap()


def frames_in(content: bytes) -> list[bytes]:
    """The messages: each behind its length in octets and a blank."""
    found = []
    while content:
        length, _, rest = content.partition(b" ")
        assert length.isdigit()
        assert len(rest) >= int(length)
        found.append(rest[: int(length)])
        content = rest[int(length) :]
    return found


@contextmanager
def syslog_server(folder: Path) -> Iterator[SyslogServer]:
    """One for a test."""
    server = SyslogServer(folder)
    try:
        yield server
    finally:
        server.close()


@cache
def lasting_receiver() -> SyslogServer:
    """One that stays until the tests end."""
    return SyslogServer(Path(mkdtemp()))
