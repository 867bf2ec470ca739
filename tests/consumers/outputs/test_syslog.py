"""CEF over TLS: what a receiver reads, by a parser written from the documentation, and receivers that misbehave."""

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.outputs.cef import fits, message_of
from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, LeftOut, OutputUnavailable, Put, Remove
from consumers.outputs.push import Pushing
from consumers.outputs.targets import followings
from consumers.picture.filters import Filter
from consumers.subscription.changes import State
from exchange.errors import ConfigurationError
from schemas.markings import Pap
from tests.builders import NOW_MS, an_entry
from tests.consumers.outputs.syslog_receiver import SyslogServer, syslog_server
from tests.consumers.outputs.test_output_laws import removal, whole
from tests.consumers.outputs.writing import HOSTILE
from tests.consumers.picture.topics import NATION, World
from tests.link.certificates import Authority

HELD = Held("p", "all", 1)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[SyslogServer]:
    with syslog_server(tmp_path) as server:
        yield server


@pytest.fixture
def writer(receiver: SyslogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pushing]:
    monkeypatch.setattr("consumers.outputs.syslog._TIMEOUT_S", 0.5)
    monkeypatch.setattr("consumers.outputs.push._WAITS_S", (0.0, 0.0))
    found = opened(f"syslog:localhost:{receiver.port}?ca={receiver.ca}", "JPN", tmp_path)[2]
    assert isinstance(found, Pushing)
    yield found
    found.close()


def parsed(message: bytes) -> tuple[list[str], dict[str, str]]:
    """The fields of the header, and the extension, by the implementation standard of CEF: in the header a backslash
    escapes the pipe, in the extension the equals sign; a key is a word before an equals sign."""
    text = message.decode()
    assert "\n" not in text
    found = re.fullmatch(r"<14>1 \S+ \S+ kakehashi - (?:put|remove) - CEF:(.*)", text, re.DOTALL)
    assert found is not None
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", found[1], maxsplit=7)
    names = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", parts[7]))
    ends = [each.start() for each in names[1:]] + [len(parts[7])]
    values = {each[1]: plain(parts[7][each.end() : end]) for each, end in zip(names, ends, strict=True)}
    return [plain(each) for each in parts[:7]], values


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


@given(HOSTILE, st.lists(HOSTILE, max_size=3))
def test_every_value_is_read_back_as_it_is_or_left_out(value: str, labels: list[str]) -> None:
    entry = an_entry(value, "file-name", labels=tuple(labels))
    if fits(entry) is not None:
        assert not value.isprintable()
        return
    head, fields = parsed(message_of(Put(entry), "host", NOW_MS))
    assert head[:3] == ["0", "Kakehashi", "kakehashi"]
    assert (fields["cs2"], fields["cs3"], fields["externalId"]) == (value, "file-name", entry.id)
    assert (fields["cs1"], fields["cs4"], fields["act"]) == ("GBR", "TLP:GREEN", "put")


def test_a_message_that_is_too_long_is_left_out_and_labels_are_cut() -> None:
    assert fits(an_entry("a" * 9_000, "file-name")) is LeftOut.LIMIT
    entry = an_entry("a" * 4_000, "file-name", labels=tuple(f"label-{number}" for number in range(5_000)))
    assert fits(entry) is None
    message = message_of(Put(entry), "host", NOW_MS)
    assert len(message) <= 8_192
    assert parsed(message)[1]["cs6"].startswith("label-0,label-1,")


def test_a_removal_names_the_indicator_by_its_id_and_origin_alone() -> None:
    gone = Remove("indicator--x", "GBR", "domain-name", "a-recalled-value.example", State.RECALLED, 7)
    message = message_of(gone, "host", NOW_MS)
    assert b"value" not in message
    assert parsed(message)[1] == {
        "act": "remove",
        "cat": "indicator",
        "externalId": "indicator--x",
        "cs1": "GBR",
        "cs1Label": "origin",
        "reason": "recalled",
    }


@pytest.mark.parametrize("trouble", ["reset", "silent", "deaf"])
def test_a_receiver_that_does_not_close_in_order_has_confirmed_nothing(
    writer: Pushing, receiver: SyslogServer, trouble: str
) -> None:
    writer.write([an_entry("a.example")], HELD)
    receiver.behaviour = trouble
    with pytest.raises(OutputUnavailable, match="has not taken the messages"):
        writer.apply([removal(an_entry("a.example"))], Held("p", "all", 2), whole([]))
    assert writer.held() == HELD
    receiver.behaviour = "ok"
    writer.apply([removal(an_entry("a.example"))], Held("p", "all", 2), whole([]))
    assert [parsed(each)[1]["act"] for each in receiver.messages] == ["put", "remove"]


def test_recalls_come_first_after_an_outage_and_are_counted_until_then(
    receiver: SyslogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.outputs.push._WAITS_S", ())
    world, text = World(tmp_path), f"syslog:localhost:{receiver.port}?ca={receiver.ca}"
    world.gbr.release("bad.example")
    world.catch_up()
    [following] = followings(text, NATION, tmp_path, Filter(), Pap.UNSTATED, world.path, world.clock_ms)
    with world.picture() as picture:
        following.turn(picture)
        world.gbr.release("new.example")
        world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
        world.catch_up()
        receiver.behaviour = "reset"
        with pytest.raises(OutputUnavailable):
            following.turn(picture)
        assert [each.unapplied_recalls for each in picture.followers()] == [1]
        receiver.behaviour, before = "ok", len(receiver.messages)
        following.turn(picture)
        assert [each.unapplied_recalls for each in picture.followers()] == [0]
    assert [parsed(each)[1]["act"] for each in receiver.messages[before:]] == ["remove", "put"]
    following.close()


def test_a_receiver_with_another_certificate_gets_nothing(receiver: SyslogServer, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    writer = opened(f"syslog:localhost:{receiver.port}?ca={other.file}", "JPN", tmp_path)[2]
    with pytest.raises(OutputUnavailable, match="certificate"):
        writer.write([an_entry()], HELD)
    assert receiver.messages == []
    writer.close()


@pytest.mark.parametrize("place", ["localhost:99999", "https://a.example", "a.example:x", "a b"])
def test_a_place_that_is_no_host_is_refused(place: str) -> None:
    with pytest.raises(ConfigurationError, match="write HOST or HOST:PORT"):
        opened(f"syslog:{place}", "JPN")


def test_a_receiver_that_closes_without_close_notify_is_taken_if_the_user_reports_it(
    receiver: SyslogServer, tmp_path: Path
) -> None:
    receiver.behaviour = "curt"
    for option, is_taken in (("", False), ("&close=tcp", True)):
        target = f"syslog:localhost:{receiver.port}?ca={receiver.ca}{option}"
        writer = opened(target, "JPN", tmp_path / f"{is_taken}")[2]
        if is_taken:
            writer.write([an_entry()], HELD)
        else:
            with pytest.raises(OutputUnavailable, match="EOF"):
                writer.write([an_entry()], HELD)
        writer.close()


@pytest.mark.parametrize("driver", ["ossl", "gtls"])
def test_rsyslog_takes_the_messages_over_tls_by_either_of_its_drivers(tmp_path: Path, driver: str) -> None:
    """Skipped without rsyslogd and this driver: ``apt-get install rsyslog-openssl rsyslog-gnutls``."""
    with rsyslog(tmp_path, driver) as (port, ca, file):
        close = "tls" if driver == "ossl" else "tcp"
        writer = opened(f"syslog:localhost:{port}?ca={ca}&close={close}", "JPN", tmp_path / "home")[2]
        content = sorted((an_entry(f"h{number}.example") for number in range(2_000)), key=lambda entry: entry.id)
        writer.write(content, HELD)
        writer.apply([removal(content[0])], Held("p", "all", 2), whole([]))
        writer.close()
        messages = lines_of(file, 2_001)
    assert sorted(parsed(each)[1]["cs2"] for each in messages[:-1]) == sorted(each.value for each in content)
    assert parsed(messages[-1])[1]["externalId"] == content[0].id


@contextmanager
def rsyslog(folder: Path, driver: str) -> Iterator[tuple[int, Path, Path]]:
    """A real rsyslogd with TLS: its port, the authority of its certificate, and the file that it writes."""
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    if program is None or not list(Path("/usr/lib").glob(f"*/rsyslog/lmnsd_{driver}.so")):
        pytest.skip(f"rsyslogd with its driver {driver} is not installed")
    authority = Authority(folder, "rsyslog")
    issued = authority.issue("receiver")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config, file = folder / "rsyslog.conf", folder / "received"
    config.write_text(
        f'''global(workDirectory="{folder}" DefaultNetstreamDriver="{driver}" maxMessageSize="16k"
          DefaultNetstreamDriverCAFile="{authority.file}" DefaultNetstreamDriverCertFile="{issued.certificate}"
          DefaultNetstreamDriverKeyFile="{issued.key}")
        module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.Authmode="anon")
        template(name="raw" type="string" string="%rawmsg%\\n")
        input(type="imtcp" port="{port}" address="127.0.0.1")
        *.* action(type="omfile" file="{file}" template="raw")
        '''
    )
    process = subprocess.Popen([program, "-n", "-f", str(config), "-i", str(folder / "pid")])
    try:
        until(lambda: is_open(port))
        yield port, authority.file, file
    finally:
        process.terminate()
        process.wait()


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def lines_of(file: Path, count: int) -> list[bytes]:
    """The lines of a file once it has so many."""
    until(lambda: file.exists() and file.read_bytes().count(b"\n") >= count)
    return file.read_bytes().splitlines()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for a condition, 30 s at most."""
    end_s = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < end_s
        time.sleep(0.02)
