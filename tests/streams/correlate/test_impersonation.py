"""Whoever may write reports can use any sensor's name: it never loosens what that sensor has marked (docs/adr/0043)."""

import pytest

from exchange.authority.roster import Roster
from schemas.markings import Marking, Tlp
from streams.correlate.assertion import Assertion
from streams.correlate.row import Floor
from streams.correlate.statement import Statement
from tests.builders import DAY_MS, NOW_MS
from tests.officers import SIGNING
from tests.streams.officers_bench import HOUR_MS, OfficersBench

VAULT = SIGNING[0]
FIRST, NEWER = NOW_MS - DAY_MS, NOW_MS - HOUR_MS


def kinds(bench: OfficersBench) -> list[str]:
    """What kinds of records the partner was sent."""
    return [record["kind"] for record in bench.released]


def reasons(bench: OfficersBench) -> list[str]:
    """Why something was refused in intake."""
    return [entry["reason"] for entry in bench.refused_reports]


@pytest.mark.parametrize("tlp", ["TLP:RED", "TLP:AMBER+STRICT"])
def test_a_newer_epoch_of_a_sensor_without_a_key_does_not_loosen_its_marking(tlp: str) -> None:
    bench = OfficersBench()
    bench.observes(tlp, "plain-1", epoch=FIRST, caveats=("UK EYES ONLY",))
    bench.observes("TLP:CLEAR", "plain-1", epoch=NEWER)
    assert kinds(bench) == []
    bench.observes("TLP:CLEAR", "plain-1", epoch=NEWER)
    bench.waits(DAY_MS)
    assert kinds(bench) == []


def test_a_newer_epoch_of_a_sensor_without_a_key_may_tighten() -> None:
    bench = OfficersBench()
    bench.observes("TLP:GREEN", "plain-1", epoch=FIRST)
    bench.observes("TLP:RED", "plain-1", epoch=NEWER)
    assert kinds(bench) == ["content", "recalled"]


def test_in_one_epoch_a_sensor_without_a_key_may_loosen_its_marking() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED", "plain-1", epoch=FIRST)
    bench.observes("TLP:GREEN", "plain-1", epoch=FIRST)
    assert kinds(bench) == ["content"]


def test_a_sensor_with_a_key_may_loosen_its_marking_in_a_newer_epoch() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED", VAULT, epoch=FIRST, by=VAULT)
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER, by=VAULT)
    assert kinds(bench) == ["content"]


def test_no_one_else_reports_under_the_name_of_a_sensor_with_a_key() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED", VAULT, epoch=FIRST, by=VAULT)
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER)
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER, by="mallory")
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER, by=SIGNING[1])
    assert kinds(bench) == []
    assert reasons(bench) == ["unsigned", "unknown-key", "unknown-key"]


def test_what_was_signed_stays_as_strict_if_its_key_leaves_the_roster() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED", VAULT, epoch=FIRST, by=VAULT)
    bench.roster = Roster("GBR")
    bench.observes("TLP:GREEN", VAULT, epoch=FIRST)
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER)
    assert kinds(bench) == []
    assert reasons(bench) == []


def test_a_sensor_that_gets_a_key_takes_its_name_back_with_a_new_epoch() -> None:
    bench = OfficersBench()
    bench.roster = Roster("GBR")
    bench.observes("TLP:GREEN", VAULT, epoch=FIRST)
    bench.observes("TLP:RED", VAULT, epoch=FIRST + 1)  # someone else
    assert kinds(bench) == ["content", "recalled"]
    bench = bench_with_the_roster(bench)
    bench.observes("TLP:GREEN", VAULT, epoch=FIRST, by=VAULT)
    assert kinds(bench) == ["content", "recalled"]
    bench.observes("TLP:GREEN", VAULT, epoch=NEWER, by=VAULT)
    assert kinds(bench)[-1] == "content"


def bench_with_the_roster(bench: OfficersBench) -> OfficersBench:
    """The same nation once the sensor's key is on its roster."""
    bench.roster = OfficersBench().roster
    return bench


@pytest.mark.parametrize(
    ("epoch", "authenticated", "escapes"), [(FIRST, False, True), (NEWER, False, False), (NEWER, True, True)]
)
def test_only_its_own_newer_statement_escapes_what_a_rebuilt_row_demands_of_a_source(
    epoch: int, authenticated: bool, escapes: bool
) -> None:
    red, green = Marking(Tlp.RED), Marking(Tlp.GREEN, releasable_to=None)
    statement = Statement.of(epoch, 9, NOW_MS, green, authenticated=authenticated)
    after = Floor("plain-1", red, FIRST, 8).under(Assertion("plain-1", statement, ()))
    assert (after.latest.marking == green) is escapes
