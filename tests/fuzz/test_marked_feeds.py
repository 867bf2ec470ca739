"""Feeds with restrictions everywhere: none is overlooked, and the oracle would notice if one were."""

from random import Random

import msgspec
import pytest

from producers.readers.formats import readers
from schemas.markings import Caveat, Marking, Tlp
from tests.fuzz.marked_feeds import marked_feed
from tests.fuzz.restrictions import LABELS, Meant, disguised
from tests.fuzz.targets import Lost, take_marked

FEEDS = 3000
AS_PROSE = {"pdf-report"}
"""Read as prose once its text is extracted, which takes a process for each."""


def test_no_restriction_in_any_place_is_overlooked_and_most_are_understood_exactly() -> None:
    feeds = [marked_feed(Random(f"marked {number}")) for number in range(FEEDS)]
    fates = take_marked(msgspec.json.encode(feeds))
    assert sum(fates.values()) >= FEEDS
    assert fates["as meant"] > FEEDS * 0.6
    assert {feed.format_name for feed in feeds} == set(readers()) - AS_PROSE
    assert {feed.meant.tlp for feed in feeds} == set(Tlp) - {Tlp.UNMARKED}


@pytest.mark.parametrize(
    ("meant", "found"),
    [
        (Meant(Tlp.RED), Marking(Tlp.GREEN, releasable_to=None)),
        (Meant(Tlp.AMBER_STRICT), Marking(Tlp.AMBER, releasable_to=("JPN",))),
        (Meant(nobody=True), Marking(Tlp.CLEAR, releasable_to=None)),
        (Meant(held=True), Marking(Tlp.CLEAR, releasable_to=None)),
        (Meant(caveats=frozenset({Caveat.UK_EYES_ONLY})), Marking(Tlp.CLEAR, releasable_to=None)),
    ],
)
def test_the_oracle_notices_what_came_out_looser(meant: Meant, found: Marking) -> None:
    assert meant.overlooked(found)


def test_a_reader_that_overlooks_a_place_is_noticed() -> None:
    feed = marked_feed(Random("one"))
    content = '{"Event": {"info": "x", "Attribute": [{"type": "domain", "value": "bad.example.org", "to_ids": true}]}}'
    looser = msgspec.structs.replace(feed, format_name="misp-event", content=content, meant=Meant(Tlp.RED))
    with pytest.raises(Lost, match="TLP:RED came out as TLP:CLEAR"):
        take_marked(msgspec.json.encode([looser]))


def test_labels_come_in_many_forms() -> None:
    forms = {disguised(Random(number), word) for word in LABELS for number in range(500)}
    assert len(forms) > 1500
