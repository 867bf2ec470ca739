"""The link is as long, as narrow and as broken as it is stated to be, and otherwise keeps every byte in order."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from random import Random

import pytest

from localkafka.ports import free_ports
from localkafka.relay import Relay, Way
from localkafka.requests import Kind, Requests

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
        Relay(ports.controller, ports.client, _ROUND_TRIP_S),
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
    assert time.monotonic() - began < 30


def test_the_end_of_a_stream_arrives_behind_its_last_byte(far: socket.socket) -> None:
    far.sendall(b"last")
    far.shutdown(socket.SHUT_WR)
    assert _received(far, 4) == b"last"
    assert far.recv(1) == b""


@pytest.fixture
def link() -> Iterator[Relay]:
    """A link without a length, to an echo."""
    ports = free_ports()
    with _echo(ports.client), Relay(ports.controller, ports.client) as link:
        yield link


def _connected(link: Relay) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", link.port), timeout=10)
    connection.sendall(b"ping")
    assert _received(connection, 4) == b"ping"
    return connection


def test_a_cut_resets_who_is_connected_and_refuses_who_comes_until_it_is_mended(link: Relay) -> None:
    with _connected(link) as connection:
        link.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        _connected(link)
    link.restore()
    _connected(link).close()


@pytest.mark.parametrize("way", Way)
def test_a_held_way_reports_nothing_and_goes_on_where_it_stood(link: Relay, way: Way) -> None:
    with _connected(link) as connection:
        link.hold(way)
        connection.sendall(b"late")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        with socket.create_connection(("127.0.0.1", link.port), timeout=10) as another:  # let in, and not served
            another.sendall(b"wait")
            link.restore()
            connection.settimeout(10)
            assert (_received(connection, 4), _received(another, 4)) == (b"late", b"wait")


def test_a_narrow_link_takes_its_time_and_loses_nothing(link: Relay) -> None:
    sent = bytes(range(256)) * 200
    with _connected(link) as connection:
        link.throttle(len(sent) / 0.4)
        began = time.monotonic()
        threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
        assert _received(connection, len(sent)) == sent
        assert time.monotonic() - began >= 0.4


def _request(kind: int, size: int) -> bytes:
    return (size + 2).to_bytes(4, "big") + kind.to_bytes(2, "big") + bytes(size)


def test_a_cut_at_a_request_comes_before_it_has_arrived(link: Relay) -> None:
    before = _request(Kind.PRODUCE, 100)
    with socket.create_connection(("127.0.0.1", link.port), timeout=10) as connection:
        cut = link.cut_at(Kind.END_TXN, answer=False)
        connection.sendall(before)
        assert _received(connection, len(before)) == before
        assert not cut.is_set()
        connection.sendall(_request(Kind.END_TXN, 20))
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert cut.wait(10)


def test_a_cut_at_an_answer_comes_when_the_other_side_has_stated_it() -> None:
    ports, received = free_ports(), bytearray()
    request = _request(Kind.END_TXN, 20)
    with socket.create_server(("127.0.0.1", ports.client)) as server, Relay(ports.controller, ports.client) as link:
        with socket.create_connection(("127.0.0.1", link.port), timeout=10) as connection:
            cut = link.cut_at(Kind.END_TXN, answer=True)
            connection.sendall(request)
            with server.accept()[0] as served:
                received += _received(served, len(request))
                assert not cut.is_set()
                served.sendall(b"done")
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)
        assert (cut.is_set(), bytes(received)) == (True, request)


def test_requests_are_found_however_their_bytes_are_cut() -> None:
    dice = Random(7)
    for _ in range(200):
        kinds = [dice.choice([0, 1, 24, 26, 65535]) for _ in range(5)]
        stream = b"".join(_request(kind, dice.randint(0, 30)) for kind in kinds)
        requests, found = Requests(), []
        while stream:
            size = dice.randint(1, 20)
            found += [kind for _, kind in requests.starts(stream[:size])]
            stream = stream[size:]
        assert found == kinds
