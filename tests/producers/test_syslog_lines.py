"""Syslog over TLS as an input: octet counting, bounds and client certificates."""

import contextlib
import socket
from errno import EMFILE
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ConfigurationError
from producers.live import syslog
from producers.live.documents import LiveInput
from producers.live.syslog_frames import MOST_BYTES, Carried, Unframed, carried, frames
from producers.stop import Stop
from schemas.markings import Tlp, understand
from tests.link.certificates import Authority
from tests.polling import eventually
from tests.producers.syslogging import Receiving, a_message, connected, framed, free_port


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
