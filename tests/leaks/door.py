"""The door's part of the hunt: feeds with restrictions in every place, through readers and the whole exchange.

Each feed is of a source of its own. What JPN accepts of it is held to the oracle of what its words mean
(``tests.fuzz.restrictions``): nothing leaves that may not, and no label is looser than the strictest in the feed.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Final

import msgspec

from producers.admission import admitted
from producers.readers.formats import readers
from producers.readers.reading import Defaults, Seen
from producers.report import MAX_OBSERVATIONS
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.markings import Marking, SourceMarking, Tlp
from schemas.observation import Observation
from schemas.records import Content, SensorReport
from streams.enrichment.enrich import Enricher
from streams.enrichment.installed import installed_enricher
from tests.builders import DAY_MS, NOW_MS, a_report
from tests.fuzz.marked_feeds import MarkedFeed, marked_feed
from tests.fuzz.restrictions import Meant
from tests.leaks.hunt import Found
from tests.producers.reading_feeds import an_input
from tests.streams.memory_exchange import PARTNER, MemoryExchange

_CODEC: Final = Codec()
_NAME: Final = re.compile(r"bad(\d*)\.example\.org")  # special use: it would never leave
_ADDRESS: Final = "198.51.100.7"
_AT_ONCE: Final = 250
_DEFAULTS: Final = tuple(
    Defaults(marking=SourceMarking(tlp="TLP:CLEAR", releasable_to=nations), confidence=60)
    for nations in (None, (PARTNER,))
)

Read = Callable[[MarkedFeed, Defaults], Iterator[Observation]]


def read(feed: MarkedFeed, defaults: Defaults) -> Iterator[Observation]:
    """What a sensor would send of a feed."""
    for reading in readers()[feed.format_name].read(an_input(feed.content.encode(), "marked"), defaults):
        known = admitted(reading) if isinstance(reading, Seen) else None
        if isinstance(known, Seen):
            yield known.observation


def door_batch(seed: int, feeds: int, by: Read = read) -> Found:
    """So many feeds by this seed, read by these readers."""
    random, found = Random(f"door {seed}"), Found()
    for first in range(0, feeds, _AT_ONCE):
        _round(random, min(_AT_ONCE, feeds - first), by, found)
    return found


def _round(random: Random, feeds: int, by: Read, found: Found) -> None:
    exchange = MemoryExchange(_enricher())
    sent: dict[str, tuple[MarkedFeed, Defaults]] = {}
    for number in range(feeds):
        feed, defaults = _renamed(marked_feed(random), number), random.choice(_DEFAULTS)
        found.tallies["feeds"] += 1
        for report in _reports(number, list(by(feed, defaults))):
            sent |= dict.fromkeys(report["values"], (feed, defaults))
            exchange.send(report)
    exchange.settle()
    for record in exchange.log(topics.accepted("GBR")):
        released = _CODEC.decode(RELEASED_INDICATOR, record.value)
        content = released["content"] if isinstance(released, dict) else None
        if content is None:
            continue
        found.tallies["indicators of feeds that left"] += 1
        feed, defaults = sent[content["value"]]
        wrong = leak(feed.meant, content, named=defaults.marking.releasable_to is not None)
        if wrong:
            found.tallies["leaks"] += 1
            found.leaks[3:] = [f"{wrong}: {msgspec.json.encode(feed).decode()}"]


def leak(meant: Meant, content: Content, *, named: bool) -> str:
    """What is wrong with what has left, in words; empty if nothing is. ``named``: the operator named the partner."""
    highest = Tlp.AMBER_STRICT if named else Tlp.GREEN
    if meant.tlp > highest or meant.nobody or meant.held or meant.caveats:
        return "it left"
    label = next(tlp for tlp in Tlp if tlp.label == content["tlp"])
    recipients = tuple(content["releasable_to"])
    return meant.overlooked(Marking(label, releasable_to=recipients))


def _renamed(feed: MarkedFeed, number: int) -> MarkedFeed:
    """The same feed with values that may leave, and that no other feed has."""
    text = _NAME.sub(rf"n{number}x\1.kakenet-mal.org", feed.content)
    return msgspec.structs.replace(feed, content=text.replace(_ADDRESS, f"145.14.{number // 250}.{number % 250 + 1}"))


def _reports(number: int, rows: list[Observation]) -> Iterator[SensorReport]:
    for sequence, first in enumerate(range(0, len(rows), MAX_OBSERVATIONS)):
        some = rows[first : first + MAX_OBSERVATIONS]
        yield a_report(some, sensor=f"sensor {number}", epoch=NOW_MS - DAY_MS, sequence=sequence)


@cache
def _enricher() -> Enricher:
    return installed_enricher()
