"""Live inputs that are followed: beside files, through failures, kill -9 and a stop."""

import signal
from pathlib import Path

from tests.polling import eventually
from tests.producers.following import Follower
from tests.producers.misp_server import serving
from tests.producers.producing import a_secret


def test_a_server_that_fails_delays_no_file_and_is_read_once_it_answers(tmp_path: Path) -> None:
    log = tmp_path / "values.txt"
    log.write_text("first.example.com\n")
    folder = tmp_path / "spool"
    folder.mkdir()
    with serving() as server:
        a_secret(folder / "secret", server.key)
        server.answer = lambda _: (503, {}, b"")
        follower = Follower(folder, log, server.address)
        with follower:
            eventually(lambda: len(server.requests) > 1, 30, "the server is asked again")
            with log.open("a") as file:
                file.write("second.example.com\n")
            follower.waits_for(2)
            server.event(1, "a.example.com")
            server.answer = lambda _: None
            follower.waits_for(3)
            follower.end(signal.SIGKILL)
            server.event(2, "b.example.com")
            follower.start()
            follower.waits_for(4)
            follower.end()
    assert sorted(follower.values()) == ["a.example.com", "b.example.com", "first.example.com", "second.example.com"]
    assert any("answers 503" in line for line in follower.gaps)
