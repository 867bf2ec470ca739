"""A measurement beside a load that has ended is no result."""

from typing import Any, cast

import pytest

from bench import load
from bench.load import Load
from bench.publish import Sending
from bench.stand import Stand
from bench.stream import Due
from exchange.errors import FatalError

_REPORTS = [Due(0.0, Sending(0, b"sensor", b"report"), 3)] * 4


class Client:
    """Takes all, or fails at the second."""

    home = None

    def __init__(self, *, fails: bool) -> None:
        self._fails, self.taken = fails, 0

    def produce(self, *_: object) -> None:
        self.taken += 1
        if self._fails and self.taken == 2:
            raise BufferError("the queue is full")

    def poll(self, _timeout: float) -> None: ...

    def flush(self, _timeout: float) -> int:
        return 0


def _ended(monkeypatch: pytest.MonkeyPatch, reports: list[Due], *, fails: bool = False) -> Load:
    client = Client(fails=fails)
    monkeypatch.setattr(load, "idempotent_producer", lambda _cluster: client)
    running = Load(cast(Stand, cast(Any, client)), reports)
    with running:
        running._thread.join()
    return running


def test_a_load_that_was_sent_before_the_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    running = _ended(monkeypatch, _REPORTS)
    assert running.sent == 12
    with pytest.raises(FatalError, match="all 4 reports of the load were sent"):
        running.check()


def test_a_load_that_failed_is_an_error_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FatalError, match="the load ended: the queue is full"):
        _ended(monkeypatch, _REPORTS, fails=True).check()


def test_no_load_has_nothing_to_check() -> None:
    with Load(cast(Stand, cast(Any, Client(fails=False))), []) as none:
        none.check()
