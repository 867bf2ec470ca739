"""What tests of several files here begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.protocol.state import RocksState
from tests.exchange.state_writer import CHANGELOG


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RocksState]:
    """A state of its own, empty."""
    opened = RocksState(tmp_path / "state", CHANGELOG, 1)
    yield opened
    opened.close()
