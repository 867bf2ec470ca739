"""A clock that jumps by a year, either way, while a sensor produces: one epoch, no number left out, nothing twice."""

from pathlib import Path

import pytest

from producers.produce import Options, produce
from producers.spool.spool import Spool
from tests.builders import DAY_MS, NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, reports_in, values_in

YEAR_MS = 365 * DAY_MS


@pytest.mark.parametrize("jump_ms", [YEAR_MS, -YEAR_MS])
def test_a_clock_that_jumps_while_files_are_read_loses_nothing(tmp_path: Path, jump_ms: int) -> None:
    names = [f"c{number}.example.com" for number in range(40)]
    for part in range(4):
        (tmp_path / f"{part}.txt").write_text("".join(f"{name}\n" for name in names[part * 10 : part * 10 + 10]))
    asked = 0

    def now_ms() -> int:
        nonlocal asked
        asked += 1
        return NOW_MS + (jump_ms if asked % 7 > 3 else 0)

    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        for _ in range(2):  # the second time all of it is known
            files = tuple(str(tmp_path / f"{part}.txt") for part in range(4))
            options = Options(SENSOR, files, report_size=3)
            produce(options, spool, publisher, Unwatched(), codec=CODEC, now_ms=now_ms)
        reports = reports_in(spool)
        assert values_in(spool) == names
    assert asked > 14
    assert [report["sequence"] for report in reports] == list(range(len(reports)))
    assert {report["epoch"] for report in reports} == {NOW_MS}
