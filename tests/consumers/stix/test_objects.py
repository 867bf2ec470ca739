"""STIX objects of entries, read by OASIS's own library and validator, and by the project's own reader."""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stix2 import parse  # type: ignore[import-untyped]
from stix2validator import ValidationOptions, validate_instance  # type: ignore[import-untyped]

from consumers.picture.entry import Ended, Entry
from consumers.stix.identifiers import CREATED_MS, LAST_MS, timestamp
from consumers.stix.markings import definitions_of
from consumers.stix.objects import identity_of, indicator_of, sighting_of, sightings_of, withdrawal_of
from consumers.subscription.changes import State
from producers.inputs import OpenInput
from producers.readers.formats import readers
from producers.readers.reading import Defaults, Emptied, Reading, Seen, Withdrawn
from schemas.markings import Caveat, Marking, Pap, Tlp, understand
from schemas.normalise import canonical
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType
from tests.builders import DAY_MS, NOW_MS, an_entry
from tests.consumers.outputs.test_output_laws import VALUES
from tests.consumers.stix.generated import TIMES, entries
from tests.producers.reading_feeds import an_input

Object = dict[str, Any]
# The standard recommends UUIDv4 (section 2.9). Ours are UUIDv5, so that every copy of a picture makes the same ids.
STRICT: Final = ValidationOptions(version="2.1", strict=True, disabled="uuid-check")
LIVE: Final = entries(State.LIVE)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def by_number(thing: Any) -> Any:
    """The same with each time as a number, because stix2 prints times without zeros at the end."""
    if isinstance(thing, dict):
        return {name: by_number(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [by_number(each) for each in thing]
    return at(thing) if isinstance(thing, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", thing) else thing


def at(text: str) -> int:
    """A time as milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@given(st.integers(-1, LAST_MS + 1) | st.integers(0, 1 << 42))
def test_a_time_is_as_the_calendar_has_it(at_ms: int) -> None:
    within = timedelta(milliseconds=min(max(at_ms, 0), LAST_MS))
    assert timestamp(at_ms) == (datetime(1970, 1, 1) + within).isoformat(timespec="milliseconds") + "Z"  # noqa: DTZ001


def read(objects: Iterable[Object]) -> list[Reading]:
    """What the project's own reader makes of the indicators among them."""
    content = json.dumps({"type": "bundle", "id": "bundle--8e2e2d2b", "objects": list(objects)}).encode()
    source: OpenInput = an_input(content)
    found = readers()["stix-bundle"].read(source, Defaults())
    return [each for each in found if isinstance(each, Seen | Withdrawn | Emptied)]


def spelled(kind: IndicatorType, value: str) -> object:
    """Type and value as intake takes them: a network in a pattern of an address is a network."""
    return canonical(kind, value)


def marking_of(entry: Entry) -> Marking:
    """An entry's own marking."""
    tlp = {tlp.label: tlp for tlp in Tlp}[entry.tlp]
    return Marking(tlp, entry.pap_code, entry.releasable_to, tuple(sorted(map(Caveat, entry.caveats))))


def objects_of(entry: Entry) -> list[Object]:
    """All that a bundle has for an entry: what it refers to, the indicator, and its sightings."""
    nations = sorted({entry.origin, *(each.nation for each in entry.answers)})
    return [*definitions_of(entry), *map(identity_of, nations), indicator_of(entry), *sightings_of(entry)]


def assert_valid(thing: Object) -> None:
    found = validate_instance(json.loads(json.dumps(thing)), STRICT)
    assert [str(each) for each in (*found.errors, *found.warnings)] == []


@given(entries())
def test_a_strict_parser_takes_every_object_and_gives_it_back_unchanged(entry: Entry) -> None:
    for each in objects_of(entry):
        parsed = parse(each, allow_custom=False, version="2.1")
        assert by_number(json.loads(parsed.serialize())) == by_number(each)


@given(entries())
def test_every_object_is_valid_by_all_that_the_standard_demands_or_recommends(entry: Entry) -> None:
    for each in objects_of(entry):
        assert_valid(each)


@given(entries())
def test_what_an_object_refers_to_is_in_front_of_it(entry: Entry) -> None:
    known = set[str]()
    for each in objects_of(entry):
        refs = [*each.get("object_marking_refs", []), *each.get("where_sighted_refs", [])]
        wanted = [each.get("created_by_ref"), each.get("sighting_of_ref"), *refs]
        assert known.issuperset(filter(None, wanted))
        known.add(each["id"])


@given(LIVE)
def test_the_own_reader_reads_the_same_value_with_no_looser_marking(entry: Entry) -> None:
    found = read(objects_of(entry))
    if any(isinstance(each, Withdrawn) for each in found):
        return  # a label of hostile text that takes it back: stricter
    [seen] = found
    assert isinstance(seen, Seen)
    there = seen.observation
    assert spelled(there.kind, there.value) == (TYPE_BY_LABEL[entry.type], entry.value)
    marking, own = understand(there.marking), marking_of(entry)
    if Caveat.UNRECOGNISED in marking.caveats:  # held, whatever else it says: nations that the reader does not know
        own = msgspec.structs.replace(own, releasable_to=marking.releasable_to)
    assert own.join(marking) == marking


@pytest.mark.parametrize("tlp", [tlp for tlp in Tlp if tlp is not Tlp.UNMARKED])
@pytest.mark.parametrize("pap", Pap)
@pytest.mark.parametrize("nations", [(), ("JPN",), ("GBR", "JPN")])
def test_labels_that_a_standard_has_are_read_back_exactly(tlp: Tlp, pap: Pap, nations: tuple[str, ...]) -> None:
    entry = an_entry(tlp=tlp.label, pap=pap.label, releasable_to=nations, caveats=("UK EYES ONLY",))
    [seen] = read(objects_of(entry))
    assert isinstance(seen, Seen)
    assert understand(seen.observation.marking) == marking_of(entry)


def test_what_has_no_label_is_taken_for_the_strictest_because_tools_take_it_for_open() -> None:
    for label in ("", "TLP:ULTRAVIOLET"):
        [seen] = read(objects_of(an_entry(tlp=label)))
        assert isinstance(seen, Seen)
        assert understand(seen.observation.marking).tlp is Tlp.RED
    [seen] = read(objects_of(an_entry(pap="PAP:ULTRAVIOLET")))
    assert isinstance(seen, Seen)
    assert understand(seen.observation.marking).pap is Pap.RED


@pytest.mark.parametrize("kind", IndicatorType)
def test_every_type_of_the_contract_has_a_pattern_that_is_read_back(kind: IndicatorType) -> None:
    for value in VALUES[kind]:
        entry = an_entry(value, kind.label, confidence=70, valid_until_ms=NOW_MS + DAY_MS)
        [seen] = read(objects_of(entry))
        assert isinstance(seen, Seen)
        there = seen.observation
        assert (spelled(there.kind, there.value), there.confidence) == ((kind, value), 70)
        assert (there.first_seen_ms, there.valid_until_ms) == (entry.first_seen_ms, NOW_MS + DAY_MS)


@given(entries(), TIMES, st.data())
def test_an_id_and_created_stay_and_modified_grows_with_the_version(
    entry: Entry, step: int, data: st.DataObject
) -> None:
    versions = sorted({entry.version, entry.version + step, max(CREATED_MS, entry.version)})
    state = data.draw(st.sampled_from([State.LIVE, State.EXPIRED, State.REVOKED]))
    made = [indicator_of(msgspec.structs.replace(entry, version=each, state=state)) for each in versions]
    assert len({(each["id"], each["created"], each["created_by_ref"]) for each in made}) == 1
    for (one, earlier), (other, later) in pairwise(zip(versions, made, strict=True)):
        assert earlier["created"] <= earlier["modified"] <= later["modified"]
        if CREATED_MS <= one < other < 253_402_300_799_999:
            assert earlier["modified"] < later["modified"]


def test_nations_do_not_share_an_object_but_the_exchanges_id() -> None:
    one, other = indicator_of(an_entry(origin="GBR")), indicator_of(an_entry(origin="JPN"))
    assert one["id"] != other["id"]
    assert one["created_by_ref"] != other["created_by_ref"]
    assert one["external_references"][0]["external_id"] == other["external_references"][0]["external_id"]
    assert one == indicator_of(an_entry(origin="GBR"))


@given(entries())
def test_what_is_valid_ends_after_it_begins(entry: Entry) -> None:
    made = indicator_of(entry)
    for name in ("created", "modified", "valid_from", "valid_until"):
        assert name not in made or _TIME.fullmatch(made[name])
    if entry.ends_ms is not None or entry.state is State.EXPIRED:
        assert made["valid_from"] < made["valid_until"]
        assert at(made["valid_until"]) <= max(1, entry.ends_ms or at(made["modified"]))
    else:
        assert "valid_until" not in made


@given(entries(State.REVOKED))
def test_what_is_revoked_is_withdrawn_at_the_own_reader(entry: Entry) -> None:
    assert sighting_of(entry) is None
    [found] = read(objects_of(entry))
    assert isinstance(found, Withdrawn)
    assert spelled(found.kind, found.value) == (TYPE_BY_LABEL[entry.type], entry.value)


@given(entries(State.EXPIRED))
def test_what_is_expired_has_an_end_that_has_passed(entry: Entry) -> None:
    made = indicator_of(entry)
    assert "revoked" not in made
    assert made["valid_until"] <= made["modified"]


@given(entries())
def test_a_withdrawal_takes_the_object_back_and_has_nothing_of_its_content(entry: Entry) -> None:
    version = max(entry.version, CREATED_MS) + 1
    ended = Ended(
        id=entry.id, origin=entry.origin, state=State.RECALLED, reason="policy-changed", version=version, received_ms=0
    )
    before, made = indicator_of(entry), withdrawal_of(ended)
    assert_valid(made)
    assert by_number(json.loads(parse(made, allow_custom=False).serialize())) == by_number(made)
    assert (made["id"], made["created"]) == (before["id"], before["created"])
    assert made["modified"] >= before["modified"]
    assert made == withdrawal_of(ended)
    [found] = read([made])
    assert isinstance(found, Emptied)
    assert found.object_id == before["id"]


def test_labels_become_phases_techniques_and_types() -> None:
    labels = ("Malicious-Activity", "T1566.001", "attack.initial_access", "benign", 'kill-chain:"Delivery"', "ta0011")
    made = indicator_of(an_entry(labels=labels, techniques=("T1566.001",)))
    assert made["labels"] == list(labels)
    assert made["indicator_types"] == ["malicious-activity"]
    assert {(each["kill_chain_name"], each["phase_name"]) for each in made["kill_chain_phases"]} == {
        ("mitre-attack", "initial-access"),
        ("mitre-attack", "command-and-control"),
        ("lockheed-martin-cyber-kill-chain", "delivery"),
    }
    assert {"source_name": "mitre-attack", "external_id": "T1566.001"} in made["external_references"]


def test_a_tearline_is_the_description_and_a_sources_own_text_is_nowhere() -> None:
    entry = an_entry(tearline="seen in phishing", descriptions=("in the mail of our minister",))
    text = json.dumps(objects_of(entry))
    assert '"description": "seen in phishing"' in text
    assert "minister" not in text
