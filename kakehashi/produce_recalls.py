"""Asks before ``kakehashi produce`` sends a marking that keeps released values from the partner that has them.

The spool remembers the markings that its inputs were sent with. If the options are stricter than one of these, the
inputs are read once without being sent, and their values are looked up among the nation's releases. A pipe cannot be
read twice, so nothing is asked about it.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec
import typer
from confluent_kafka import KafkaException

from consumers.subscription.subscription import latest
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import ExchangeError, Refused
from exchange.kafka.clients import Cluster
from producers.inputs import OpenInput, name_in_utf8
from producers.known import read_before, stated_by
from producers.produce import Options
from producers.readers.formats import readings_of
from producers.readers.reading import Seen
from producers.source import STANDARD_INPUT, opened
from producers.spool.spool import Spool
from producers.stop import Stop
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.counting import counted
from schemas.identity import indicator_id, indicator_key
from schemas.markings import Marking, SourceMarking, Tlp, understand
from schemas.normalise import Invalid, canonical
from schemas.records import Content, ReleasedIndicator


def ask(options: Options, spool: Spool, partners: tuple[str, ...], cluster: Cluster) -> None:
    """Return if nothing released is concerned, or if the operator agrees; else raise Refused, with nothing sent."""
    if not _is_stricter(options, spool):
        return
    again, marked = _marked(options, spool)
    if not marked:
        return
    try:
        released = {partner: _kept_back(marked, cluster, partner) for partner in partners}
    except (ExchangeError, KafkaException):
        if again:  # whether it is released cannot be known: without rights, or without the cluster
            _confirm(
                "this was read before with a less strict marking, and what is released cannot be read here", options
            )
        return
    found = {partner: count for partner, count in released.items() if count}
    if found:
        listed = ", ".join(f"{counted(count, 'value')} to {partner}" for partner, count in found.items())
        _confirm(f"released now, and kept back by this marking: {listed}", options)


def _is_stricter(options: Options, spool: Spool) -> bool:
    """Whether the marking of an input is not covered by each that an input of this sensor was sent with."""
    earlier = [understand(msgspec.json.decode(text, type=SourceMarking)) for text in spool.markings()]
    present = {understand(stated_by((name,), options.defaults)) for name in options.files}
    return any(marking.join(now) != marking for marking in earlier for now in present)


def _marked(options: Options, spool: Spool) -> tuple[bool, Mapping[bytes, Marking]]:
    """The values that are going to be sent, with the strictest marking of each; and whether any were read before."""
    marked: dict[bytes, Marking] = {}
    is_read = False
    for name in options.files:
        if name == STANDARD_INPUT:
            continue
        with opened(name, lambda: None, Stop()) as stream:
            if not stream.seekable():
                continue
            before = read_before(name, stream, spool, options.defaults)
            if before.was_read:
                if before.is_covered and not (options.again or options.snapshot is not None):
                    continue
                is_read = True
            source = OpenInput(name_in_utf8(name), stream, encoding=options.defaults.encoding)
            for key, marking in _values(source, options):
                marked[key] = marking if key not in marked else marked[key].join(marking)
    return is_read, marked


def _values(source: OpenInput, options: Options) -> Iterator[tuple[bytes, Marking]]:
    readings, _ = readings_of(source, options.format, options.defaults)
    for reading in readings:
        if isinstance(reading, Seen):
            seen = reading.observation
            known = canonical(seen.kind, seen.value)
            if not isinstance(known, Invalid):
                yield indicator_key(*known), understand(seen.marking)


def _kept_back(marked: Mapping[bytes, Marking], cluster: Cluster, partner: str) -> int:
    """How many of the values are released to the partner, which their marking keeps from it."""
    names = {indicator_id(key).encode(): marking for key, marking in marked.items()}
    codec, count = cluster.codec(), 0
    with TopicReader(cluster, topics.released(partner)) as reader:
        for partition in reader.partitions:
            for record in latest(each for each in reader.records(partition) if each.key in names):
                content = _content(record.value, codec)
                count += content is not None and _keeps_from(names[record.key or b""], partner, content)
    return count


def _content(value: bytes | None, codec: Codec) -> Content | None:
    found = codec.decode(RELEASED_INDICATOR, value)
    return None if isinstance(found, Undecodable) else cast("ReleasedIndicator", found)["content"]


def _keeps_from(marking: Marking, partner: str, content: Content) -> bool:
    """What no rules may release, whatever they are; or a caveat that the released record does not have."""
    known = understand(SourceMarking(content["tlp"], content["pap"], (partner,), tuple(content["caveats"])))
    named = marking.releasable_to is None or partner in marking.releasable_to
    return marking.tlp >= Tlp.UNMARKED or not named or not set(marking.caveats) <= set(known.caveats)


def _confirm(what: str, options: Options) -> None:
    question = f"{what}. Values may be recalled"
    if sys.stdin is None or not sys.stdin.isatty() or STANDARD_INPUT in options.files:
        raise Refused(f"{question}. Nothing was sent: add --yes if that is intended")
    if not typer.confirm(f"{question}. Go on?", err=True):
        raise Refused("nothing was sent")
