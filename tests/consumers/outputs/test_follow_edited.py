"""An output that edits its file, over changes of every kind."""

from pathlib import Path

import pytest

from tests.consumers.outputs.following import file_of
from tests.consumers.picture.feeding_worker import topic_of
from tests.consumers.picture.topics import World


@pytest.mark.parametrize("at_most", [50_000, 20], ids=["edited", "sometimes whole"])
@pytest.mark.parametrize("name", ["hosts", "rpz"])
def test_whatever_changes_a_file_that_is_edited_holds_what_the_picture_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_most: int
) -> None:
    monkeypatch.setattr("consumers.outputs.follow._EDITED", at_most)
    world, coming = World(tmp_path), topic_of(11, 288)
    output = file_of(world, name, tmp_path / "target")
    checked = 0
    for number in range(12):
        for partition, records in coming.records.items():
            for each in records[number * 12 : number * 12 + 12]:
                world.gbr.append(partition, each.key, each.value)
        world.catch_up()
        with world.picture() as picture:
            output._rests_until_s = 0
            checked += output.turn(picture)
            assert output.check(picture) == []
            assert output.standing.trouble == ""
    assert checked > 8
    with world.picture() as picture:
        assert sum(each.unapplied_recalls for each in picture.followers()) == 0
