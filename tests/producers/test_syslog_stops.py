"""A listener for syslog that is stopped or killed: what senders wrote until they saw its end is kept, and once."""

import contextlib
import shutil
import signal
import socket
import time
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from unittest.mock import patch

import msgspec
import pytest

from producers.live import syslog
from producers.live.documents import Document, Documents, Gap, LiveInput, Position
from producers.live.syslog_frames import Carried, carried
from producers.stop import Stop
from schemas.markings import Tlp, understand
from tests.link.certificates import Authority
from tests.polling import eventually
from tests.producers.following import Follower
from tests.producers.syslogging import (
    Receiving,
    a_message,
    connected,
    connected_now,
    framed,
    free_port,
    listening,
    sees_the_end,
    set_aside,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "syslog")


def test_a_listener_that_is_stopped_or_killed_keeps_what_it_has_made_durable(
    authority: Authority, tmp_path: Path
) -> None:
    folder, port = tmp_path / "spool", free_port()
    issued, client = authority.issue("listener"), authority.issue("sensor")
    folder.mkdir()
    (folder / "secret").write_bytes(issued.both.read_bytes())
    (folder / "authorities").write_bytes(authority.file.read_bytes())
    follower = Follower(folder, f"syslog+tls://127.0.0.1:{port}")
    sent = 0
    for number in (signal.SIGTERM, signal.SIGKILL):
        with follower:
            with connected(port, authority, client) as secured:
                secured.sendall(framed(*(a_message(f"s{each}.example.com") for each in range(sent, sent + 200))))
                sent += 200
                follower.waits_for(sent)
            follower.end(number)
    assert sorted(follower.values()) == sorted(f"s{each}.example.com" for each in range(sent))


def test_what_was_read_and_not_made_a_document_is_set_aside(authority: Authority, tmp_path: Path) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)

    def send() -> None:
        with connected(port, authority, client) as secured:
            secured.sendall(framed(a_message("a"), a_message("b", '[x@1 tlp="RED"]')))
            secured.recv(1)  # until the listener ends

    sender = Thread(target=send, daemon=True)
    sender.start()
    found = syslog.received(place)
    first = next(found)
    found.close()
    sender.join()
    again = syslog.received(place)
    lines = []
    for _ in range(2):
        each = next(again)
        assert isinstance(each, Document)
        lines.append((each.path.read_text(), understand(each.around.marking).tlp))
    again.close()
    assert isinstance(first, Document)
    assert lines == [("a\n", Tlp.UNMARKED), ("b\n", Tlp.RED)]


def test_a_message_that_a_stop_cuts_is_read_to_its_end(authority: Authority, tmp_path: Path) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)
    receiving, message = Receiving(place), framed(a_message("cut"))
    with connected(port, authority, client) as secured:
        secured.sendall(framed(a_message("whole")) + message[:20])
        eventually(lambda: len(receiving.lines) == 1, 20, "the first message is received")
        place.stop.request()
        eventually(lambda: sees_the_end(secured), 20, "the listener has ended its side")
        secured.sendall(message[20:])
        receiving.close()
    assert set_aside(place, 2) == ["whole", "cut"]


def test_a_sender_that_connects_again_at_the_end_of_its_connection_does_not_reach_the_listener_that_stops(
    authority: Authority, tmp_path: Path
) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)
    closing, accept, accepted = Event(), socket.socket.accept, list[object]()

    def late(server: socket.socket) -> tuple[socket.socket, object]:
        """The thread that accepts gets no processor time just when the listener is stopped."""
        closing.wait(1 if place.stop.requested else 0)
        found = accept(server)
        accepted.append(found)
        return found

    with patch.object(socket.socket, "accept", late):
        receiving = Receiving(place)
        with connected(port, authority, client) as secured:
            secured.sendall(framed(a_message("first")))
            eventually(lambda: len(receiving.lines) == 1, 20, "the line is received")
            before = len(accepted)
            place.stop.request()
            eventually(lambda: sees_the_end(secured), 20, "the listener has ended its side")
            with contextlib.suppress(OSError), connected_now(port, authority, client) as second:
                second.sendall(framed(a_message("second")))
                closing.set()
        receiving.close()
    assert len(accepted) == before


def test_a_sender_that_was_quiet_and_writes_before_the_end_of_its_connection_has_reached_it_loses_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)
    with patch.object(syslog, "_QUIET_S", 0.6):
        receiving = Receiving(place)
        with connected(port, authority, client) as secured:
            secured.sendall(framed(a_message("first")))
            eventually(lambda: len(receiving.lines) == 1, 20, "the line is received")
            time.sleep(0.7)  # longer quiet than the listener waits in the end
            place.stop.request()
            eventually(lambda: sees_the_end(secured), 20, "the listener has ended its side")
            time.sleep(0.3)  # the path
            secured.sendall(framed(a_message("second")))
            receiving.close()
    assert set_aside(place, 2) == ["first", "second"]


def test_an_idle_connection_is_ended_like_a_stopped_one_and_what_a_stop_breaks_is_a_gap_of_the_next_run(
    authority: Authority, tmp_path: Path
) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)
    with patch.object(syslog, "_IDLE_S", 0.0):
        receiving = Receiving(place)
        with connected(port, authority, client) as secured:
            eventually(lambda: sees_the_end(secured), 20, "the listener has ended its side")
            secured.sendall(framed(a_message("late")))
            eventually(lambda: receiving.lines == [("late", Tlp.UNMARKED)], 20, "the line is received")
    with connected(port, authority, client) as secured:
        secured.sendall(framed(a_message("cut"))[:20])
        place.stop.request()
        receiving.close()
    again = Receiving(place._replace(stop=Stop()))
    eventually(lambda: any("within a message" in gap for gap in again.gaps), 20, "the gap is declared")
    again.close()


def test_what_was_set_aside_for_a_later_document_outlives_a_kill_after_the_first_one(
    authority: Authority, tmp_path: Path
) -> None:
    issued, port = authority.issue("listener"), free_port()
    place = LiveInput(f"syslog+tls://127.0.0.1:{port}", tmp_path / "in", issued.both, authority.file)
    red = carried(a_message("b", '[x@1 tlp="RED"]'))
    lines = [Carried(b"a"), red, Carried(b"c")]
    Documents(place.folder, place.address, Position()).set_aside(msgspec.json.encode(syslog.Aside(lines)))
    first = syslog.received(place)
    document = next(first)
    assert isinstance(document, Document)
    assert document.path.read_text() == "a\nc\n"
    shutil.copytree(place.folder, tmp_path / "killed")
    first.close()
    again = syslog.received(place._replace(folder=tmp_path / "killed"))
    found = [each.path.read_text() for each in islice(again, 2) if isinstance(each, Document)]
    again.close()
    assert found == ["a\nc\n", "b\n"]


def test_however_many_lines_wait_when_it_is_stopped_all_are_set_aside(authority: Authority, tmp_path: Path) -> None:
    client, port = authority.issue("sensor"), free_port()
    place = listening(authority, tmp_path, port)
    more = Event()

    def send() -> None:
        with connected(port, authority, client) as secured:
            secured.sendall(framed(a_message("first")))
            more.wait(20)
            secured.sendall(framed(*(a_message(f"s{number}") for number in range(20))))
            secured.recv(1)  # until the listener ends

    sender = Thread(target=send, daemon=True)
    sender.start()
    with patch.object(syslog, "_MOST_WAITING", 3), patch.object(syslog, "carried", wraps=carried) as read:
        found = syslog.received(place)
        next(found)
        more.set()
        eventually(lambda: read.call_count == 21, 20, "all is read, and waits")
        found.close()
    sender.join()
    again = syslog.received(place)
    next(again)
    rest = next(again)
    again.close()
    assert isinstance(rest, Document)
    assert rest.path.read_text().splitlines() == [f"s{number}" for number in range(20)]


def test_lines_that_an_earlier_version_has_set_aside_are_read(authority: Authority, tmp_path: Path) -> None:
    place = _place_with_aside(authority, tmp_path, msgspec.json.encode([carried(a_message("a"))]))
    found = syslog.received(place)
    first = next(found)
    found.close()
    assert isinstance(first, Document)
    assert first.path.read_text() == "a\n"


def test_gaps_behind_the_one_that_was_reported_at_a_stop_are_reported_by_the_next_run(
    authority: Authority, tmp_path: Path
) -> None:
    place = _place_with_aside(authority, tmp_path, msgspec.json.encode(syslog.Aside(gaps=["one", "two", "three"])))
    found = syslog.received(place)
    assert next(found) == Gap("one")
    assert next(found) == Gap("two")
    found.close()
    found = syslog.received(place)
    assert next(found) == Gap("two"), "it may have been the last that was seen"
    assert next(found) == Gap("three")
    found.close()


def _place_with_aside(authority: Authority, folder: Path, content: bytes) -> LiveInput:
    """A listener's input for which this was set aside."""
    place = listening(authority, folder, free_port())
    documents = Documents(place.folder, place.address, Position())
    assert list(documents.unread()) == []
    documents.set_aside(content)
    return place
