"""A MISP feed: what PyMISP and the project's own reader read in it, and an independent count of its files."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymisp import MISPEvent

from consumers.outputs.misp import MispFeed
from consumers.outputs.misp_attribute import TYPES
from consumers.outputs.protocol import Change, Put
from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from producers.readers.formats import readers
from producers.readers.reading import Defaults, Reading, Seen
from schemas.markings import Caveat, Marking, Tlp, understand
from schemas.normalise import canonical
from schemas.vocabulary import TYPE_BY_LABEL
from tests.builders import NOW_MS, an_entry
from tests.consumers.outputs.test_output_laws import VALUES, removal, whole
from tests.consumers.outputs.writing import HELD, HOSTILE
from tests.consumers.stix.generated import entries
from tests.producers.reading_feeds import an_input

HOUR_MS = 3_600_000


class Feed:
    """A feed with a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.now_ms = folder, NOW_MS
        self.writer = MispFeed(folder, HOUR_MS, lambda: self.now_ms)

    def write(self, *content: Entry) -> None:
        self.writer.write(in_order(content), HELD)

    def apply(self, *changes: Change) -> None:
        self.writer.apply(changes, HELD, whole([]))

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return found

    def events(self) -> list[dict[str, Any]]:
        """By the manifest, as MISP finds them."""
        return [json.loads((self.folder / f"{name}.json").read_text())["Event"] for name in sorted(self.manifest())]

    def attributes(self) -> list[dict[str, Any]]:
        return [each for event in self.events() for each in event["Attribute"]]

    def live(self) -> list[str]:
        return sorted(each["value"] for each in self.attributes() if not each["deleted"])

    def text(self) -> str:
        return "".join(file.read_text() for file in self.folder.iterdir())

    def readings(self) -> list[Reading]:
        """By the project's own reader."""
        found: list[Reading] = []
        for name in self.manifest():
            source = an_input((self.folder / f"{name}.json").read_bytes())
            found += readers()["misp-event"].read(source, Defaults())
        return found


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path / "feed")


def in_order(content: Iterable[Entry]) -> list[Entry]:
    return sorted(content, key=lambda entry: (entry.id, entry.origin != "JPN"))


CARRIED = entries(State.LIVE).filter(lambda entry: TYPE_BY_LABEL[entry.type] in TYPES)


@given(st.lists(CARRIED, max_size=8, unique_by=lambda entry: (entry.id, entry.origin)))
@settings(max_examples=30)  # each syncs files
def test_pymisp_reads_each_indicator_as_it_is(tmp_path_factory: pytest.TempPathFactory, content: list[Entry]) -> None:
    feed = Feed(tmp_path_factory.mktemp("misp") / "feed")
    feed.write(*content)
    found = Counter[tuple[str, str]]()
    for name in feed.manifest():
        event = MISPEvent()
        event.load_file(feed.folder / f"{name}.json")
        assert event.uuid == name
        for attribute in event.attributes:
            found[event.Orgc.name, attribute.value] += 1
            assert attribute.to_ids
            assert next(tag.name for tag in attribute.tags).startswith("tlp:")
    assert found == Counter((each.origin, each.value) for each in content)
    assert list(feed.writer.check(in_order(content))) == []


@given(st.lists(CARRIED, min_size=1, max_size=4, unique_by=lambda entry: (entry.id, entry.origin)))
@settings(max_examples=30)
def test_the_own_reader_reads_the_same_values_with_no_looser_marking(
    tmp_path_factory: pytest.TempPathFactory, content: list[Entry]
) -> None:
    feed = Feed(tmp_path_factory.mktemp("misp") / "feed")
    feed.write(*content)
    seen = dict[tuple[object, str], Marking]()
    for each in feed.readings():
        if isinstance(each, Seen):
            spelled = canonical(each.observation.kind, each.observation.value)
            origin = next(e["Orgc"]["name"] for e in feed.events() if each.group and e["uuid"] == each.group.name)
            seen[spelled, origin] = understand(each.observation.marking)
    for entry in content:
        own = marking_of(entry)
        found = seen.get(((TYPE_BY_LABEL[entry.type], entry.value), entry.origin))
        if found is None:
            assert entry.labels  # a label of hostile text takes it back
            continue
        if Caveat.UNRECOGNISED in found.caveats:
            own = msgspec.structs.replace(own, releasable_to=found.releasable_to)
        assert own.join(found) == found


def marking_of(entry: Entry) -> Marking:
    tlp = {tlp.label: tlp for tlp in Tlp}[entry.tlp]
    return Marking(tlp, entry.pap_code, entry.releasable_to, tuple(sorted(map(Caveat, entry.caveats))))


def test_manifest_hashes_and_events_count_the_same_by_an_independent_reading(feed: Feed) -> None:
    content = [an_entry(f"h{number}.example", origin=origin) for number in range(400) for origin in ("GBR", "JPN")]
    content += [an_entry(value, kind.label) for kind in TYPES for value in VALUES[kind] if kind.label != "domain-name"]
    feed.write(*content)
    feed.apply(*map(removal, content[:50]))
    hashes = Counter(line.split(",")[0] for line in (feed.folder / "hashes.csv").read_text().splitlines())
    assert hashes == Counter(
        hashlib.md5(each.value.encode(), usedforsecurity=False).hexdigest() for each in content[50:]
    )
    assert feed.live() == sorted(each.value for each in content[50:])
    files = {file.stem for file in feed.folder.iterdir() if len(file.stem) == 36}
    assert files == set(feed.manifest())
    for event in feed.events():
        about = feed.manifest()[event["uuid"]]
        assert {name: event[name] for name in about} == about


@pytest.mark.parametrize("state", [State.RECALLED, State.LIMITED, State.REVOKED, State.EXPIRED])
def test_what_left_is_soft_deleted_and_goes_after_the_stated_time(feed: Feed, state: State) -> None:
    gone, stays = an_entry("gone.example", labels=("secret",)), an_entry("stays.example")
    feed.write(gone, stays)
    before = {each["uuid"]: int(each["timestamp"]) for each in feed.attributes()}
    feed.apply(removal(gone, state))
    [old] = [each for each in feed.attributes() if each["deleted"]]
    assert int(old["timestamp"]) > before[old["uuid"]]
    assert ("gone.example" in feed.text()) is (state in (State.REVOKED, State.EXPIRED))
    event = next(each for each in feed.events() if old in each["Attribute"])
    assert int(event["timestamp"]) >= int(old["timestamp"])
    feed.apply(removal(gone, State.RECALLED))
    assert "gone.example" not in feed.text()
    assert "secret" not in feed.text()
    feed.now_ms += 2 * HOUR_MS
    feed.apply(removal(gone, State.RECALLED))
    assert [each["value"] for each in feed.attributes()] == ["stays.example"]


def test_a_deleted_attribute_is_withdrawn_at_the_own_reader(feed: Feed) -> None:
    gone = an_entry("gone.example")
    feed.write(gone)
    feed.apply(removal(gone, State.REVOKED))
    assert [type(each).__name__ for each in feed.readings() if not isinstance(each, Seen)].count("Withdrawn") == 1
    assert not [each for each in feed.readings() if isinstance(each, Seen)]


def test_a_change_rewrites_one_event_and_moves_its_time_on(feed: Feed) -> None:
    content = [an_entry(f"h{number}.example") for number in range(600)]
    feed.write(*content)
    inodes = {file.name: file.stat().st_ino for file in feed.folder.glob("*-*.json")}
    times = {event["uuid"]: int(event["timestamp"]) for event in feed.events()}
    feed.apply(Put(msgspec.structs.replace(content[0], tlp="TLP:AMBER")))
    changed = [name for name in inodes if (feed.folder / name).stat().st_ino != inodes[name]]
    assert len(changed) == 1
    later = {event["uuid"]: int(event["timestamp"]) for event in feed.events()}
    assert [name for name in times if later[name] > times[name]] == [changed[0].removesuffix(".json")]
    feed.apply(Put(msgspec.structs.replace(content[0], tlp="TLP:AMBER")))
    assert {event["uuid"]: int(event["timestamp"]) for event in feed.events()} == later


def test_an_event_has_the_strictest_label_of_its_attributes(feed: Feed) -> None:
    feed.write(an_entry("a.example", tlp="TLP:CLEAR"))
    [event] = feed.events()
    assert [tag["name"] for tag in event["Tag"]] == ["tlp:clear"]
    feed.apply(Put(an_entry("a.example", tlp="")))
    [event] = feed.events()
    assert [tag["name"] for tag in event["Tag"]] == ["tlp:red"]


@given(st.lists(HOSTILE, max_size=6, unique=True))
@settings(max_examples=30)
def test_a_value_that_misp_would_change_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    feed = Feed(tmp_path_factory.mktemp("misp") / "feed")
    content = [an_entry(value, "file-name") for value in values]
    report = feed.writer.write(in_order(content), HELD)
    assert report.written + sum(report.left_out.values()) == len(values)
    assert len(feed.live()) == report.written
    assert set(feed.live()) <= {value for value in values if value == value.strip() and "\0" not in value}


def test_a_damaged_event_is_written_again(feed: Feed) -> None:
    feed.write(an_entry("a.example"))
    [name] = feed.manifest()
    (feed.folder / f"{name}.json").write_text('{"Event": {"Attribute": [7]}}')
    assert [each.kind for each in feed.writer.check([an_entry("a.example")])] == ["missing"]
    feed.write(an_entry("a.example"))
    assert feed.live() == ["a.example"]
