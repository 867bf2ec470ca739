"""What a MISP server keeps for itself stays home: local tags, tags that are not exportable, names of attachments."""

import json
from typing import Any

import pytest

from producers.readers.misp_markings import LOCAL
from schemas.markings import Caveat, understand
from streams.rules.labels import known
from tests.producers.reading_feeds import observations, readings
from tests.producers.test_misp_event import an_attribute, an_event

TOOL = 'misp-galaxy:tool="Mimikatz"'


def labels_of(tag: dict[str, Any], *, at: str) -> tuple[str, ...]:
    """The labels of an event's attribute, with the tag at either of them."""
    tags = {"Tag": [tag]}
    event = an_event(an_attribute(**(tags if at == "attribute" else {})), **(tags if at == "event" else {}))
    [seen] = observations(readings("misp-event", json.dumps(event).encode()))
    return seen.labels


@pytest.mark.parametrize("at", ["event", "attribute"])
@pytest.mark.parametrize(
    "home", [{"local": 1}, {"local": True}, {"local": "1"}, {"exportable": False}, {"exportable": 0}]
)
def test_a_tag_that_stays_home_becomes_a_label_of_no_vocabulary(home: dict[str, Any], at: str) -> None:
    assert known().knows(TOOL)
    assert labels_of({"name": TOOL} | home, at=at) == (f"{LOCAL}{TOOL}",)
    assert not known().knows(f"{LOCAL}{TOOL}")


@pytest.mark.parametrize("free", [{}, {"local": 0}, {"local": False, "exportable": True}, {"local": None}])
def test_any_other_tag_is_a_label_as_it_is_written(free: dict[str, Any]) -> None:
    assert labels_of({"name": TOOL} | free, at="event") == (TOOL,)


def test_a_local_tag_restricts_all_the_same() -> None:
    event = an_event(an_attribute(), Tag=[{"name": "tlp:red", "local": 1}])
    [seen] = observations(readings("misp-event", json.dumps(event).encode()))
    assert seen.marking.tlp == "TLP:RED"


def test_the_name_of_an_e_mail_s_attachment_may_name_people() -> None:
    event = an_event(an_attribute(type="email-attachment", value="Invoice_Tanaka.pdf"), Tag=[{"name": "tlp:clear"}])
    [seen] = observations(readings("misp-event", json.dumps(event).encode()))
    assert understand(seen.marking).caveats == (Caveat.PERSONAL_DATA,)
