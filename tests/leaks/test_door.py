"""The hunt at the door, in short; ``make leaks`` goes on with it."""

from collections.abc import Iterator

import msgspec
import pytest

from producers.readers.reading import Defaults
from schemas.markings import SourceMarking, Tlp
from schemas.observation import Observation
from schemas.records import Content
from tests.fuzz.marked_feeds import MarkedFeed
from tests.fuzz.restrictions import Meant
from tests.leaks.door import door_batch, leak, read

FEEDS = 500


def test_of_feeds_with_restrictions_in_every_place_nothing_leaks() -> None:
    found = door_batch(seed=20_261_130, feeds=FEEDS)
    assert found.leaks == []
    assert found.tallies["feeds"] == FEEDS
    assert found.tallies["indicators of feeds that left"] > FEEDS / 10


def test_a_reader_that_ignores_what_a_feed_states_is_found() -> None:
    def careless(feed: MarkedFeed, defaults: Defaults) -> Iterator[Observation]:
        for seen in read(feed, defaults):
            yield msgspec.structs.replace(seen, marking=defaults.marking)

    assert door_batch(seed=1, feeds=100, by=careless).tallies["leaks"] > 20


def test_a_reader_that_names_a_looser_label_is_found() -> None:
    def looser(feed: MarkedFeed, defaults: Defaults) -> Iterator[Observation]:
        for seen in read(feed, defaults):
            is_green = seen.marking == SourceMarking("TLP:GREEN", releasable_to=seen.marking.releasable_to)
            yield msgspec.structs.replace(seen, marking=defaults.marking) if is_green else seen

    found = door_batch(seed=2, feeds=200, by=looser)
    assert any("TLP:GREEN came out as TLP:CLEAR" in each for each in found.leaks)


@pytest.mark.parametrize(
    "meant", [Meant(Tlp.RED), Meant(Tlp.AMBER), Meant(nobody=True), Meant(held=True), Meant(Tlp.GREEN)]
)
def test_the_oracle_lets_none_of_these_go_as_clear(meant: Meant) -> None:
    content: Content = {"tlp": "TLP:CLEAR", "releasable_to": ["JPN"]}  # type: ignore[typeddict-item]
    assert leak(Meant(), content, named=False) == ""
    assert leak(meant, content, named=False) != ""
