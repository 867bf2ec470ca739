"""Listens for syslog over TLS (RFC 5425): ``syslog+tls://ADDRESS:PORT``, for clients of the authorities that are named.

``credentials`` is a PEM file with the listener's key and certificates. Messages of the same markings are lines of one
document. Syslog has no acknowledgement: what a sender has written and a killed listener had not made durable is lost,
up to half a second and what is in the buffers of both machines. A listener that is stopped ends its side of each
connection, and keeps all that senders wrote until they saw it.
"""

import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Final
from urllib.parse import urlsplit

import msgspec

from exchange.errors import ConfigurationError
from producers.live.documents import Document, Documents, Gap, LiveInput, Position
from producers.live.syslog_frames import Carried, Unframed, carried, frames

SCHEMES: Final = ("syslog+tls://",)
MOST_BYTES: Final = 4 << 20
"""Lines of one document; the rest goes into the next one."""
MOST_CONNECTIONS: Final = 256
_MOST_WAITING: Final = 20_000
_MOST_TOLD: Final = 1000
_PORT: Final = 6514
_EVERY_S: Final = 0.5
_POLL_S: Final = 0.2
_HANDSHAKE_S: Final = 10.0
_IDLE_S: Final = 3600.0
_CLOSE_S: Final = 5.0
_LAST_S: Final = 4.0
_QUIET_S: Final = 0.5
_CHUNK_BYTES: Final = 64 << 10


def received(place: LiveInput) -> Generator[Document | Gap, None, None]:
    """Documents of the lines that are received, until it stops.

    Raises ConfigurationError if it cannot listen there, or cannot use its certificates.
    """
    if place.is_rehearsal:
        raise ConfigurationError(f"a dry run does not listen at {place.address}: give it a file of such lines")
    documents = Documents(place.folder, place.address, Position())
    yield from documents.unread()
    aside = documents.aside()
    waiting = msgspec.json.decode(aside, type=list[Carried]) if aside else []
    listener = Listener(place)
    try:
        while not place.is_stopping:
            until, size = time.monotonic() + _EVERY_S, 0
            while time.monotonic() < until and size < MOST_BYTES:
                taken = listener.taken(_POLL_S)
                waiting += taken
                size += sum(len(each.line) for each in taken)
            for text in listener.troubles():
                yield Gap(text)
            while waiting:
                group = _first_group(waiting)
                content = (each.line.rstrip(b"\r\n") + b"\n" for each in group)
                document = documents.put(content, Position(stated=group[0].around), ".txt")
                del waiting[: len(group)]
                yield document
    finally:
        listener.close()
        while taken := listener.taken(0):
            waiting += taken
        if waiting:
            documents.set_aside(msgspec.json.encode(waiting))


def _first_group(waiting: list[Carried]) -> list[Carried]:
    """The first lines that state the same, for one document."""
    group, size = [], 0
    for each in next(iter(groupby(waiting, key=lambda each: each.around)))[1]:
        group.append(each)
        size += len(each.line)
        if size >= MOST_BYTES:
            break
    return group


class Listener:
    """The socket and its connections, each in a thread that reads no further while many lines wait."""

    def __init__(self, place: LiveInput) -> None:
        """Raises ConfigurationError."""
        parts = urlsplit(place.address)
        self._tls = _context(place.credentials, place.authorities)
        self._lines, self._troubles = SimpleQueue[Carried](), SimpleQueue[str]()
        self._told = set[str]()
        self._closing, self._free = Event(), Semaphore(MOST_CONNECTIONS)
        self._threads: list[Thread] = []
        try:
            host, port = parts.hostname or "", parts.port or _PORT
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"cannot listen at {parts.netloc}: {error}") from error
        self.port = int(self._socket.getsockname()[1])
        self._socket.settimeout(_POLL_S)
        self._begin(self._accept)

    def taken(self, within_s: float) -> list[Carried]:
        """The lines that wait; if there is none yet, those that come within this time."""
        found = []
        try:
            found.append(self._lines.get(timeout=within_s) if within_s else self._lines.get_nowait())
            while len(found) < _MOST_WAITING:
                found.append(self._lines.get_nowait())
        except Empty:
            pass
        return found

    def troubles(self) -> Iterator[str]:
        """Losses with a connection; the same loss of one sender once."""
        while not self._troubles.empty():
            text = self._troubles.get()
            if text not in self._told and len(self._told) < _MOST_TOLD:
                self._told.add(text)
                yield text

    def close(self) -> None:
        """Accept no more, and read what senders have sent until they see it. All of it is in ``taken`` then."""
        self._closing.set()
        until = time.monotonic() + _CLOSE_S
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _begin(self, target: Callable[..., None], *given: object) -> None:
        self._threads = [each for each in self._threads if each.is_alive()]
        thread = Thread(target=target, args=given, name="syslog", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with self._socket:  # closed before the connections end, so that no sender comes back to this process
            while not self._closing.is_set():
                try:
                    connection, peer = self._socket.accept()
                except TimeoutError:
                    continue
                except OSError as error:  # such as too many open files: it may accept the next one
                    self._troubles.put(f"a connection could not be accepted: {error}")
                    self._closing.wait(_POLL_S)
                    continue
                if self._free.acquire(blocking=False):
                    self._begin(self._serve, connection, str(peer[0]))
                else:
                    self._troubles.put(f"{peer[0]} was turned away: there are {MOST_CONNECTIONS} connections")
                    connection.close()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        try:
            connection.settimeout(_HANDSHAKE_S)
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._read(secured)
        except ssl.SSLEOFError:
            pass  # someone who only looks whether the port is open
        except (Unframed, ssl.SSLError, OSError) as error:
            self._troubles.put(f"the connection of {peer} was closed, and what it sends is not read: {error}")
        finally:
            connection.close()
            self._free.release()

    def _read(self, secured: ssl.SSLSocket) -> None:
        secured.settimeout(_POLL_S)
        buffer, quiet_s, read_at, until = bytearray(), _IDLE_S, time.monotonic(), math.inf
        while time.monotonic() < min(read_at + quiet_s, until):
            if self._closing.is_set() and until == math.inf:
                _send_no_more_to(secured)
                quiet_s, until = _QUIET_S, time.monotonic() + _LAST_S
            if self._lines.qsize() > _MOST_WAITING and not self._closing.is_set():
                time.sleep(_POLL_S)
                continue
            try:
                got = secured.recv(_CHUNK_BYTES)
            except TimeoutError:
                continue
            if not got:
                if buffer:
                    raise Unframed("it ended within a message")
                return
            read_at = time.monotonic()
            buffer += got
            for message in frames(buffer):
                self._lines.put(carried(message))


def _send_no_more_to(secured: ssl.SSLSocket) -> None:
    """End our side of the connection: a sender that looks before it sends, as rsyslog does, goes to the next one.

    Data that it has sent until then is still to be read. TLS does not send the end: it would take such data for an
    error.
    """
    with socket.socket(fileno=os.dup(secured.fileno())) as plain, suppress(OSError):
        plain.shutdown(socket.SHUT_WR)


def _context(credentials: Path | None, authorities: Path | None) -> ssl.SSLContext:
    if credentials is None or authorities is None:
        raise ConfigurationError(
            "a syslog listener needs --credentials, a PEM file with its key and certificate, and --authorities, the "
            "certificates of those whose clients may send"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # rsyslog never reads: behind a ticket it would not see the end of our side
    try:
        context.load_cert_chain(credentials)
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{credentials} or {authorities} cannot be used (PEM): {error}") from error
    return context
