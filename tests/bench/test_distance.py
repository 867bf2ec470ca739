"""The distance is as long as it is said to be, keeps every byte in order, and does not slow a stream."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bench.distance import distance
from exchange.brokers.local import free_ports

_ROUND_TRIP_S = 0.1


@contextlib.contextmanager
def _echo(port: int) -> Iterator[None]:
    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while chunk := connection.recv(1 << 16):
                connection.sendall(chunk)

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """A connection to an echo that is a tenth of a second away."""
    ports = free_ports()
    with (
        _echo(ports.client),
        distance(ports.controller, ports.client, _ROUND_TRIP_S),
        socket.create_connection(("127.0.0.1", ports.controller), timeout=10) as connection,
    ):
        yield connection


def _received(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (chunk := connection.recv(1 << 16)):
        found += chunk
    return bytes(found)


def test_an_answer_takes_a_round_trip(far: socket.socket) -> None:
    for _ in range(3):
        began = time.monotonic()
        far.sendall(b"ping")
        assert _received(far, 4) == b"ping"
        assert time.monotonic() - began >= _ROUND_TRIP_S


def test_a_stream_is_under_way_at_once_and_arrives_whole_and_in_order(far: socket.socket) -> None:
    """A round trip for each of its chunks would be tens of seconds."""
    sent = b"".join(number.to_bytes(4, "big") for number in range(1 << 20))
    threading.Thread(target=far.sendall, args=(sent,), daemon=True).start()
    began = time.monotonic()
    assert _received(far, len(sent)) == sent
    assert time.monotonic() - began < 5


def test_the_end_of_a_stream_arrives_behind_its_last_byte(far: socket.socket) -> None:
    far.sendall(b"last")
    far.shutdown(socket.SHUT_WR)
    assert _received(far, 4) == b"last"
    assert far.recv(1) == b""
