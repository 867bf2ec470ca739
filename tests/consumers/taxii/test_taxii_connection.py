"""What a client may do to its connection: long heads, slow ones, garbage, reading nothing, asking too often."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consumers.taxii import connection, sending
from consumers.taxii.limits import AT_ONCE, Limits
from consumers.taxii.refusal import Refusal
from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import ROOT, TAXII, Served, client, served
from tests.polling import eventually

HEAD = b"Host: 127.0.0.1\r\nAuthorization: Bearer soc\r\nAccept: application/taxii+json;version=2.1\r\n"


@contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as found:
        yield found


def answered(server: Served, request: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the error object, or the resource, of raw bytes on a connection of their own."""
    with connected(server) as found:
        found.sendall(request)
        found.shutdown(socket.SHUT_WR)
        answer = b""
        while portion := found.recv(65_536):
            answer += portion
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-type: {TAXII}".encode() in head.lower()
    if b"chunked" in head.lower():
        body = body.split(b"\r\n")[1]
    return int(head.split()[1]), json.loads(body)


def ended(found: socket.socket) -> bool:
    """Whether the server ends a connection without an answer."""
    try:
        return found.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"X: y\r\n" * 200_000 + b"\r\n", 431),
        (b"GET /taxii2/?limit=" + b"1" * 1_000_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 431),
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"X: a\x00b\r\n\r\n", 400),
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"X : y\r\n\r\n", 400),
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /taxii2/ HTTP/1.1\r\nAccept: x\r\n\r\n", 400),
        (b"GET /ta xii2/ HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_or_has_too_long_a_head_is_refused_with_an_error_object(
    server: Served, request_: bytes, status: int
) -> None:
    found, body = answered(server, request_)
    assert (found, body["http_status"]) == (status, str(status))
    assert server.ask("/taxii2/").status == 200


def test_several_requests_on_one_connection_are_answered_in_order(server: Served) -> None:
    request = b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"\r\n" + b"GET /jpn/ HTTP/1.1\r\n" + HEAD
    with connected(server) as found:
        found.sendall(request + b"Connection: close\r\n\r\n")
        answer = b""
        while portion := found.recv(65_536):
            answer += portion
    assert answer.index(b"Kakehashi of JPN") < answer.index(b"Indicators of JPN")


def test_two_credentials_in_one_request_are_none(server: Served) -> None:
    request = b"GET /taxii2/ HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer soc\r\nConnection: close\r\n\r\n"
    assert answered(server, request)[0] == 401


def test_a_head_that_does_not_end_is_cut_off_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HEAD_S", 0.3)
    with served(world) as server, connected(server) as found, connected(server) as idle:
        found.sendall(b"GET /taxii2/ HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        stopping = threading.Event()

        def trickle() -> None:
            while not stopping.wait(0.05):
                try:
                    found.send(b"a")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        assert ended(found)
        assert ended(idle)
        assert time.monotonic() - began < 10
        stopping.set()
        thread.join()


def test_a_client_that_does_not_read_is_cut_off_and_holds_no_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4_000):
        world.gbr.release(f"n{number}.example", content={"labels": [f"label-{place}" for place in range(40)]})
    world.catch_up()
    monkeypatch.setattr(sending, "SEND_S", 0.5)
    with served(world) as server, connected(server) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        found.sendall(b"GET /jpn/collections/gbr-amber/objects/?limit=4000 HTTP/1.1\r\n" + HEAD + b"\r\n")
        eventually(lambda: bool(server.counted), 60.0, "the answer was given up")
        name, _, objects, seconds = server.counted[0]
        assert (name, objects) == ("soc", 4_000)
        assert seconds < 30
        assert len(server.ask(f"{ROOT}collections/gbr-amber/objects/", limit=10).objects) == 10


def test_a_client_that_asks_too_often_waits_and_others_do_not(world: World) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    now_s = [0.0]
    entries = client("soc", requests_a_minute=3), client("other")
    with served(world, *entries, clock_s=lambda: now_s[0]) as server:
        assert [server.ask("/taxii2/").status for _ in range(4)] == [200, 200, 200, 429]
        limited = server.ask("/taxii2/")
        assert (limited.headers["retry-after"], limited.json["http_status"]) == ("20", "429")
        assert server.ask("/taxii2/", "other").status == 200
        now_s[0] += 20
        assert [server.ask("/taxii2/").status for _ in range(2)] == [200, 429]


def test_who_guesses_tokens_is_slowed_and_holds_no_one_else_up(world: World) -> None:
    now_s = [0.0]
    with served(world, clock_s=lambda: now_s[0]) as server:
        statuses = [server.ask("/taxii2/", f"guess-{number}").status for number in range(65)]
        assert statuses == [401] * 60 + [429] * 5
        assert server.ask("/taxii2/").status == 200


def test_a_client_has_so_many_requests_at_once_and_no_more() -> None:
    limits = Limits(lambda: 0.0)
    running = [limits.one("soc", 100) for _ in range(AT_ONCE)]
    for each in running:
        each.__enter__()
    with pytest.raises(Refusal) as refused, limits.one("soc", 100):
        pass
    assert refused.value.status == 429
    with limits.one("other", 100):
        pass
    running[0].__exit__(None, None, None)
    with limits.one("soc", 100):
        pass


def test_limits_hold_bounded_memory_however_many_ask() -> None:
    limits = Limits(lambda: 0.0, kept=100)
    for number in range(10_000):
        limits.spend(f"address {number}", 60)
    assert len(limits._accounts) == 100
