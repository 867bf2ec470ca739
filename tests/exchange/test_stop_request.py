"""A role is asked to stop by a signal, and its log has which one."""

import os
import signal
from collections.abc import Iterator

import pytest

from exchange.role import StopRequest

_ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """No signal is ignored, as ``nohup`` would have it; the handlers of this process are as before afterwards."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", _ALL, ids=lambda number: number.name)
def test_a_signal_asks_for_the_end_and_is_logged(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    stopping = StopRequest()
    assert not stopping.is_set()
    os.kill(os.getpid(), number)
    assert stopping.wait(5)
    stopping.report()
    assert f"role.stopping signal={number.name}" in caplog.text


def test_a_role_that_was_started_with_nohup_outlives_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stopping = StopRequest()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stopping.wait(0.1)
