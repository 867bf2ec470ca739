"""A sighting of a partner's indicator, as an observation of our own: it goes by our intake like any other.

It states that we have seen the value, how often and when, and nothing from the partner's record: neither its
confidence nor its labels come back as ours (no echo). Its marking is at least as strict as what the partner asked of
the indicator, and it is for the partner alone: that it was shared with us is not for third nations to learn.
"""

from hashlib import sha256
from typing import Final

import msgspec

from producers.readers.reading import Group
from producers.report import ReportBuilder
from producers.spool.assertions import Named, scope_of
from producers.spool.batch import Sensor
from producers.spool.spool import Spool
from schemas.codec import SENSOR_REPORT, Codec
from schemas.markings import Marking, SourceMarking, understand
from schemas.observation import Observation
from schemas.records import Content
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

TOOL: Final = "sighting"


def sensor_for(partner: str) -> str:
    """The name of the sensor that sightings for a partner are counted for, if no other is given.

    It is one for each partner: one source's reports of a value join in one marking, and the marking of a sighting
    names a single recipient. Of two partners that share a value, neither would receive it.
    """
    return f"sightings-{partner.lower()}"


class Theirs(msgspec.Struct, frozen=True):
    """A partner's live indicator, as far as a sighting needs it: what it is, and how the partner has marked it."""

    kind: IndicatorType
    value: str
    tlp: str
    pap: str
    caveats: tuple[str, ...]


def scope_for(partner: str) -> bytes:
    """The scope of the spool's assertions that are sightings for a partner."""
    return scope_of(group_for(partner))


def group_for(partner: str) -> Group:
    """The sightings for a partner, as a group that is never read whole."""
    return Group(f"sightings for {partner}", 0)


def object_of(kind: IndicatorType, value: str) -> str:
    """The name of a sighting in the spool's assertions: there is one for each value."""
    return f"{kind.label} {value}"


def theirs(content: Content) -> Theirs:
    """The same of a record's content."""
    kind, caveats = TYPE_BY_LABEL[content["type"]], tuple(content["caveats"])
    return Theirs(kind, content["value"], content["tlp"], content["pap"], caveats)


def sighting_of(
    seen: Theirs, origin: str, *, tlp: str, count: int, first_seen_ms: int, last_seen_ms: int, description: str = ""
) -> Observation:
    """Our sighting of the partner's indicator, marked ``tlp`` or as strictly as the partner has marked it."""
    asked = understand(SourceMarking(seen.tlp, seen.pap, (origin,), seen.caveats))
    marking = understand(SourceMarking(tlp, "", (origin,))).join(asked)
    return Observation(
        kind=seen.kind,
        value=seen.value,
        first_seen_ms=first_seen_ms,
        last_seen_ms=last_seen_ms,
        count=count,
        marking=_spelled(marking),
        description=description,
    )


def _spelled(marking: Marking) -> SourceMarking:
    """As a source would write it; without a label it is unmarked, and held until an officer marks it."""
    named = marking.releasable_to
    return SourceMarking(marking.tlp.label, marking.pap.label, named, tuple(str(caveat) for caveat in marking.caveats))


def spool_sighting(
    spool: Spool, sensor: Sensor, observation: Observation, partner: str, codec: Codec, now_ms: int
) -> None:
    """Make it durable as a report of one observation. The same sighting reported twice counts twice."""
    kind, seen = observation.kind, observation.value
    spool.assertions.reported(Named(kind, seen, object_of(kind, seen), 0, scope_for(partner)))
    builder = ReportBuilder()
    builder.add(observation)
    report = builder.build(
        nation=sensor.nation,
        sensor=sensor.name,
        epoch=spool.epoch,
        sequence=spool.next_sequence(),
        produced_at_ms=now_ms,
        tool=TOOL,
    )
    value = codec.encode(SENSOR_REPORT, report)
    source = spool.open_input(TOOL, len(value), sha256(value).digest(), now_ms)
    spooled = (sensor.name.encode(), value, 1)
    spool.append(source, line=1, item=1, complete=True, report=spooled, refusals=(), now_ms=now_ms)
