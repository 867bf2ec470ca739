"""What strangers' bytes reach: each target takes any bytes, and answers what became of them, or fails.

A reader's observations go on as they do in the field: admitted, built into reports, encoded, and through intake. What a
reader lets pass and intake cannot take is a finding as much as an exception is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

import msgspec

from consumers.bridge.guard import check
from consumers.bridge.receipt_guard import check_receipt
from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import ObservationFate, ReportFate
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from producers.admission import admitted
from producers.live.syslog_frames import Unframed, carried, frames
from producers.readers.formats import readers, readings_of
from producers.readers.reading import Aside, Defaults, LeftOut, Rejected, Seen
from producers.report import ReportBuilder
from producers.spool.refusal import quarantined
from schemas import topics
from schemas.codec import (
    LATER_RELEASES,
    OBSERVATION_BLOCK,
    QUARANTINED,
    RECEIPT,
    RELEASED_INDICATOR,
    SENSOR_REPORT,
    Codec,
    Undecodable,
)
from schemas.links import all_agreed
from schemas.markings import SourceMarking, understand
from schemas.topics import MAX_RECORD_BYTES
from streams.intake.step import Intake
from streams.receive.inbound import admit
from streams.receive.inbound_receipt import admit_receipt
from tests.builders import DAY_MS, NOW_MS
from tests.fuzz import corpus
from tests.fuzz.marked_feeds import MarkedFeed, marked_feed
from tests.fuzz.mutate import packed, spoilt, spoilt_document
from tests.producers.reading_feeds import an_input
from tests.streams.workbench import Workbench

Fates = Counter[str]
OUT, IN = all_agreed("GBR", "JPN"), all_agreed("JPN", "GBR")
CODEC: Final = Codec()
_DIGEST: Final = b"\0" * 32
_SENSOR: Final = "fuzzed"
_PART_BYTES: Final = 700


class Target(msgspec.Struct, frozen=True):
    """Where bytes arrive. ``bombs`` are tried first, as they are; ``spoil`` makes all others, of ``cases`` each."""

    name: str
    bombs: Callable[[], Sequence[bytes]]
    spoil: Callable[[Random], bytes]
    take: Callable[[bytes], Fates]
    cases: int = 1


class Lost(Exception):  # what was lost, not an error of the code that finds it
    """A piece of input has no fate, or two."""


def case(target: Target, seed: int, number: int) -> bytes:
    """The bytes of one case: they follow from target, seed and number alone."""
    bombs = target.bombs()
    return bombs[number] if number < len(bombs) else target.spoil(Random(f"{target.name} {seed} {number}"))


# -- intake --------------------------------------------------------------------------------------------------------


def take_report(value: bytes) -> Fates:
    """A record on the sensors' topic, whatever it holds, beside a good one that must not suffer."""
    good = corpus.reports()[-1]
    bench = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: Roster("GBR")))
    stood = [Record(topics.SENSOR_REPORTS, 0, place, None, each, NOW_MS) for place, each in enumerate((good, value))]
    effects = bench.turn(NOW_MS, *stood)
    fates = _reports_of(effects)
    if sum(fates.values()) != 2 or not fates[ReportFate.ACCEPTED]:
        raise Lost(f"two reports came to {dict(fates)}")
    _sound(bench)
    return Fates(str(fate) for fate, count in fates.items() for _ in range(count))


def _reports_of(effects: Effects) -> Counter[ReportFate]:
    return Counter({fate: count for fate in ReportFate if (count := effects.tallies[spec.REPORTS.tally(fate)])})


def _sound(bench: Workbench) -> None:
    """What was written can be read, and fits its topic."""
    for output in bench.outputs:
        if len(output.value or b"") > MAX_RECORD_BYTES:
            raise Lost(f"{len(output.value or b'')} bytes for {output.topic}: no broker takes them")
        name = QUARANTINED if output.topic == topics.QUARANTINE else OBSERVATION_BLOCK
        if isinstance(found := CODEC.decode(name, output.value), Undecodable):
            raise Lost(f"what was written to {output.topic} cannot be read: {found.detail}")


# -- the readers ---------------------------------------------------------------------------------------------------


def take_input(format_name: str, data: bytes) -> Fates:
    """A sensor's input, through the reader, into reports, and through intake."""
    fates, builder, sequence = Fates(), ReportBuilder(), 0
    bench = Workbench(Intake("GBR", 0, 1, CODEC, quota=1 << 40, roster=lambda: Roster("GBR")))
    readings, reader = readings_of(an_input(data, "fuzzed"), format_name, Defaults(encoding="utf-8"))
    tool = "" if reader is None else reader.name
    for item, reading in enumerate(readings):
        if isinstance(reading, Aside):
            continue
        if isinstance(reading, LeftOut):
            fates[f"left out: {reading.rule}"] += 1
            continue
        known = reading if isinstance(reading, Rejected) else admitted(reading)
        if isinstance(known, Rejected):
            fates[f"refused: {known.reason}"] += 1
            _sound_refusal(known, item)
            continue
        if not builder.has_room(known.observation):
            _counted(builder, bench, tool, sequence, fates)
            sequence += 1
        builder.add(known.observation)
    if len(builder):
        _counted(builder, bench, tool, sequence, fates)
    return fates


def _sound_refusal(known: Rejected, item: int) -> None:
    value = CODEC.encode(QUARANTINED, quarantined(known, _SENSOR, _DIGEST, item, NOW_MS))
    if len(value) > MAX_RECORD_BYTES:
        raise Lost(f"a refusal of {len(value)} bytes: no broker takes it")


def _counted(builder: ReportBuilder, bench: Workbench, tool: str, sequence: int, fates: Fates) -> None:
    """Intake takes the report whole, and each of its observations has one fate."""
    size = len(builder)
    report = builder.build(
        nation="GBR", sensor="fuzzed", epoch=NOW_MS - DAY_MS, sequence=sequence, produced_at_ms=NOW_MS, tool=tool
    )
    value = CODEC.encode(SENSOR_REPORT, report)
    bench.outputs.clear()
    effects = bench.turn(NOW_MS, Record(topics.SENSOR_REPORTS, 0, sequence, b"fuzzed", value, NOW_MS))
    if _reports_of(effects) != {ReportFate.ACCEPTED: 1}:
        raise Lost(f"intake does not take what the reader made: {dict(_reports_of(effects))}")
    _sound(bench)
    found = {str(fate): effects.tallies[spec.OBSERVATIONS.tally(fate)] for fate in ObservationFate}
    if found[str(ObservationFate.VALID)] + found[str(ObservationFate.QUARANTINED)] != size:
        raise Lost(f"{size} observations came to {found}")
    fates.update({fate: count for fate, count in found.items() if count})


# -- markings ------------------------------------------------------------------------------------------------------

MARKED_FEEDS: Final = 250
"""Feeds in one piece of bytes: each is a case of its own, and small."""
_OPEN: Final = Defaults(marking=SourceMarking(tlp="TLP:CLEAR", releasable_to=("JPN",)))


def take_marked(data: bytes) -> Fates:
    """Feeds with restrictions in every place, read with the loosest default: none may be overlooked."""
    fates = Fates()
    for feed in msgspec.json.decode(data, type=list[MarkedFeed]):
        for reading in readers()[feed.format_name].read(an_input(feed.content.encode(), "marked"), _OPEN):
            if not isinstance(reading, Seen):
                fates[f"not asserted: {feed.format_name}"] += 1
                continue
            found = understand(reading.observation.marking)
            overlooked = feed.meant.overlooked(found)
            if overlooked:
                raise Lost(f"{overlooked}: {feed.content}")
            fates["as meant" if feed.meant.is_exactly(found) else "held or stricter"] += 1
    return fates


def _marked() -> Target:
    def spoil(random: Random) -> bytes:
        return msgspec.json.encode([marked_feed(random) for _ in range(MARKED_FEEDS)])

    return Target("markings in feeds", tuple, spoil, take_marked, MARKED_FEEDS)


# -- the partner ---------------------------------------------------------------------------------------------------


def take_released(value: bytes) -> Fates:
    """A record under the key that it says it has, before the guard that lets it out and the one that lets it in."""
    decoded = CODEC.decode(RELEASED_INDICATOR, value)
    key = b"" if isinstance(decoded, Undecodable) else decoded["id"].encode()
    out = check(value, key, CODEC, agreed=OUT, now_ms=NOW_MS, partition=0, shards=1)
    came = admit(
        value,
        key,
        CODEC,
        agreed=IN,
        now_ms=NOW_MS,
        partition=0,
        shards=1,
        floor=None,
        recalled_through=0,
    )
    return Fates((f"out: {type(out).__name__}", f"in: {type(came).__name__}"))


def take_receipt(value: bytes) -> Fates:
    """The same for the partner's word on what it was given."""
    decoded = CODEC.decode(RECEIPT, value)
    key = b"" if isinstance(decoded, Undecodable) else decoded["indicator_id"].encode()
    out = check_receipt(value, key, CODEC, home="JPN", now_ms=NOW_MS, partition=0, shards=1)
    came = admit_receipt(value, key, CODEC, origin="JPN", now_ms=NOW_MS, partition=0, shards=1)
    return Fates((f"out: {type(out).__name__}", f"in: {type(came).__name__}"))


def _records(name: str, seeds: Callable[[], Sequence[bytes]], take: Callable[[bytes], Fates]) -> Target:
    def spoil(random: Random) -> bytes:
        seed = random.choice(seeds())
        return seed if random.random() < 0.1 else spoilt(random, seed, seeds())

    return Target(name, corpus.report_bombs if take is take_report else tuple, spoil, take)


def _reader(format_name: str) -> Target:
    def spoil(random: Random) -> bytes:
        seeds = corpus.inputs(format_name)
        if format_name in corpus.DOCUMENTS and random.random() < 0.7:
            data = spoilt_document(random, random.choice(corpus.documents(format_name)))
        else:
            data = spoilt(random, random.choice(seeds), seeds)
        return packed(random, data) if random.random() < 0.1 else data

    return Target(format_name, corpus.input_bombs, spoil, lambda data: take_input(format_name, data))


def take_syslog(data: bytes) -> Fates:
    """A stream of messages: a line of each, until it is no stream of them."""
    buffer, fates = bytearray(), Fates()
    for at in range(0, len(data), _PART_BYTES):
        buffer += data[at : at + _PART_BYTES]
        try:
            for message in frames(buffer):
                carried(message)
                fates["valid"] += 1
        except Unframed:
            fates["closed"] += 1
            break
    return fates or Fates(part=1)


def _spoilt_syslog(random: Random) -> bytes:
    message = b'<134>1 2026-11-20T00:00:00Z ids.example suricata 7 - [x@1 tlp="RED" y="\\"]"] {"a": 1}'
    stream = b"".join(b"%d %s" % (len(message), message) for _ in range(random.randrange(1, 20)))
    return stream if random.random() < 0.1 else spoilt(random, stream, (message,))


def targets() -> Iterable[Target]:
    """All of them."""
    yield _records("reports to intake", corpus.reports, take_report)
    for format_name in readers():
        yield _reader(format_name)
    yield _marked()
    yield Target("messages of syslog", tuple, _spoilt_syslog, take_syslog)
    yield _records(
        "records from a partner",
        lambda: tuple(record for name in (RELEASED_INDICATOR, *LATER_RELEASES) for record in corpus.records(name)),
        take_released,
    )
    yield _records("receipts from a partner", lambda: corpus.records(RECEIPT), take_receipt)
