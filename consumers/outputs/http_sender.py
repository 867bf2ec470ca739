"""Sends a request to a receiver over HTTP, and waits for its answer for a limited time."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from consumers.outputs.protocol import OutputUnavailable
from exchange.errors import ConfigurationError

CA: Final = "a PEM file of the authorities to trust; the system's if not given"
"""The description of an output's option ``ca``."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_BYTES: Final = 16 << 20
_BUSY: Final = frozenset({408, 425, 429})
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver's answer: neither a server error nor a request to come back later."""

    status: int
    body: bytes

    @property
    def shown(self) -> str:
        """The beginning of it, for a person."""
        text = self.body[:_SHOWN].decode("utf-8", "replace")
        return f"{self.status} {''.join(each if each.isprintable() else ' ' for each in text)}".strip()


class Sender:
    """Requests to one URL. Each has a connection of its own, so none is found closed. Redirections are not followed."""

    def __init__(self, name: str, url: str, ca: str = "", timeout_s: float = 20.0) -> None:
        """``ca`` is a PEM file of the authorities that are trusted; the system's if empty.

        Raises ConfigurationError for a URL that cannot be used: secrets go over TLS, or stay on this machine.
        """
        parts = urlsplit(url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ConfigurationError(f"{name}:{url}: {error}") from error
        if parts.scheme not in ("https", "http") or not self._host or parts.username is not None:
            raise ConfigurationError(f"{name}:{url}: write an https URL without a user: options name files of secrets")
        if parts.scheme == "http" and self._host not in _LOCAL:
            raise ConfigurationError(
                f"{name}:{url}: write https: only a receiver on this machine is reached without TLS"
            )
        self.path: Final = parts.path.rstrip("/")
        self._where, self._timeout_s = f"{name}:{url}", timeout_s
        self._tls = tls_context(self._where, ca) if parts.scheme == "https" else None

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, unless it is one of 5xx, 408, 425 or 429. Raises OutputUnavailable if there is no other."""
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
        end: threading.Timer | None = None
        try:
            connection.connect()
            end = threading.Timer(self._timeout_s, _end, (connection.sock,))  # a socket's own timeout is for each byte
            end.daemon = True
            end.start()
            connection.request(method, path or "/", body, dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.read(_MOST_BYTES))
            if response.length or end.finished.is_set():
                raise http.client.IncompleteRead(answer.body, response.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutputUnavailable(f"{self._where} does not answer: {error or type(error).__name__}") from error
        finally:
            if end is not None:
                end.cancel()
            connection.close()
        if answer.status >= 500 or answer.status in _BUSY:
            raise OutputUnavailable(f"{self._where} answers {answer.shown}")
        return answer

    def confirmed(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer, if it is one of 2xx. Raises OutputUnavailable otherwise: nothing is dropped."""
        answer = self.send(method, path, body, headers)
        if not 200 <= answer.status < 300:
            raise OutputUnavailable(f"{self._where} answers {answer.shown}")
        return answer


def tls_context(where: str, ca: str) -> ssl.SSLContext:
    """A client's context, TLS 1.2 at least, that checks names. Raises ConfigurationError if ``ca`` cannot be read."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{where}: ca={ca}: this is no PEM file of certificates: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS: another thread is reading
