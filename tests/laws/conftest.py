"""What the law suites run over: each implementation of a protocol, by name."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Brokers
from tests.laws.feeds import FEEDS, FeedSubject
from tests.laws.logs import LOGS, LogSubject
from tests.laws.states import STATES, StateSubject


@pytest.fixture(params=LOGS)
def logs(request: pytest.FixtureRequest, unique: str) -> Iterator[LogSubject]:
    """Each kind of log, for one shard of a step of the test's own. Only some need a broker."""
    make = LOGS[request.param]
    with ExitStack() as closing:
        yield make(lambda: _brokers(request), unique, closing)


@pytest.fixture(params=FEEDS)
def feeds(request: pytest.FixtureRequest, unique: str) -> Iterator[FeedSubject]:
    """Each kind of feed, over topics of the test's own."""
    make = FEEDS[request.param]
    with ExitStack() as closing:
        yield make(lambda: _brokers(request), unique, closing)


@pytest.fixture(params=STATES)
def states(request: pytest.FixtureRequest, tmp_path: Path) -> StateSubject:
    """Each kind of state, in a place of the test's own."""
    return STATES[request.param](tmp_path)


def _brokers(request: pytest.FixtureRequest) -> Brokers:
    found = request.getfixturevalue("brokers")
    assert isinstance(found, Brokers)
    return found
