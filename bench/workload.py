"""Generates the benchmark's work: made-up sensor reports from a seed, and the expected result.

Values are names below reserved or random labels of 80 bits, URLs on them, random hashes, and IPv6 addresses of
RFC 3849: nothing here belongs to anyone. One value in ten is defanged, so that normalising has something to do.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Final

from producers.report import report_of
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.normalise import normalise
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType

SENSORS: Final = 40
REPORT_SIZE: Final = 500
_SUFFIXES: Final = ("com", "net", "org", "co.uk", "jp", "ne.jp")
_GREEN: Final = SourceMarking(tlp="TLP:GREEN")
_CLEAR: Final = SourceMarking(tlp="TLP:CLEAR")
_AMBER: Final = SourceMarking(tlp="TLP:AMBER", releasable_to=("JPN",))
_UNMARKED: Final = SourceMarking()
_LABELS: Final = (("malicious-activity",), ("phishing", "malicious-activity"), ("c2",), ())
_CONTEXTS: Final = 32
_RFC_3849: Final = int(IPv6Address("2001:db8::"))
_WITHHELD, _HELD, _CLASSES = 18, 19, 20  # of each 20 indicators one is special-use, and one is unmarked


class Spread(StrEnum):
    """Who sees an indicator again: any of the sensors at random, or always the one that saw it first."""

    ANY = "any sensor"
    SAME = "same sensor"


@dataclass(frozen=True, slots=True)
class Shape:
    """How much work, and how repetitive: each distinct indicator is seen ``repetition`` times, evenly spread."""

    observations: int
    repetition: int
    spread: Spread = Spread.ANY
    seed: int = 1
    skewed: int = 0  # per cent of the observations that are one indicator, besides

    @property
    def distinct(self) -> int:
        """How many indicators there are."""
        return self.observations // self.repetition

    @property
    def name(self) -> str:
        """For tables: ``10:1, any sensor``."""
        name = f"{self.repetition}:1" if self.repetition == 1 else f"{self.repetition}:1, {self.spread}"
        return f"{name}, one indicator in {self.skewed} % of all" if self.skewed else name

    @property
    def further(self) -> int:
        """Sightings of the first indicator besides, so that it is in ``skewed`` per cent of all observations."""
        return self.observations * self.skewed // (100 - self.skewed)


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected totals of the topics; ``released`` is None if only the rules can decide it."""

    distinct: int
    sightings: int
    released: int | None
    released_sightings: int | None


@dataclass(frozen=True, slots=True)
class Work:
    """Reports in the order of their publication, and the expected result."""

    name: str
    reports: tuple[SensorReport, ...]
    observations: int
    expected: Expected


def generate(
    shape: Shape, *, nation: str, epoch_ms: int, sensor_prefix: str = "bench", report_size: int = REPORT_SIZE
) -> Work:
    """The reports of 40 sensors, ``report_size`` observations each (fewer in a sensor's last); the same for the same
    arguments."""
    dice = random.Random(shape.seed)
    waiting: list[list[Observation]] = [[] for _ in range(SENSORS)]
    sequences = [0] * SENSORS
    reports: list[SensorReport] = []

    def publish(sensor: int) -> None:
        rows, waiting[sensor] = waiting[sensor], []
        reports.append(
            report_of(
                rows,
                nation=nation,
                sensor=f"{sensor_prefix}-{sensor:02d}",
                epoch=epoch_ms,
                sequence=sequences[sensor],
                produced_at_ms=epoch_ms,
                tool="bench",
            )
        )
        sequences[sensor] += 1

    for number, again in _sightings(shape, dice):
        sensor = dice.randrange(SENSORS) if shape.spread is Spread.ANY else number % SENSORS
        waiting[sensor].append(observation(shape.seed, number, again, epoch_ms))
        if len(waiting[sensor]) == report_size:
            publish(sensor)
    for sensor in range(SENSORS):
        if waiting[sensor]:
            publish(sensor)
    released = sum(_is_released(number) for number in range(shape.distinct))
    count = shape.distinct * shape.repetition + shape.further
    expected = Expected(shape.distinct, count, released, released * shape.repetition + shape.further)
    return Work(shape.name, tuple(reports), count, expected)


def _sightings(shape: Shape, dice: random.Random) -> Iterator[tuple[int, int]]:
    """(indicator, how often seen before): each round sees every indicator once, in an order of its own. Skewed ones
    come evenly between them, and count from there on."""
    numbers = list(range(shape.distinct))
    sent = further = 0
    for again in range(shape.repetition):
        dice.shuffle(numbers)
        for number in numbers:
            yield number, again
            sent += 1
            while further * shape.observations < sent * shape.further:
                yield 0, shape.repetition + further
                further += 1


def observation(seed: int, number: int, again: int, now_ms: int) -> Observation:
    """The indicator ``number`` of ``seed`` as it is seen for the ``again``-th time."""
    digest = blake2b(f"{seed}:{number}".encode(), digest_size=32).hexdigest()
    kind, value = _value(digest, number)
    if (number + again) % 10 == 0 and kind in (IndicatorType.DOMAIN_NAME, IndicatorType.URL):
        value = value.replace("https://", "hxxps://").replace(".", "[.]")
    seen_ms = now_ms - 60_000 + again
    context = number % _CONTEXTS
    return Observation(
        kind=kind,
        value=value,
        first_seen_ms=seen_ms,
        last_seen_ms=seen_ms,
        confidence=80,
        marking=_marking(number),
        labels=_LABELS[number % len(_LABELS)],
        description=f"Rule {context}",
        context=(("dest_ip", f"192.0.2.{context}"), ("rule", str(context))),
    )


def released_ids(shape: Shape) -> list[str]:
    """The ids of the indicators of this work that are released."""
    seen = (observation(shape.seed, number, 0, 0) for number in range(shape.distinct) if _is_released(number))
    values = [(each.kind, normalise(each.kind, each.value)) for each in seen]
    return [indicator_id(indicator_key(kind, value)) for kind, value in values if isinstance(value, str)]


def _value(digest: str, number: int) -> tuple[IndicatorType, str]:
    place = number % _CLASSES
    domain = f"h{digest[:20]}.{_SUFFIXES[number % len(_SUFFIXES)]}"
    if place == _WITHHELD:
        return IndicatorType.IPV6_ADDR, str(IPv6Address(_RFC_3849 + int(digest[:20], 16)))
    if place < 5:
        return IndicatorType.FILE_SHA256, digest
    if place < 9:
        return IndicatorType.URL, f"https://{domain}/{digest[20:28]}?id={number}"
    return IndicatorType.DOMAIN_NAME, domain if place % 2 else f"cdn.{domain}"


def _marking(number: int) -> SourceMarking:
    place = number % _CLASSES
    if place == _HELD:
        return _UNMARKED
    return (_GREEN, _GREEN, _CLEAR, _AMBER)[place % 4]


def _is_released(number: int) -> bool:
    """By the shared rules: special-use never leaves, unmarked waits for a human."""
    return number % _CLASSES not in (_WITHHELD, _HELD)
