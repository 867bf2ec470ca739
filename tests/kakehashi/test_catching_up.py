"""While a picture is read, a terminal shows how far it is; a pipe shows nothing."""

import io
from pathlib import Path

import pytest

from kakehashi.picture_of import CatchingUp
from tests.consumers.picture.topics import CODEC, World


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_the_share_of_a_topic_that_is_read_grows_to_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.picture.feed.BATCH", 10)
    monkeypatch.setattr("consumers.picture.feed._FIRST_BATCH", 10)
    world, shares = World(tmp_path), list[float]()
    for number in range(35):
        world.gbr.release(f"h{number}.example")
    with world.keeper() as keeper:
        keeper.catch_up(world.origins(), CODEC, lambda _origin, _records, share: shares.append(share))
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert (shares[0] < 0.5, shares[-1]) == (True, 1.0)


def test_a_terminal_shows_it_after_half_a_second_and_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, now_s = Terminal(), [0.0]
    monkeypatch.setattr("sys.stderr", shown)
    view = CatchingUp(lambda: now_s[0])
    view("GBR", 5_000, 0.25)
    assert shown.getvalue() == ""
    now_s[0] = 0.5
    view("GBR", 5_000, 0.5)
    assert shown.getvalue().endswith("reading GBR: 50%, 10,000 records in all")
    view.end()
    assert shown.getvalue().endswith("\r\x1b[K")


def test_a_pipe_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, now_s = io.StringIO(), [0.0]
    monkeypatch.setattr("sys.stderr", shown)
    view = CatchingUp(lambda: now_s[0])
    now_s[0] = 9.0
    view("GBR", 5_000, 0.5)
    view.end()
    assert shown.getvalue() == ""
