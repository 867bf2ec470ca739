"""What a nation sees, as a local copy: complete, current, exactly once, and without what was recalled."""

from pathlib import Path

import pytest

from consumers.picture.entry import Entry
from consumers.picture.filters import EVERY_STATE, Filter
from consumers.picture.keep import take
from consumers.picture.picture import Picture
from consumers.subscription.changes import State
from exchange.errors import NotFound
from schemas.canary import CANARY_ID, CANARY_VALUE
from tests.builders import DAY_MS, NOW_MS, a_source
from tests.consumers.picture.topics import CODEC, NATION, TopicInMemory, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def values(picture: Picture, filters: Filter | None = None) -> set[str]:
    return {each.value for each in picture.search(filters or Filter())}


def test_the_canary_is_in_no_picture_of_any_origin_and_neither_is_its_end(world: World) -> None:
    world.topics["JPN"] = TopicInMemory("indicator.national.v1")
    world.topics["JPN"].own(CANARY_VALUE)
    assert world.gbr.release(CANARY_VALUE, version=NOW_MS) == CANARY_ID
    world.gbr.release(version=NOW_MS)
    world.catch_up()
    world.gbr.release(CANARY_VALUE, version=NOW_MS + 1, record="expired")
    world.catch_up()
    with world.picture() as picture:
        assert values(picture, Filter(states=EVERY_STATE)) == {"c2.example.com"}


def test_it_has_the_latest_version_of_each_indicator_in_one_layout(world: World) -> None:
    world.topics["JPN"] = TopicInMemory("indicator.national.v1")
    own = world.topics["JPN"].own(sources=[a_source(description="Beacon of a loader")], warninglists=["x"])
    world.gbr.release(version=NOW_MS, content={"labels": ["a"]})
    indicator = world.gbr.release(version=NOW_MS + 5, content={"labels": ["attack.t1566.001"], "confidence": -1})
    world.catch_up()
    found = world.held(indicator)
    assert isinstance(found, Entry)
    assert (found.origin, found.version, found.labels, found.confidence) == (
        "GBR",
        NOW_MS + 5,
        ("attack.t1566.001",),
        None,
    )
    assert (found.techniques, found.received_ms, found.is_own) == (("T1566.001",), NOW_MS, False)
    mine = world.held(own)
    assert isinstance(mine, Entry)
    assert (mine.origin, mine.tlp, mine.warninglists, mine.source_count, mine.is_own) == (
        "JPN",
        "TLP:GREEN",
        ("x",),
        1,
        True,
    )
    with world.picture() as picture:
        assert [each["description"] for each in picture.sources(own)] == ["Beacon of a loader"]
        assert picture.sources(indicator) == []
        assert {each.origin: each.is_whole for each in picture.origins()} == {"GBR": True, "JPN": True}


def test_each_change_is_later_than_all_before_and_an_older_version_is_none(world: World) -> None:
    first = world.gbr.release("one.example", version=NOW_MS + 2)
    second = world.gbr.release("two.example", version=NOW_MS + 2)
    world.catch_up()
    with world.picture() as picture:
        before = {each.id: each.added_us for each in picture.changes(0, 10)}
        assert len(set(before.values())) == 2
        head = picture.head_us()
    world.gbr.release("one.example", version=NOW_MS + 1)
    world.gbr.release("one.example", version=NOW_MS + 2)
    world.gbr.release("two.example", version=NOW_MS + 3)
    world.catch_up()
    with world.picture() as picture:
        [change] = picture.changes(head, 10)
        assert (change.id, change.version) == (second, NOW_MS + 3)
        assert change.added_us > max(before.values())
        [again] = picture.get(first)
        assert again.added_us == before[first]


def test_earlier_versions_are_remembered_without_content(world: World) -> None:
    indicator = ""
    for number in range(40):
        indicator = world.gbr.release(version=NOW_MS + number, at_ms=NOW_MS + number, content={"confidence": number})
    world.catch_up()
    with world.picture() as picture:
        assert picture.history(indicator, "GBR") == []  # a compacted reading begins with the latest
    for number in range(40, 80):
        world.gbr.release(version=NOW_MS + number, at_ms=NOW_MS + number, content={"confidence": number})
        world.catch_up()
    with world.picture() as picture:
        history = picture.history(indicator, "GBR")
    assert [each.version - NOW_MS for each in history] == list(range(78, 46, -1))
    assert (history[0].confidence, history[0].tlp, history[0].received_ms) == (78, "TLP:GREEN", NOW_MS + 78)


@pytest.mark.parametrize(("record", "keeps"), [("expired", True), ("revoked", True), ("recalled", False)])
def test_what_ended_reports_it_and_only_what_may_be_kept_is(world: World, record: str, keeps: bool) -> None:
    indicator = world.gbr.release(version=NOW_MS)
    world.catch_up()
    world.gbr.release(version=NOW_MS + 1, record=record)
    world.catch_up()
    found = world.held(indicator)
    assert (found.state, found.version, isinstance(found, Entry)) == (State(record), NOW_MS + 1, keeps)
    with world.picture() as picture:
        assert values(picture) == set()
        assert len(list(picture.search(Filter(states=EVERY_STATE)))) == keeps
        assert len(list(picture.search(Filter(states=EVERY_STATE, text="c2")))) == keeps


def test_what_has_ended_by_its_validity_is_a_change_of_its_own(world: World) -> None:
    indicator = world.gbr.release(content={"valid_until_ms": NOW_MS + DAY_MS})
    world.catch_up()
    with world.picture() as picture:
        head = picture.head_us()
        world.now_ms += 2 * DAY_MS
        assert values(picture) == set()
        assert values(picture, Filter(states=frozenset({State.ENDED}))) == {"c2.example.com"}
        world.catch_up()
        [change] = picture.changes(head, 10)
        assert (change.id, change.state) == (indicator, State.ENDED)


def test_a_deleted_key_is_gone(world: World) -> None:
    indicator = world.gbr.release()
    world.catch_up()
    world.gbr.delete(indicator)
    world.gbr.append(0, b"fill", None)  # only makes a partition begin a new segment
    world.catch_up()
    with world.picture() as picture:
        assert picture.get(indicator) == []
    assert b"c2.example.com" not in world.bytes_on_disk()


def test_a_recall_is_applied_before_everything_that_waits_with_it(world: World) -> None:
    indicator = world.gbr.release("recalled.example", version=NOW_MS)
    world.catch_up()
    for number in range(50):
        world.gbr.release(f"h{number}.example")
    world.gbr.release("recalled.example", version=NOW_MS + 1)
    world.gbr.release("recalled.example", version=NOW_MS + 2, record="recalled")
    world.gbr.delete(indicator)
    seen: list[set[str]] = []
    with world.keeper() as keeper, world.picture() as picture:
        keeper.catch_up(world.origins(), CODEC, lambda *_: seen.append(values(picture)))
        [found] = [each for each in seen if "h1.example" in each][:1]
    assert all("recalled.example" not in each for each in seen)
    assert "recalled.example" not in found


def test_a_lost_position_is_declared_and_what_was_deleted_meanwhile_is_removed(world: World) -> None:
    gone = world.gbr.release("gone.example")
    stays = world.gbr.release("stays.example")
    world.catch_up()
    with world.picture() as picture:
        [before] = picture.get(stays)
    for partition in world.gbr.records:
        world.gbr.cut(partition)
    world.gbr.topic_id = "id-2"
    world.gbr.release("stays.example")
    world.gbr.release("new.example")
    world.catch_up()
    with world.picture() as picture:
        assert values(picture) == {"stays.example", "new.example"}
        assert picture.get(gone) == []
        [origin] = picture.origins()
        assert (origin.is_whole, origin.gap.partition(":")[0]) == (True, "recreated")
        assert picture.get(stays) == [before]  # the same version is no change


def test_a_record_that_is_none_is_left_out_and_the_rest_comes(world: World) -> None:
    world.gbr.append(0, b"indicator--6ba7b810-9dad-51d1-80b4-00c04fd430c8", b"\0nonsense")
    world.gbr.append(1, b"\xff\xfe", b"\0")
    world.gbr.release()
    world.catch_up()
    with world.picture() as picture:
        assert picture.count() == 1


def test_a_second_process_reads_and_does_not_write(world: World) -> None:
    with world.keeper():
        assert take(world.path, NATION, world.clock_ms) is None
    again = take(world.path, NATION, world.clock_ms)
    assert again is not None
    again.close()


def test_a_picture_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="no picture of JPN"):
        world.picture()


def test_it_waits_for_a_change(world: World) -> None:
    world.gbr.release()
    world.catch_up()
    with world.picture() as picture:
        head = picture.head_us()
        assert not picture.wait(head, 0.01)
        world.gbr.release(version=NOW_MS + 1)
        world.catch_up()
        assert picture.wait(head, 0.01)
