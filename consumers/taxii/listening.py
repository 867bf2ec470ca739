"""The server's socket and its TLS: uvicorn with our settings, on a thread of its own."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from consumers.taxii.connection import HEAD_BYTES, Connection
from exchange.errors import ConfigurationError

_CONNECTIONS: Final = 512
_ENDS_S: Final = 10


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the server listens, and its TLS. Without a certificate it listens on this machine alone.

    ``client_ca`` is the file of the authorities whose client certificates are looked at; None if none are.
    """

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """Its TLS, 1.2 or later. Raises ConfigurationError."""
        if self.certificate is None:
            if self.key is not None or self.client_ca is not None:
                raise ConfigurationError("--key and --client-ca need --certificate: without it there is no TLS")
            if not _is_of_this_machine(self.address):
                raise ConfigurationError(
                    f"{self.address}: tokens would cross the network in clear: give --certificate and --key, or listen "
                    "on 127.0.0.1 behind a proxy that has TLS"
                )
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_OPTIONAL
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"the certificate, key or client CA cannot be used: {error}") from error
        return context


class Listening:
    """A server that answers with ``application``. ``port`` is the one that it has, also if 0 was asked for."""

    def __init__(self, application: ASGIApp, place: ListenAddress, on_error: Callable[[Exception], None]) -> None:
        """Raises ConfigurationError if the address cannot be bound, or its TLS cannot be used."""
        self._on_error = on_error
        self.tls: Final = place.tls()
        self._stamp = _stamp_of(place)
        self._place = place
        self._socket = _bound(place)
        self.port: Final = int(self._socket.getsockname()[1])
        tls = self.tls
        config = uvicorn.Config(
            application,
            http=Connection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=_ENDS_S,
            h11_max_incomplete_event_size=HEAD_BYTES,
            ssl_context_factory=None if tls is None else lambda *_: tls,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="taxii", daemon=True)

    def start(self) -> "Listening":
        """Begin to answer."""
        self._thread.start()
        return self

    def is_running(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def look(self) -> None:
        """Take a certificate that was renewed into use, for new connections."""
        stamp = _stamp_of(self._place)
        if self.tls is not None and stamp != self._stamp and self._place.certificate is not None:
            try:
                self.tls.load_cert_chain(self._place.certificate, self._place.key)
            except (OSError, ssl.SSLError):
                return  # one of the two files is not written yet
            self._stamp = stamp

    def stop(self) -> None:
        """End: answers that are on their way have some seconds."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve([self._socket]))
        except Exception as error:  # the thread's outermost frame
            self._on_error(error)


def _bound(place: ListenAddress) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            place.address, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, number)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(address)
            found.listen()  # from now on a client waits, and is not refused
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"TAXII cannot be served on {place.address} port {place.port}: {error.strerror or error}. Choose another"
        ) from error
    return found


def _is_of_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _stamp_of(place: ListenAddress) -> tuple[int, ...]:
    files = [each for each in (place.certificate, place.key) if each is not None]
    try:
        return tuple(number for each in files for number in (each.stat().st_mtime_ns, each.stat().st_ino))
    except OSError:
        return ()
