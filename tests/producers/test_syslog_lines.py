"""Syslog over TLS as an input: octet counting, bounds, client certificates, and nothing lost when it is stopped."""

import contextlib
import os
import signal
import socket
import ssl
from errno import EMFILE
from pathlib import Path
from threading import Event, Thread
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ConfigurationError
from producers.live import syslog
from producers.live.documents import Document, Gap, LiveInput
from producers.live.syslog_frames import MOST_BYTES, Carried, Unframed, carried, frames
from producers.stop import Stop
from schemas.markings import Tlp, understand
from tests.link.certificates import Authority, Issued
from tests.polling import eventually
from tests.producers.following import Follower


def framed(*messages: bytes) -> bytes:
    return b"".join(str(len(message)).encode() + b" " + message for message in messages)


def a_message(line: str, data: str = "-") -> bytes:
    return f"<134>1 2026-11-20T00:00:00Z ids.example suricata 7 - {data} {line}".encode()


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 50), max_size=40))
def test_messages_are_found_however_the_stream_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    left, buffer, found = framed(*[each for each in messages if each]), bytearray(), list[bytes]()
    for size in [*cuts, len(left)]:
        buffer += left[:size]
        left = left[size:]
        found += frames(buffer)
    assert found == [each for each in messages if each]
    assert not buffer


@pytest.mark.parametrize(
    "content", [b"<134>1 - - - - - - line\n", b"0 ", b"99999999 x", f"{MOST_BYTES + 1} ".encode(), b"\x16\x03\x01"]
)
def test_a_stream_without_lengths_or_with_too_large_ones_is_refused(content: bytes) -> None:
    with pytest.raises(Unframed):
        frames(bytearray(content))


@given(st.binary(max_size=400))
def test_any_message_carries_a_line(message: bytes) -> None:
    assert isinstance(carried(message), Carried)
    assert carried(b"<134>1 - - - - - - " + message).line == message.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("message", "line", "tlp"),
    [
        (a_message('{"a": 1}'), b'{"a": 1}', Tlp.UNMARKED),
        (a_message("x", '[kakehashi@32473 tlp="RED"]'), b"x", Tlp.RED),
        (a_message("x", '[a@1 b="\\"] c"][d@1 tlp="AMBER"]'), b"x", Tlp.AMBER),
        (b"<13>Nov 20 00:00:00 ids suricata[7]: {}", b"{}", Tlp.UNMARKED),
        (b"no header", b"no header", Tlp.UNMARKED),
    ],
)
def test_the_line_is_behind_the_header_and_structured_data_may_state_a_marking(
    message: bytes, line: bytes, tlp: Tlp
) -> None:
    found = carried(message)
    assert found.line == line
    assert understand(found.around.marking).tlp is tlp


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "syslog")


def connected(port: int, authority: Authority, client: Issued | None) -> ssl.SSLSocket:
    """A connection, as soon as someone listens."""
    context = ssl.create_default_context(cafile=authority.file)
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    eventually(lambda: is_open(port), 20, "it listens")
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")


def is_open(port: int) -> bool:
    """Whether someone listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


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


def test_lines_of_clients_with_a_certificate_are_received_and_of_no_others(
    authority: Authority, tmp_path: Path
) -> None:
    issued, client, port = authority.issue("listener"), authority.issue("sensor"), free_port()
    address = f"syslog+tls://127.0.0.1:{port}"
    receiving = Receiving(LiveInput(address, tmp_path / "in", issued.both, authority.file, stop=Stop()))
    with connected(port, authority, client) as secured:
        secured.sendall(framed(a_message("a"), a_message("b"), a_message("c", '[x@1 tlp="RED"]')))
        eventually(lambda: len(receiving.lines) == 3, 10, "the lines are received")
    with contextlib.suppress(OSError), connected(port, authority, None) as stranger:
        stranger.sendall(framed(a_message("stranger")))
        stranger.recv(1)
    with contextlib.suppress(OSError), connected(port, authority, client) as secured:
        secured.sendall(b"<13>without a length\n")
        secured.recv(1)
    with connected(port, authority, client) as secured:
        secured.sendall(framed(a_message("d")))
        eventually(lambda: len(receiving.lines) == 4, 10, "the line is received")
    eventually(lambda: any("count octets" in gap for gap in receiving.gaps), 10, "the stream is declared")
    eventually(lambda: any("CERTIFICATE" in gap.upper() for gap in receiving.gaps), 10, "the stranger is declared")
    receiving.close()
    assert receiving.lines == [("a", Tlp.UNMARKED), ("b", Tlp.UNMARKED), ("c", Tlp.RED), ("d", Tlp.UNMARKED)]


def test_a_connection_that_cannot_be_accepted_is_declared_and_the_next_one_is_served(
    authority: Authority, tmp_path: Path
) -> None:
    issued, client, port = authority.issue("listener"), authority.issue("sensor"), free_port()
    accept, failures = socket.socket.accept, [OSError(EMFILE, "Too many open files")]

    def failing(server: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise failures.pop()
        return accept(server)

    with patch.object(socket.socket, "accept", failing):
        receiving = Receiving(
            LiveInput(f"syslog+tls://127.0.0.1:{port}", tmp_path / "in", issued.both, authority.file, stop=Stop())
        )
        with connected(port, authority, client) as secured:
            secured.sendall(framed(a_message("a")))
            eventually(lambda: receiving.lines == [("a", Tlp.UNMARKED)], 20, "the line is received")
        receiving.close()
    assert any("Too many open files" in gap for gap in receiving.gaps)


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
    issued, client, port = authority.issue("listener"), authority.issue("sensor"), free_port()
    place = LiveInput(f"syslog+tls://127.0.0.1:{port}", tmp_path / "in", issued.both, authority.file)

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
    issued, client, port = authority.issue("listener"), authority.issue("sensor"), free_port()
    place = LiveInput(f"syslog+tls://127.0.0.1:{port}", tmp_path / "in", issued.both, authority.file, stop=Stop())
    receiving, message = Receiving(place), framed(a_message("cut"))
    with connected(port, authority, client) as secured:
        secured.sendall(framed(a_message("whole")) + message[:20])
        eventually(lambda: len(receiving.lines) == 1, 20, "the first message is received")
        place.stop.request()
        with socket.socket(fileno=os.dup(secured.fileno())) as plain:
            plain.settimeout(20)
            assert plain.recv(1, socket.MSG_PEEK) == b"", "the listener has ended its side, as rsyslog looks for it"
        secured.sendall(message[20:])
        receiving.close()
    again = Receiving(place._replace(stop=Stop()))
    eventually(lambda: len(again.lines) == 2, 20, "what was set aside is read")
    again.close()
    assert [line for line, _ in again.lines] == ["whole", "cut"]


def test_however_many_lines_wait_when_it_is_stopped_all_are_set_aside(authority: Authority, tmp_path: Path) -> None:
    issued, client, port = authority.issue("listener"), authority.issue("sensor"), free_port()
    place = LiveInput(f"syslog+tls://127.0.0.1:{port}", tmp_path / "in", issued.both, authority.file)
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


@pytest.mark.parametrize(("credentials", "authorities"), [(False, True), (True, False)])
def test_a_listener_needs_its_certificate_and_whose_clients_may_send(
    authority: Authority, tmp_path: Path, credentials: bool, authorities: bool
) -> None:
    issued = authority.issue("listener")
    place = LiveInput(
        f"syslog+tls://127.0.0.1:{free_port()}",
        tmp_path / "in",
        issued.both if credentials else None,
        authority.file if authorities else None,
    )
    with pytest.raises(ConfigurationError, match="--authorities"):
        next(syslog.received(place))
