"""Recorded work: real feeds, read by the producers' own readers, one sensor a file."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from bench.workload import REPORT_SIZE, Expected, Work
from exchange.errors import NotFound
from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Defaults, Seen
from producers.report import report_of
from schemas.markings import SourceMarking
from schemas.normalise import Invalid, canonical
from schemas.observation import Observation
from schemas.records import SensorReport
from streams.intake.validate import CLOCK_TOLERANCE_MS, MAX_COUNT

NAME: Final = "recorded feeds"
FETCHES: Final = 10  # as often as a list that is fetched every hour comes again within a working day
_TEXTS: Final = frozenset({".md", ".toml", ".yaml"})  # files next to the feeds: manifest and notices
_DEFAULTS: Final = Defaults(marking=SourceMarking(tlp="TLP:GREEN"), confidence=80)


def recorded(folder: Path, *, nation: str, epoch_ms: int, at_most: int, fetches: int = 1) -> Work:
    """The feeds of a folder as reports; of each file its first observations, so that all together are ``at_most``.

    With ``fetches`` each sensor reads its file this many times, like a periodic fetch of a list.
    Raises NotFound if there is none that a reader knows.
    """
    found = {path: observations for path in _files(folder) if (observations := list(_observations(path, at_most)))}
    if not found:
        raise NotFound(f"no feed that a reader knows in {folder}: give a folder with --feeds")
    share = _share([len(observations) for observations in found.values()], at_most // fetches)
    reports: list[SensorReport] = []
    sightings: dict[tuple[int, str], int] = {}
    for fetch in range(fetches):
        for number, (path, observations) in enumerate(found.items()):
            taken = observations[:share]
            parts = range(0, len(taken), REPORT_SIZE)
            for sequence, start in enumerate(parts, fetch * len(parts)):
                reports.append(
                    report_of(
                        taken[start : start + REPORT_SIZE],
                        nation=nation,
                        sensor=f"feed-{number:03d}",
                        epoch=epoch_ms,
                        sequence=sequence,
                        produced_at_ms=epoch_ms,
                        tool=path.suffix.removeprefix(".") or "list",
                    )
                )
            for observation in taken:
                key = _counted(observation, epoch_ms)
                if key is not None:
                    sightings[key] = sightings.get(key, 0) + observation.count
    total = sum(len(report["values"]) for report in reports)
    name = NAME if fetches == 1 else f"{NAME}, {fetches} times"
    return Work(name, tuple(reports), total, Expected(len(sightings), sum(sightings.values()), None, None))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _TEXTS and not {"LICENSES", "NOTICES"} & set(path.parts)
    )


def _observations(path: Path, at_most: int) -> Iterator[Observation]:
    with path.open("rb") as stream:
        source = OpenInput(path.name, stream)
        readings, _format = readings_of(source, AUTO, _DEFAULTS)
        yield from islice((reading.observation for reading in readings if isinstance(reading, Seen)), at_most)


def _share(lengths: list[int], at_most: int) -> int:
    """How many of each file may be taken, so that all together are at most so many."""
    low, high = 0, max(lengths)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(length, middle) for length in lengths) <= at_most:
            low = middle
        else:
            high = middle - 1
    return max(1, low)


def _counted(observation: Observation, now_ms: int) -> tuple[int, str] | None:
    """The indicator that this is counted under; None if intake refuses it."""
    first, last = observation.first_seen_ms, observation.last_seen_ms
    latest = now_ms + CLOCK_TOLERANCE_MS
    if not (0 <= first <= latest and 0 <= last <= latest and observation.valid_until_ms >= 0):
        return None
    if (last and first > last) or not 1 <= observation.count <= MAX_COUNT or not -1 <= observation.confidence <= 100:
        return None
    found = canonical(observation.kind, observation.value)
    return None if isinstance(found, Invalid) else (int(found[0]), found[1])
