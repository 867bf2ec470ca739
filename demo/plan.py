"""The plan of play: the manifest of the recorded feeds as lanes, with sensors and rates. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

LANES_PER_NATION: Final = 2
STARTING_S: Final = 1.2  # start-up time of a sensor's process: nothing is published in that time
SLOWEST: Final = 40  # observations a second
# Two long lists that add nothing to the others: the demo must end within three minutes on 2 cores.
LEFT_OUT: Final = frozenset({("JPN", "reputation"), ("JPN", "mobile-carrier")})


@dataclass(frozen=True, slots=True)
class Play:
    """One run of ``kakehashi produce``: files of one sensor that share their options. ``rate`` is observations/s."""

    nation: str
    sensor: str
    files: tuple[str, ...]
    options: tuple[str, ...]
    observations: int
    rate: int = 0

    def arguments(self, feeds: Path) -> tuple[str, ...]:
        """Its command line, with the files found in the folder ``feeds``."""
        named = ("--nation", self.nation, "--sensor", self.sensor, "--rate", str(self.rate), "--json")
        return ("produce", *named, *self.options, *(str(feeds / name) for name in self.files))


Lane = tuple[Play, ...]


def plan(manifest: Sequence[Mapping[str, Any]], seconds: float) -> tuple[Lane, ...]:
    """Everything in the manifest, in lanes that run side by side and take about ``seconds`` each.

    A sensor stays in one lane and keeps its order: it has one spool, which one process at a time may use.
    """
    plays = [play for play in _plays(manifest) if (play.nation, play.sensor) not in LEFT_OUT]
    lanes: list[Lane] = []
    for nation in dict.fromkeys(play.nation for play in plays):
        lanes += _lanes([play for play in plays if play.nation == nation])
    return tuple(_paced(lane, seconds) for lane in lanes if lane)


def observations(lanes: Iterable[Lane], nation: str) -> int:
    """How many observations a nation's sensors are to publish."""
    return sum(play.observations for lane in lanes for play in lane if play.nation == nation)


def _plays(manifest: Iterable[Mapping[str, Any]]) -> list[Play]:
    """Neighbours in the manifest with the same sensor and options are one run."""
    plays: list[Play] = []
    for entry in manifest:
        options = tuple(_options(entry["options"]))
        this = Play(entry["nation"], entry["sensor"], (entry["file"],), options, entry["observations"])
        last = plays[-1] if plays else None
        if last is not None and (last.nation, last.sensor, last.options) == (this.nation, this.sensor, this.options):
            files, count = (*last.files, *this.files), last.observations + this.observations
            plays[-1] = Play(this.nation, this.sensor, files, options, count)
        else:
            plays.append(this)
    return plays


def _options(options: Mapping[str, str | list[str]]) -> Iterable[str]:
    for name, given in options.items():
        for value in [given] if isinstance(given, str) else given:
            yield from (f"--{name}", value)


def _lanes(plays: Sequence[Play]) -> list[Lane]:
    """The largest sensor goes where least is so far; within a lane the manifest's order holds."""
    sensors: dict[str, list[Play]] = {}
    for play in plays:
        sensors.setdefault(play.sensor, []).append(play)
    lanes: list[list[Play]] = [[] for _ in range(LANES_PER_NATION)]
    for own in sorted(sensors.values(), key=_load, reverse=True):
        min(lanes, key=_load).extend(own)
    return [tuple(sorted(lane, key=plays.index)) for lane in lanes]


def _load(plays: Iterable[Play]) -> int:
    return sum(play.observations for play in plays)


def _paced(lane: Lane, seconds: float) -> Lane:
    rate = max(SLOWEST, round(_load(lane) / max(1.0, seconds - STARTING_S * len(lane))))
    return tuple(replace(play, rate=rate) for play in lane)


def read_manifest(text: str) -> list[Mapping[str, Any]]:
    """The entries of a manifest's text."""
    entries: list[Mapping[str, Any]] = json.loads(text)
    return entries
