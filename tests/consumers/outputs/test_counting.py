"""What a target holds is counted a little at a time, and again only after a change."""

from pathlib import Path

import pytest

from consumers.outputs import counting
from consumers.outputs.carried import Carried
from consumers.outputs.counting import Counting, counted
from consumers.outputs.protocol import LeftOut, Report
from consumers.picture.filters import Filter
from consumers.subscription.changes import Use
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from tests.consumers.picture.topics import World


def test_a_pass_in_portions_finds_what_one_at_once_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_AT_ONCE", 7)
    monkeypatch.setattr(counting, "_AT_ONCE_S", 0.0001)
    monkeypatch.setattr(counting, "_REST", 0)
    world = World(tmp_path)
    for number in range(300):
        pap = "PAP:RED" if number % 3 == 0 else "PAP:GREEN"
        world.gbr.release(f"n{number}.example", content={"pap": pap})
    world.gbr.release("192.0.2.1", "ipv4-addr")
    world.catch_up()
    carried = Carried({IndicatorType.DOMAIN_NAME}, Filter(), Use(Activity.ACTIVE), merges=True)
    with world.picture() as picture:
        some = Counting(carried, picture)
        reports = [some.some() for _ in range(400)]
        found = [report for report in reports if report is not None]
        assert found == [Report(200, left_out={LeftOut.TYPE: 1, LeftOut.PAP: 100})] == [counted(carried, picture)]
        assert reports[0] is None
        known = Counting(carried, picture)
        assert [known.some(picture.head_us()) for _ in range(400)] == [None] * 400, "a whole write has counted it"
        world.gbr.release("new.example", content={"pap": "PAP:GREEN"})
        world.catch_up()
        later = [report for _ in range(400) if (report := some.some()) is not None]
        assert [report.written for report in later] == [201]
