"""A stream of reports at an even rate: at any moment one observation in ten is of an indicator that is new.

Each indicator is seen ten times, evenly over its life, each time by any of the sensors. A stream builds up: until
the first ones have lived there is less to be seen again, and after that it is even.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from bench.publish import Sending, sending
from bench.stand import HOME
from bench.workload import REPORT_SIZE, SENSORS, observation
from producers.report import report_of
from schemas.codec import Codec
from schemas.observation import Observation

SIGHTINGS: Final = 10


class Due(msgspec.Struct, frozen=True, gc=False):
    """A report, when it is to be sent, seconds from the start of the stream, and how much it has."""

    at_s: float
    record: Sending
    observations: int


def sightings(rate: float, life_s: float, seconds: float) -> Iterator[tuple[float, int, int]]:
    """(seconds from the start, indicator, how often seen before) at ``rate`` observations a second."""
    apart = max(1, round(rate * life_s / SIGHTINGS**2))  # indicators that are new between two sightings of one
    for place in range(int(rate * seconds)):
        newest, again = divmod(place, SIGHTINGS)
        if (number := newest - again * apart) >= 0:
            yield place / rate, number, again


def reports(rate: float, life_s: float, seconds: float, now_ms: int, stream: int) -> Sequence[Due]:
    """The reports of a stream, each due with its last observation; none for a rate of 0.

    Each ``stream`` has sensors and indicators of its own. A sensor's first report is a part of one: so they are due one
    by one, not all at once.
    """
    dice, codec, found = random.Random(stream), Codec(), list[Due]()
    names = [f"stream-{stream}-{sensor:02d}" for sensor in range(SENSORS)]
    waiting: list[list[Observation]] = [[] for _ in names]
    wanted = [max(1, REPORT_SIZE * (sensor + 1) // SENSORS) for sensor in range(SENSORS)]
    sequences = [0] * SENSORS
    for at_s, number, again in sightings(rate, life_s, seconds) if rate else ():
        sensor = dice.randrange(SENSORS)
        rows = waiting[sensor]
        rows.append(observation(stream, number, again, now_ms))
        if len(rows) < wanted[sensor]:
            continue
        name, sequence = names[sensor], sequences[sensor]
        report = report_of(
            rows, nation=HOME, sensor=name, epoch=now_ms, sequence=sequence, produced_at_ms=now_ms, tool="bench"
        )
        found.append(Due(at_s, sending(report, codec), len(rows)))
        waiting[sensor], wanted[sensor], sequences[sensor] = [], REPORT_SIZE, sequence + 1
    return found
