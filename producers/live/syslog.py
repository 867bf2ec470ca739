"""Listens for syslog over TLS (RFC 5425): ``syslog+tls://ADDRESS:PORT``, for clients of the authorities that are named.

``credentials`` is a PEM file with the listener's key and certificates. Messages of the same markings are lines of one
document. Syslog has no acknowledgement: what a sender has written and a killed listener had not made durable is lost,
up to half a second and what is in the buffers of both machines. A listener that is stopped accepts no more, then ends
its side of each connection, and keeps all that senders wrote until they saw it.
"""

import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Final
from urllib.parse import urlsplit

import msgspec

from exchange.errors import ConfigurationError
from producers.live.documents import Document, Documents, Gap, LiveInput, Position
from producers.live.losses import Losses
from producers.live.syslog_frames import Carried, Unframed, carried, frames

SCHEMES: Final = ("syslog+tls://",)
MOST_BYTES: Final = 4 << 20
"""Lines of one document; the rest goes into the next one."""
MOST_CONNECTIONS: Final = 256
_MOST_WAITING: Final = 20_000
_PORT: Final = 6514
_EVERY_S: Final = 0.5
_POLL_S: Final = 0.2
_HANDSHAKE_S: Final = 10.0
_IDLE_S: Final = 3600.0
_CLOSE_S: Final = 5.0
_LAST_S: Final = 4.0
_QUIET_S: Final = 1.0
"""After the end of our side: a path around the world and back, and one segment that is sent again."""
_CHUNK_BYTES: Final = 64 << 10


def received(place: LiveInput) -> Generator[Document | Gap, None, None]:
    """Documents of the lines that are received, until it stops.

    Raises ConfigurationError if it cannot listen there, or cannot use its certificates.
    """
    if place.is_rehearsal:
        raise ConfigurationError(f"a dry run does not listen at {place.address}: give it a file of such lines")
    documents = Documents(place.folder, place.address, Position())
    yield from documents.unread()
    aside: Aside | list[Carried] = msgspec.json.decode(documents.aside() or b"{}", type=Aside | list[Carried])
    waiting = Aside(aside) if isinstance(aside, list) else aside  # an earlier version kept the lines alone
    listener = Listener(place)
    try:
        while not place.is_stopping:
            until, size = time.monotonic() + _EVERY_S, 0
            while time.monotonic() < until and size < MOST_BYTES:
                taken = listener.taken(_POLL_S)
                waiting.lines += taken
                size += sum(len(each.line) for each in taken)
            waiting.gaps += listener.troubles()
            while waiting.gaps:
                yield Gap(waiting.gaps[0])
                del waiting.gaps[0]
            while waiting.lines:
                group, rest = _first_group(waiting.lines)
                content = (each.line.rstrip(b"\r\n") + b"\n" for each in group)
                kept = msgspec.json.encode(Aside(rest)) if rest else b""
                document = documents.put(content, Position(stated=group[0].around), ".txt", kept)
                waiting.lines = rest
                yield document
    finally:
        listener.close()
        while taken := listener.taken(0):
            waiting.lines += taken
        waiting.gaps += listener.troubles()
        if waiting.lines or waiting.gaps or documents.aside():
            documents.set_aside(msgspec.json.encode(waiting))


class Aside(msgspec.Struct):
    """Lines for the next documents, and gaps that are not reported yet."""

    lines: list[Carried] = []
    gaps: list[str] = []


def _first_group(waiting: list[Carried]) -> tuple[list[Carried], list[Carried]]:
    """The lines that state the same as the first one, for one document, and the rest."""
    group, rest, size = list[Carried](), list[Carried](), 0
    for each in waiting:
        is_one = each.around == waiting[0].around and size < MOST_BYTES
        (group if is_one else rest).append(each)
        size += len(each.line) if is_one else 0
    return group, rest


class Listener:
    """The socket and its connections, each in a thread that reads no further while many lines wait."""

    def __init__(self, place: LiveInput) -> None:
        """Raises ConfigurationError."""
        parts = urlsplit(place.address)
        self._tls = _context(place.credentials, place.authorities)
        self._lines, self._troubles = SimpleQueue[Carried](), SimpleQueue[str]()
        self._losses = Losses()
        self._refusing, self._closing, self._free = Event(), Event(), Semaphore(MOST_CONNECTIONS)
        self._serving: list[Thread] = []
        try:
            host, port = parts.hostname or "", parts.port or _PORT
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"cannot listen at {parts.netloc}: {error}") from error
        self.port = int(self._socket.getsockname()[1])
        self._socket.settimeout(_POLL_S)
        self._accepting = _begun(self._accept)

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
        """Losses with a connection; the same loss of one sender once in ten minutes."""
        while not self._troubles.empty():
            if (text := self._losses.reported(self._troubles.get(), time.monotonic())) is not None:
                yield text

    def close(self) -> None:
        """Accept no more, and read what senders have sent until they see it. All of it is in ``taken`` then.

        The connections end once nothing is accepted: a sender that sees the end connects again at once, and what it
        writes then belongs to the next listener.
        """
        self._refusing.set()
        self._accepting.join()
        self._closing.set()
        until = time.monotonic() + _CLOSE_S
        for thread in self._serving:
            thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        with self._socket:
            while not self._refusing.is_set():
                try:
                    connection, peer = self._socket.accept()
                except TimeoutError:
                    continue
                except OSError as error:  # such as too many open files: it may accept the next one
                    self._troubles.put(f"a connection could not be accepted: {error}")
                    self._refusing.wait(_POLL_S)
                    continue
                if self._free.acquire(blocking=False):
                    self._serving = [each for each in self._serving if each.is_alive()]
                    self._serving.append(_begun(self._serve, connection, str(peer[0])))
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
        """Read until the other side ends. At a stop, and after an hour without a message, ours ends first."""
        buffer, read_at, until = bytearray(), time.monotonic(), math.inf
        try:
            for got in _chunks(secured):
                buffer += got
                for message in frames(buffer):
                    self._lines.put(carried(message))
                now = time.monotonic()
                read_at = now if got else read_at
                if until < math.inf:
                    if got and now > until:
                        raise Unframed(f"it went on sending for {_LAST_S:g} s after the end of this side")
                    if now > read_at + _QUIET_S:
                        break
                elif self._closing.is_set() or now > read_at + _IDLE_S:
                    _send_no_more_to(secured)
                    read_at, until = now, now + _LAST_S
                while self._lines.qsize() > _MOST_WAITING and not self._closing.is_set():
                    time.sleep(_POLL_S)
        except ssl.SSLError as error:
            if until == math.inf or "ALERT" not in (error.reason or ""):
                raise  # OpenSSL answers an end without close_notify with an alert, behind all that it has sent
        if buffer:
            raise Unframed("it ended within a message")


def _chunks(secured: ssl.SSLSocket) -> Iterator[bytes]:
    """What is received, until the other side ends; nothing (``b""``) if there is none for a moment."""
    secured.settimeout(_POLL_S)
    while True:
        try:
            got = secured.recv(_CHUNK_BYTES)
        except TimeoutError:
            yield b""
            continue
        if not got:
            return
        yield got


def _begun(target: Callable[..., None], *given: object) -> Thread:
    thread = Thread(target=target, args=given, name="syslog", daemon=True)
    thread.start()
    return thread


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
