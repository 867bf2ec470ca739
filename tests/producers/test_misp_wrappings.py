"""MISP's JSON in all wrappings in which its interfaces give it, its feeds' indexes, and what analysts add."""

import json
from typing import Any

import pytest

from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, Defaults, LeftOut
from schemas.vocabulary import IndicatorType
from tests.door.outcomes import marking_text
from tests.producers.reading_feeds import an_input, left_out, observations, readings, refusals
from tests.producers.test_misp_event import an_attribute, an_event

FORMAT = "misp-event"
EVENT = {"uuid": "e", "info": "made up", "distribution": "0"}
FILE = {"name": "file", "uuid": "o", "distribution": "3", "Attribute": [an_attribute(type="md5", value="a" * 32)]}


def read(document: Any) -> list[Any]:
    return readings(FORMAT, json.dumps(document).encode())


@pytest.mark.parametrize(
    "document",
    [
        an_attribute(),
        [an_attribute()],
        {"Attribute": an_attribute()},
        {"Attribute": [an_attribute()]},
        {"response": {"Attribute": [an_attribute()]}},
        {"response": {"Event": [an_event(an_attribute())["Event"]]}},
        {"Object": FILE},
        [{"Object": FILE}],
        {"response": [{"Object": FILE}]},
        {"Object": FILE, "action": "add"},
    ],
)
def test_each_wrapping_is_read(document: Any) -> None:
    found = read(document)
    assert len(observations(found)) == 1
    assert refusals(found) == []


@pytest.mark.parametrize(
    ("document", "marking"),
    [
        ({"Attribute": an_attribute(distribution="5"), "Event": EVENT, "action": "edit"}, "unmarked to nobody"),
        ({"Object": FILE, "Event": EVENT, "action": "edit"}, "unmarked to nobody"),
        ([an_event(an_attribute()) | {"tlp": "red"}], "TLP:RED"),
        ({"response": [an_event(an_attribute()) | {"x_tlp": "red"}]}, "TLP:RED"),
        ({"response": {"Event": [an_event(an_attribute())["Event"]], "tlp": "red"}}, "TLP:RED"),
    ],
)
def test_what_is_around_or_beside_it_restricts_it(document: Any, marking: str) -> None:
    [row] = observations(read(document))
    assert marking_text(row.marking) == marking


def test_events_that_are_one_a_line_are_read() -> None:
    events = [
        an_event(an_attribute(uuid=f"{number}", value=f"c{number}.example.com"), uuid=f"e{number}") for number in (1, 2)
    ]
    found = readings(FORMAT, "\n".join(map(json.dumps, events)).encode())
    assert [row.value for row in observations(found)] == ["c1.example.com", "c2.example.com"]


@pytest.mark.parametrize("document", [{"to_ids": True}, {"Event": {}}, {"Event": {"published": True}}])
def test_what_is_no_event_is_refused_and_not_passed_over(document: Any) -> None:
    [refused] = refusals(read(document))
    assert "it has neither uuid nor attributes nor objects" in refused.detail


@pytest.mark.parametrize("document", [an_event(), {"response": {"Attribute": []}}, {"Attribute": []}])
def test_an_event_or_answer_without_attributes_is_no_mistake(document: Any) -> None:
    assert read(document) == []


MANIFEST = json.dumps(
    {"6a1f0001-0000-4000-8000-000000000001": {"Orgc": {"name": "x"}, "info": "x", "date": "2026-11-20"}}
)
HASHES = "d41d8cd98f00b204e9800998ecf8427e,6a1f0001-0000-4000-8000-000000000001\n"


@pytest.mark.parametrize(("name", "content"), [("manifest.json", MANIFEST), ("feed/hashes.csv", HASHES)])
def test_the_indexes_of_a_feed_are_left_out_by_their_rule(name: str, content: str) -> None:
    found, reader = readings_of(an_input(content.encode(), name), AUTO, Defaults())
    assert [each.rule for each in found if isinstance(each, LeftOut)] == ["feed-index"]
    assert reader is not None
    assert reader.name == FORMAT


def test_a_list_with_the_name_of_an_index_is_none() -> None:
    source: OpenInput = an_input(b"md5\nd41d8cd98f00b204e9800998ecf8427e\n", "hashes.csv")
    found = [each for each in readings_of(source, AUTO, Defaults())[0] if not isinstance(each, Aside | LeftOut)]
    assert len(observations(list(found))) == 1


def analysis(**more: Any) -> dict[str, Any]:
    return {
        "uuid": "n",
        "distribution": "1",
        "sharing_group_id": None,
        "authors": "x",
        "note_type_name": "Note",
        **more,
    }


@pytest.mark.parametrize(
    ("said", "marking"),
    [
        ({"Note": [analysis(note="seen in a lab")]}, "unmarked"),
        ({"Note": [analysis(note="do not share")]}, "unmarked to nobody"),
        ({"Note": [analysis(note="x", Note=[analysis(note="tlp:red")])]}, "TLP:RED"),
        ({"Opinion": [analysis(opinion="80", comment="yes")]}, "unmarked"),
        ({"Opinion": [analysis(opinion=20, comment="no")]}, "unmarked + BENIGN"),
        ({"Relationship": [analysis(relationship_type="related-to")]}, "unmarked"),
    ],
)
def test_of_what_analysts_add_the_words_count_and_not_how_far_the_note_itself_may_go(
    said: dict[str, Any], marking: str
) -> None:
    for document in (an_event(an_attribute(**said)), an_event(an_attribute(), **said)):
        [row] = observations(read(document))
        assert marking_text(row.marking) == marking


def test_a_ja4_that_an_object_has_as_text_is_one() -> None:
    values = ("t13d1516h2_8daaf6152771_b186095e22b6", "c76s76_c71s59_c0s70")
    attributes = [
        an_attribute(uuid=each, type="text", object_relation="ja4-fingerprint", value=each) for each in values
    ]
    found = read(an_event(Object=[{"name": "ja4-plus", "uuid": "o", "Attribute": attributes}]))
    assert [(row.kind, row.value) for row in observations(found)] == [(IndicatorType.JA4, values[0])]
    assert len(refusals(found)) == 1


def test_the_sender_in_an_object_of_a_mail_stands_for_it_beside_its_subject() -> None:
    attributes = [
        an_attribute(uuid="1", type="email-src", object_relation="from", value="a@example.com"),
        an_attribute(uuid="2", type="email-subject", object_relation="subject", value="made up"),
        an_attribute(uuid="3", type="email-attachment", object_relation="attachment", value="a.zip"),
    ]
    found = read(an_event(Object=[{"name": "email", "uuid": "o", "Attribute": attributes}]))
    assert [row.value for row in observations(found)] == ["a@example.com"]
    assert [each.rule for each in left_out(found)] == ["part-of-object"]
