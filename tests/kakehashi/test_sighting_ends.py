"""What the partner ends does not live on by our sightings: whoever reported hits on it takes them back."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumers.picture.shared import Shared
from kakehashi.hits import reader_of
from kakehashi.sighting_ends import Ends
from producers.sighting import Theirs, object_of, scope_for, sighting_of, spool_sighting
from producers.spool.assertions import Named
from producers.spool.spool import Spool
from producers.summary import Summary
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS
from tests.consumers.picture.topics import NATION, World
from tests.kakehashi.test_hits import an_alert
from tests.producers.producing import CODEC, SENSOR, reports_in, run

FIRST, SECOND = "198.51.100.7", "198.51.100.8"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """GBR shares two addresses."""
    found = World(tmp_path)
    for value in (FIRST, SECOND):
        found.gbr.release(value, "ipv4-addr", content={"release_expires_ms": 0})
    found.catch_up()
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", SENSOR.nation, SENSOR.name, NOW_MS) as found:
        yield found


@pytest.fixture
def shared(world: World) -> Iterator[Shared]:
    with closing(Shared(world.path, NATION, "GBR", world.clock_ms)) as found:
        yield found


def ends(shared: Shared) -> Ends:
    """As a process that has just begun."""
    return Ends(shared, "GBR", SENSOR, CODEC, lambda: NOW_MS)


def hit(world: World, spool: Spool, folder: Path, *values: str) -> None:
    """A tool logs hits on these, and they are reported."""
    log = folder / "eve.json"
    with log.open("ab") as file:
        file.writelines(an_alert(3_900_001, dest_ip=value) for value in values)
    run(spool, log, format=reader_of("suricata-eve", world.path, NATION, "GBR", "TLP:GREEN", world.clock_ms))


def revoke(world: World, value: str, later_ms: int = 1) -> None:
    world.gbr.release(value, "ipv4-addr", record="revoked", version=NOW_MS + later_ms)
    world.catch_up()


def withdrawn(reports: list[SensorReport]) -> list[str]:
    """The values that reports take back, in order."""
    return [
        value
        for report in reports
        for place, value in enumerate(report["values"])
        if report.get("withdrawals") and report["withdrawals"][place]
    ]


def test_a_sighting_is_taken_back_when_the_partners_indicator_ends_and_others_stay(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    looking, summary = ends(shared), Summary()
    hit(world, spool, tmp_path, FIRST, SECOND, FIRST)
    looking.look(spool, summary)
    assert withdrawn(reports_in(spool)) == []
    revoke(world, FIRST)
    looking.look(spool, summary)
    looking.look(spool, summary)
    assert withdrawn(reports_in(spool)) == [FIRST]
    assert summary.withdrawn == 1


def test_a_process_that_begins_takes_back_what_ended_while_none_ran(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    hit(world, spool, tmp_path, FIRST, SECOND)
    revoke(world, SECOND)
    ends(shared).look(spool, Summary())
    ends(shared).look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [SECOND]


def test_what_the_partner_shares_again_is_reported_and_taken_back_again(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    looking = ends(shared)
    hit(world, spool, tmp_path, FIRST)
    revoke(world, FIRST)
    looking.look(spool, Summary())
    world.gbr.release(FIRST, "ipv4-addr", version=NOW_MS + 2, content={"release_expires_ms": 0})
    world.catch_up()
    hit(world, spool, tmp_path, FIRST)
    looking.look(spool, Summary())
    revoke(world, FIRST, 3)
    looking.look(spool, Summary())
    assert [report["values"] for report in reports_in(spool)] == [[FIRST]] * 4
    assert withdrawn(reports_in(spool)) == [FIRST, FIRST]


def test_a_sighting_ends_with_the_validity_of_the_partners_indicator(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    value, looking = "198.51.100.9", ends(shared)
    world.gbr.release(value, "ipv4-addr", content={"release_expires_ms": NOW_MS + 1_000})
    world.catch_up()
    hit(world, spool, tmp_path, value)
    looking.look(spool, Summary())
    assert withdrawn(reports_in(spool)) == []
    world.now_ms += 2_000
    world.catch_up()
    looking.look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [value]


def test_a_hit_that_is_not_durable_yet_is_taken_back_once_it_is(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    looking = ends(shared)
    looking.look(spool, Summary())
    kind = IndicatorType.IPV4_ADDR
    spool.assertions.reported(Named(kind, FIRST, object_of(kind, FIRST), 0, scope_for("GBR")))
    revoke(world, FIRST)
    looking.look(spool, Summary())
    assert reports_in(spool) == []
    hit(world, spool, tmp_path, SECOND)  # its commit writes the other one, too
    looking.look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [FIRST]


def test_a_sighting_by_hand_is_taken_back_too(world: World, spool: Spool, shared: Shared) -> None:
    seen = Theirs(IndicatorType.IPV4_ADDR, FIRST, "TLP:GREEN", "", ())
    observation = sighting_of(seen, "GBR", tlp="", count=1, first_seen_ms=NOW_MS, last_seen_ms=NOW_MS)
    spool_sighting(spool, SENSOR, observation, "GBR", CODEC, NOW_MS)
    revoke(world, FIRST)
    ends(shared).look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [FIRST]


def test_a_hit_that_was_on_its_way_while_the_indicator_ended_is_found_now_and_then(
    world: World, spool: Spool, shared: Shared, tmp_path: Path
) -> None:
    now_s = [0.0]
    looking = Ends(shared, "GBR", SENSOR, CODEC, lambda: NOW_MS, lambda: now_s[0])
    hit(world, spool, tmp_path, FIRST)
    looking.look(spool, Summary())
    revoke(world, FIRST)
    looking.look(spool, Summary())
    kind = IndicatorType.IPV4_ADDR
    spool.assertions.reported(Named(kind, FIRST, object_of(kind, FIRST), 0, scope_for("GBR")))
    hit(world, spool, tmp_path, SECOND)  # its commit writes the late one, too
    looking.look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [FIRST]
    now_s[0] = 300.0
    looking.look(spool, Summary())
    assert withdrawn(reports_in(spool)) == [FIRST, FIRST]
