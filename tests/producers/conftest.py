"""A sensor's spool for tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.spool.spool import Spool
from tests.builders import NOW_MS
from tests.producers.producing import SENSOR


@pytest.fixture
def sensor_spool(tmp_path: Path) -> Iterator[Spool]:
    """The spool of an otherwise idle sensor."""
    with Spool(tmp_path / "spool", SENSOR.nation, SENSOR.name, NOW_MS) as opened:
        yield opened
