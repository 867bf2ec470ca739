"""Applies the operator's limits to the readings of any format: the types that are taken, and the most confidence."""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.markings.marked import NOTHING, Marked, stricter
from producers.readers.reading import Defaults, Emptied, LeftOut, Reading, Seen

OTHER_TYPE: Final = "other-type"
RULES: Final = {OTHER_TYPE: "values of types that the sensor does not publish (`--type`)"}
_MOST: Final = 100


def limited(readings: Iterator[Reading], defaults: Defaults, of_names: Marked = NOTHING) -> Iterator[Reading]:
    """The same readings within the limits, and with what was stated around the input. No withdrawal is left out.

    ``of_names`` is what its names state.
    """
    around = defaults.around.join(Marked(of_names.marking, of_names.origins))
    if around != NOTHING:
        readings = _marked(readings, around)
    if not defaults.types and defaults.confidence_ceiling >= _MOST:
        return readings
    return _limited(readings, defaults)


def _marked(readings: Iterator[Reading], around: Marked) -> Iterator[Reading]:
    for reading in readings:
        if isinstance(reading, Seen):
            seen = reading.observation
            marking, labels = stricter(seen.marking, around.marking), (*seen.labels, *around.labels)
            observation = msgspec.structs.replace(seen, marking=marking, labels=tuple(dict.fromkeys(labels)))
            origins = tuple(dict.fromkeys((*reading.marking_from, *around.origins)))
            yield msgspec.structs.replace(reading, observation=observation, marking_from=origins)
        else:
            yield reading


def _limited(readings: Iterator[Reading], defaults: Defaults) -> Iterator[Reading]:
    types, ceiling = defaults.types, defaults.confidence_ceiling
    for reading in readings:
        if not isinstance(reading, Seen) or reading.observation.withdrawal is not None:
            yield reading
        elif types and reading.observation.kind not in types:
            yield LeftOut(reading.place, OTHER_TYPE, f"{reading.observation.kind.label} {reading.observation.value}")
            if reading.object_id:  # what its older versions asserted ends nevertheless
                yield Emptied(reading.place, reading.object_id, reading.modified_ms, reading.group)
        elif reading.observation.confidence > ceiling:
            seen = msgspec.structs.replace(reading.observation, confidence=ceiling)
            yield msgspec.structs.replace(reading, observation=seen)
        else:
            yield reading
