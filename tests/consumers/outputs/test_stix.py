"""STIX bundles: what OASIS's library reads in them, in a file and in a folder, and how what left goes."""

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2 import parse  # type: ignore[import-untyped]

from consumers.outputs.known import opened
from consumers.outputs.protocol import Change, Held, Put, Remove
from consumers.outputs.stix import StixBundles
from consumers.picture.entry import NOT_SEEN, Answer, Entry
from consumers.stix.identifiers import identity_id, timestamp
from consumers.stix.objects import indicator_of
from consumers.subscription.changes import State
from exchange.errors import ConfigurationError
from tests.builders import NOW_MS, an_entry
from tests.consumers.outputs.test_output_laws import VALUES, removal, whole
from tests.consumers.outputs.writing import HELD
from tests.consumers.stix.generated import entries
from tests.consumers.stix.test_objects import assert_valid

HOUR_MS = 3_600_000
Object = dict[str, Any]


class Bundles:
    """Bundles in a file or a folder, with a clock that stands still."""

    def __init__(self, place: Path, *, is_folder: bool = False) -> None:
        self.place, self.now_ms = place, NOW_MS
        if is_folder:
            place.mkdir()
        self.writer = StixBundles(place, "JPN", HOUR_MS, lambda: self.now_ms)

    def write(self, *content: Entry) -> None:
        self.writer.write(in_order(content), HELD)

    def apply(self, *changes: Change) -> None:
        self.writer.apply(changes, HELD, whole([]))

    def files(self) -> list[Path]:
        return sorted(self.place.glob("*.json")) if self.place.is_dir() else [self.place]

    def objects(self) -> list[Object]:
        """By OASIS's strict parser; every file alone has what its objects refer to."""
        found: list[Object] = []
        for file in self.files():
            content = file.read_bytes()
            parse(content.decode(), allow_custom=False)
            objects = json.loads(content)["objects"]
            known = {each["id"] for each in objects}
            for each in objects:
                refs = [each.get("created_by_ref"), each.get("sighting_of_ref"), *each.get("object_marking_refs", [])]
                assert known.issuperset(filter(None, refs))
            assert len(known) == len(objects)
            found += objects
        return found

    def indicators(self) -> list[Object]:
        return [each for each in self.objects() if each["type"] == "indicator"]

    def text(self) -> str:
        return "".join(file.read_text() for file in self.files())


@pytest.fixture(params=[False, True], ids=["file", "folder"])
def bundles(request: pytest.FixtureRequest, tmp_path: Path) -> Bundles:
    return Bundles(tmp_path / "target", is_folder=request.param)


def in_order(content: Iterable[Entry]) -> list[Entry]:
    return sorted(content, key=lambda entry: (entry.id, entry.origin != "JPN"))


@given(st.lists(entries(State.LIVE), max_size=8, unique_by=lambda entry: (entry.id, entry.origin)))
@settings(max_examples=40)  # each syncs files
def test_a_strict_parser_reads_back_each_indicator_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, content: list[Entry]
) -> None:
    target = Bundles(tmp_path_factory.mktemp("stix") / "bundle.json")
    target.write(*content)
    assert target.indicators() == [json.loads(json.dumps(indicator_of(each))) for each in target_order(content)]
    assert list(target.writer.check(in_order(content))) == []


def target_order(content: Iterable[Entry]) -> list[Entry]:
    return sorted(content, key=lambda entry: (entry.id, entry.origin))


def test_what_expired_or_was_revoked_stays_as_revoked_for_the_stated_time_and_then_goes(bundles: Bundles) -> None:
    gone, stays = an_entry("gone.example"), an_entry("stays.example")
    bundles.write(gone, stays)
    bundles.apply(removal(gone, State.REVOKED))
    [old] = [each for each in bundles.indicators() if each.get("revoked")]
    assert (old["name"], old["id"]) == ("gone.example", indicator_of(gone)["id"])
    assert old["modified"] > indicator_of(gone)["modified"]
    bundles.now_ms += HOUR_MS - 1
    bundles.apply(Put(gone), removal(gone, State.EXPIRED))
    bundles.apply(removal(gone, State.EXPIRED))
    bundles.now_ms += HOUR_MS
    bundles.apply(removal(gone, State.EXPIRED))
    assert "gone" not in bundles.text()
    assert list(bundles.writer.check([stays])) == []


@pytest.mark.parametrize("state", [State.RECALLED, State.REMOVED, State.LIMITED, State.ENDED])
def test_content_that_may_not_be_kept_leaves_at_once_and_the_object_is_revoked(bundles: Bundles, state: State) -> None:
    gone = an_entry("gone.example", labels=("secret-label",), tearline="a tearline")
    bundles.write(gone)
    bundles.apply(removal(gone, state))
    for text in ("gone.example", "secret-label", "tearline", "sighting"):
        assert text not in bundles.text()
    [old] = bundles.indicators()
    assert (old["revoked"], old["id"]) == (True, indicator_of(gone)["id"])
    assert old["modified"] > indicator_of(gone)["modified"]
    before = bundles.text()
    bundles.apply(removal(gone, state))
    assert bundles.text() == before
    bundles.now_ms += HOUR_MS
    bundles.apply(removal(gone, state))
    assert bundles.indicators() == []


def test_a_search_without_a_result_is_a_sighting_with_count_0_that_leaves_with_its_indicator(bundles: Bundles) -> None:
    seen = an_entry("seen.example", sightings=3)
    bundles.write(seen, an_entry("other.example"))
    answers = (Answer("GBR", NOT_SEEN, "not-seen", NOW_MS, NOW_MS + 5, NOW_MS + 5, 7),)
    bundles.apply(Put(msgspec.structs.replace(seen, answers=answers)))
    indicator = indicator_of(seen)["id"]
    about = [each for each in bundles.objects() if each.get("sighting_of_ref") == indicator]
    assert [each["count"] for each in about] == [3, 0]
    assert about[1]["where_sighted_refs"] == [identity_id("GBR")]
    assert about[1]["modified"] == timestamp(NOW_MS + 5)
    assert_valid({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": about})
    before = bundles.text()
    bundles.apply(Put(msgspec.structs.replace(seen, answers=answers)))
    assert bundles.text() == before
    bundles.apply(removal(seen, State.REVOKED))
    assert [each for each in bundles.objects() if each.get("sighting_of_ref") == indicator] == []


def test_a_bundle_with_every_type_and_every_end_is_valid_by_the_validator(tmp_path: Path) -> None:
    live = [an_entry(value, kind.label, sightings=3) for kind, values in VALUES.items() for value in values[:1]]
    ends = {state: an_entry(f"{state}.example", tearline="a tearline") for state in State if state is not State.LIVE}
    target = Bundles(tmp_path / "bundle.json")
    target.write(*live, *ends.values())
    target.apply(*(removal(entry, state) for state, entry in ends.items()))
    bundle = json.loads(target.text())
    assert_valid(bundle)
    assert {each["type"] for each in bundle["objects"]} == {"identity", "marking-definition", "indicator", "sighting"}
    assert len([each for each in bundle["objects"] if each.get("revoked")]) == len(ends)


def test_what_was_revoked_and_is_recalled_later_loses_its_content(bundles: Bundles) -> None:
    gone = an_entry("gone.example")
    bundles.write(gone)
    bundles.apply(removal(gone, State.REVOKED))
    bundles.apply(removal(gone, State.RECALLED))
    assert "gone.example" not in bundles.text()
    assert [each["revoked"] for each in bundles.indicators()] == [True]


def test_what_is_missing_in_a_whole_write_loses_its_content_because_its_reason_is_not_known(bundles: Bundles) -> None:
    bundles.write(an_entry("gone.example"), an_entry("revoked.example"))
    bundles.apply(removal(an_entry("revoked.example"), State.REVOKED))
    bundles.write()
    assert "example" not in bundles.text().replace("example.com", "")
    assert [each["revoked"] for each in bundles.indicators()] == [True, True]


def test_what_comes_back_without_a_new_version_is_newer_than_its_end(bundles: Bundles) -> None:
    entry, seen = an_entry("a.example"), list[str]()
    for change in (Put(entry), removal(entry, State.LIMITED), Put(entry), removal(entry, State.RECALLED), Put(entry)):
        bundles.apply(change)
        [found] = bundles.indicators()
        assert bool(found.get("revoked")) is isinstance(change, Remove)
        seen.append(found["modified"])
    assert sorted(set(seen)) == seen
    before = bundles.text()
    bundles.apply(Put(entry))
    assert bundles.text() == before
    assert list(bundles.writer.check([entry])) == []


def test_two_nations_with_one_value_have_an_object_each_and_leave_alone(bundles: Bundles) -> None:
    own, partner = an_entry("a.example", origin="JPN"), an_entry("a.example")
    bundles.write(own, partner)
    bundles.apply(removal(partner, State.REVOKED))
    assert list(bundles.writer.check([own])) == []
    assert [bool(each.get("revoked")) for each in bundles.indicators()] == [True, False]


def test_a_change_in_a_folder_rewrites_one_bundle_and_the_position(tmp_path: Path) -> None:
    target = Bundles(tmp_path / "target", is_folder=True)
    content = [an_entry(f"h{number}.example") for number in range(600)]
    target.write(*content)
    before = {file: file.stat().st_ino for file in target.files()}
    assert len(before) == 256
    target.apply(Put(msgspec.structs.replace(content[0], confidence=3)))
    assert sum(file.stat().st_ino != before[file] for file in before) == 1


def test_a_new_position_alone_leaves_the_bundle_as_it_is(bundles: Bundles) -> None:
    bundles.write(an_entry("a.example"))
    before = {file: file.stat().st_ino for file in bundles.files()}
    bundles.writer.apply([], Held("p", "all", 99), whole([]))
    assert bundles.writer.held() == Held("p", "all", 99)
    assert {file: file.stat().st_ino for file in bundles.files()} == before


def test_a_damaged_bundle_is_written_whole_again(tmp_path: Path) -> None:
    target = Bundles(tmp_path / "bundle.json")
    target.write(an_entry("a.example"))
    target.place.write_bytes(target.place.read_bytes()[:-40] + b'{"type": "indicator", "id": 7}\n\xff')
    assert target.writer.held() is None
    target.write(an_entry("a.example"))
    assert [each["name"] for each in target.indicators()] == ["a.example"]


def test_a_time_that_is_no_number_of_hours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="write whole hours"):
        opened(f"stix:{tmp_path}/bundle.json?keep=soon", "JPN")
