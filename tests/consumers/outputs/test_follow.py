"""A target is current: the whole picture first, then each change; what left while it was away goes before all else."""

from pathlib import Path

import pytest

from consumers.outputs.carried import Carried
from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, OutputUnavailable, Put, Remove
from consumers.picture.filters import Filter
from consumers.picture.followers import followers, forget
from consumers.picture.tables import connect
from consumers.subscription.changes import State, Use
from exchange.errors import Refused
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from tests.builders import DAY_MS, NOW_MS
from tests.consumers.outputs.following import Followed, hosts_file
from tests.consumers.outputs.full_disk import files_of_at_most
from tests.consumers.picture.topics import CODEC, TopicInMemory, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, GBR=TopicInMemory(), JPN=TopicInMemory("indicator.national.v1"))


def unapplied(world: World) -> int:
    with world.picture() as picture:
        return sum(each.unapplied_recalls for each in picture.followers())


def test_the_whole_picture_comes_first_and_then_each_change_once(world: World, tmp_path: Path) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    output = Followed(world, tmp_path / "t")
    assert output.turn()
    assert (output.values, output.writer.wholes) == (["one.example"], 1)
    assert not output.turn()
    world.gbr.release("two.example")
    world.gbr.release("one.example", version=NOW_MS + 1, record="revoked")
    world.catch_up()
    assert output.turn()
    assert (output.values, output.writer.wholes) == (["two.example"], 1)
    changes = [change for call in output.writer.handed for change in call]
    assert [type(each) for each in changes] == [Remove, Put]


def test_an_output_that_starts_again_goes_on_where_its_target_is(world: World, tmp_path: Path) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    world.gbr.release("two.example")
    world.catch_up()
    again = Followed(world, tmp_path / "t")
    assert again.turn()
    assert (again.values, again.writer.wholes) == (["one.example", "two.example"], 0)


def test_a_recall_while_it_was_down_is_applied_before_anything_else_and_shows_until_then(
    world: World, tmp_path: Path
) -> None:
    world.gbr.release("bad.example")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    for number in range(30):
        world.gbr.release(f"h{number}.example")
    world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    assert unapplied(world) == 1
    again = Followed(world, tmp_path / "t")
    again.turn()
    [first, *_] = again.writer.handed
    assert [(type(each), each.value) for each in first if isinstance(each, Remove)] == [(Remove, "bad.example")]
    assert unapplied(world) == 0
    assert "bad.example" not in again.values
    assert len(again.values) == 30
    world.catch_up()
    assert b"bad.example" not in world.bytes_on_disk()


def test_a_target_that_is_away_gets_everything_when_it_is_back(world: World, tmp_path: Path) -> None:
    world.gbr.release("bad.example")
    world.catch_up()
    output = Followed(world, tmp_path / "t")
    output.turn()
    output.writer.is_away = True
    world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
    world.gbr.release("new.example")
    world.catch_up()
    for _ in range(3):
        with pytest.raises(OutputUnavailable):
            output.turn()
        assert unapplied(world) == 1
    output.writer.is_away = False
    output.turn()
    assert (output.values, output.writer.wholes) == (["new.example"], 1)


def test_a_value_of_two_nations_leaves_with_the_last_of_them(world: World, tmp_path: Path) -> None:
    world.gbr.release("both.example")
    world.topics["JPN"].own("both.example")
    world.catch_up()
    output = Followed(world, tmp_path / "t", merges=True)
    output.turn()
    assert output.values == ["both.example"]
    world.gbr.release("both.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    output.turn()
    assert output.values == ["both.example"]
    world.topics["JPN"].own("both.example", version=NOW_MS + 1, kind="revoked")
    world.catch_up()
    output.turn()
    assert output.values == []


def test_what_the_pap_or_a_filter_no_longer_allows_is_taken_out(world: World, tmp_path: Path) -> None:
    for value in ("one.example", "two.example", "three.example"):
        world.gbr.release(value, content={"pap": "PAP:GREEN", "confidence": 90})
    world.catch_up()
    output = Followed(world, tmp_path / "t", filters=Filter(confidence=50))
    output.turn()
    assert len(output.values) == 3
    world.gbr.release("one.example", version=NOW_MS + 1, content={"pap": "PAP:RED", "confidence": 90})
    world.gbr.release("two.example", version=NOW_MS + 1, content={"pap": "PAP:GREEN", "confidence": 10})
    world.catch_up()
    output.turn()
    assert output.values == ["three.example"]
    removed = [each for call in output.writer.handed for each in call if isinstance(each, Remove)]
    assert {each.state for each in removed} == {State.LIMITED}


def test_what_ends_by_its_own_time_leaves_by_itself(world: World, tmp_path: Path) -> None:
    world.gbr.release("short.example", content={"valid_until_ms": NOW_MS + DAY_MS})
    world.gbr.release("limited.example", content={"release_expires_ms": NOW_MS + DAY_MS})
    world.gbr.release("long.example", content={"release_expires_ms": 0})
    world.catch_up()
    output = Followed(world, tmp_path / "t")
    output.turn()
    world.now_ms += 2 * DAY_MS
    world.catch_up()
    output.turn()
    assert (output.values, output.writer.wholes) == (["long.example"], 1)


def test_a_target_restored_from_an_older_copy_is_written_whole(world: World, tmp_path: Path) -> None:
    world.gbr.release("bad.example")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    older = (tmp_path / "t").read_bytes()
    world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    world.catch_up()
    (tmp_path / "t").write_bytes(older)
    again = Followed(world, tmp_path / "t")
    again.turn()
    assert (again.values, again.writer.wholes) == ([], 1)


def test_a_picture_that_was_made_anew_and_another_selection_are_written_whole(world: World, tmp_path: Path) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    narrower = Followed(world, tmp_path / "t", filters=Filter(confidence=100))
    narrower.turn()
    assert (narrower.values, narrower.writer.wholes) == ([], 1)
    world.path.write_bytes(b"not a picture" * 1000)
    assert world.catch_up()
    again = Followed(world, tmp_path / "t")
    again.turn()
    assert (again.values, again.writer.wholes) == (["one.example"], 1)


def test_half_a_picture_is_not_written(world: World, tmp_path: Path) -> None:
    world.gbr.release("one.example")
    output = Followed(world, tmp_path / "t")
    with world.keeper() as keeper:
        keeper.feed(world.origins()["GBR"], CODEC, follow=False)
        world.topics["JPN"].own("two.example")
        seen: list[bool] = []
        keeper.feed(world.origins()["JPN"], CODEC, follow=False, progress=lambda *_: seen.append(output.turn()))
    output.turn()
    assert output.values == ["one.example", "two.example"]
    assert output.writer.wholes == 1


def test_more_changes_than_one_batch_are_all_applied(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.outputs.carried.BATCH", 7)
    monkeypatch.setattr("consumers.outputs.follow.BATCH", 7)
    world.catch_up()
    output = Followed(world, tmp_path / "t")
    output.turn()
    for number in range(50):
        world.gbr.release(f"h{number}.example")
    world.catch_up()
    output.turn()
    assert len(output.values) == 50
    assert max(map(len, output.writer.handed)) <= 7


def test_a_forgotten_output_holds_nothing_back(world: World, tmp_path: Path) -> None:
    world.gbr.release("bad.example")
    world.catch_up()
    Followed(world, tmp_path / "t").turn()
    world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    database = connect(world.path, writes=True)
    [known] = followers(database)
    assert forget(database, known.name)
    database.close()
    world.catch_up()
    assert b"bad.example" not in world.bytes_on_disk()


def test_a_file_is_replaced_only_if_its_content_changes(world: World, tmp_path: Path) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    output = hosts_file(world, tmp_path / "hosts")
    with world.picture() as picture:
        output.turn(picture)
        before = (tmp_path / "hosts").stat().st_ino
        world.gbr.release("192.0.2.9", "ipv4-addr")
        world.catch_up()
        output.turn(picture)
        assert (tmp_path / "hosts").stat().st_ino == before


def test_a_full_disk_leaves_the_old_file_whole_and_the_removal_comes_later(world: World, tmp_path: Path) -> None:
    for number in range(500):
        world.gbr.release(f"host-number-{number}.example")
    world.catch_up()
    output = hosts_file(world, tmp_path / "hosts")
    with world.picture() as picture:
        output.turn(picture)
        whole = (tmp_path / "hosts").read_bytes()
        world.gbr.release("host-number-7.example", version=NOW_MS + 1, record="recalled")
        world.catch_up()
        entries = list(picture.entries(Filter()))
        with files_of_at_most(4096), pytest.raises(OutputUnavailable, match="hosts cannot be written"):
            opened(f"hosts:{tmp_path}/hosts", "JPN")[2].write(entries, Held("p", "s", 1))
        assert (tmp_path / "hosts").read_bytes() == whole
        assert sorted(each.name for each in tmp_path.iterdir()) == ["hosts", "picture"]
        again = hosts_file(world, tmp_path / "hosts")
        again.turn(picture)
    assert b"host-number-7.example" not in (tmp_path / "hosts").read_bytes()
    assert unapplied(world) == 0


def test_the_log_has_when_a_target_becomes_current_and_not_each_change(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.gbr.release("one.example")
    world.catch_up()
    output = hosts_file(world, tmp_path / "hosts")
    with world.picture() as picture:
        output.turn(picture)
        world.gbr.release("two.example")
        world.catch_up()
        output.turn(picture)
    found = [each.getMessage() for each in caplog.records if each.getMessage().startswith("output.current")]
    assert [each.rpartition(" ")[2] for each in found] == ["indicators=1"]


def test_two_processes_do_not_write_one_target(world: World, tmp_path: Path) -> None:
    one, other = hosts_file(world, tmp_path / "hosts"), hosts_file(world, tmp_path / "hosts")
    one.take()
    with pytest.raises(Refused, match="another process writes it"):
        other.take()
    other.close()
    one.close()
    again = hosts_file(world, tmp_path / "hosts")
    again.take()
    again.close()


@pytest.mark.parametrize("at_most", [0, 5, 12, 100])
def test_a_sample_has_each_indicator_at_most_once_and_all_of_them_if_it_may(
    world: World, tmp_path: Path, at_most: int
) -> None:
    values = {f"n{number}.example" for number in range(12)}
    for value in sorted(values):
        world.gbr.release(value)
    world.catch_up()
    carried = Carried([IndicatorType.DOMAIN_NAME], Filter(), Use(Activity.PASSIVE_LOCAL), merges=True)
    with world.picture() as picture:
        for _ in range(20):
            found = [each.value for each in carried.sample(picture, at_most)]
            assert len(set(found)) == len(found) == min(at_most, len(values))
            assert values.issuperset(found)
