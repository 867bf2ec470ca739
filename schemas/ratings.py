"""Reads the ratings: ``policy/ratings/<nation>.toml`` is how good a nation's officers rate its sensors.

A text of the policy set, so that a rating is signed by two people, comes into force at a time and has a version, as a
rule does (ADR 69). ``kakehashi sensor score --ratings`` drafts it from what became of each sensor's reports.
"""

import enum
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = "ratings"


class Rating(enum.StrEnum):
    """How good a source is, the worst first. A sensor that is not listed is UNRATED: better than one known as bad."""

    LOW = "low"
    UNRATED = "unrated"
    MEDIUM = "medium"
    HIGH = "high"


RANK: Final = {rating: rank for rank, rating in enumerate(Rating)}
LISTED: Final = tuple(rating for rating in Rating if rating is not Rating.UNRATED)
BEST: Final = Rating.HIGH
_NO_ONE: Final = ""
_UNRATED: Final = Rating.UNRATED


class BadRatings(ValueError):
    """Ratings that are not valid. The message has every mistake, one a line."""


class Ratings:
    """The ratings of a nation's sensors."""

    def __init__(self, by_sensor: Mapping[str, Rating]) -> None:
        self.by_sensor: Final = dict(by_sensor)
        worst = min((Rating.UNRATED, *self.by_sensor.values()), key=RANK.__getitem__)
        self._known = {**self.by_sensor, _NO_ONE: worst}

    def of(self, sensor: str) -> Rating:
        """The rating of a sensor. ``""`` stands for sensors whose names are not known: the worst that any may have."""
        return self._known.get(sensor, _UNRATED)


NO_RATINGS: Final = Ratings({})


def ratings_path(nation: str) -> str:
    """The path of a nation's ratings below the policy folder."""
    return f"{FOLDER}/{nation}.toml"


def ratings_text(folder: Path, nation: str) -> dict[str, str]:
    """The text of a nation's ratings by its path below the policy folder; nothing if there is none.

    Raises ``OSError`` or ``UnicodeDecodeError`` for a file that cannot be read.
    """
    path = folder / ratings_path(nation)
    return {ratings_path(nation): path.read_text("utf-8")} if path.exists() else {}


def read_ratings(texts: Mapping[str, str], nation: str) -> Ratings:
    """The ratings among the texts of a set, which are by their path below the policy folder.

    Raises ``BadRatings`` with all mistakes.
    """
    wrong = [
        f"{path}: a set of {nation} has no other ratings than {ratings_path(nation)}"
        for path in sorted(texts)
        if path.startswith(f"{FOLDER}/") and path != ratings_path(nation)
    ]
    found: dict[str, Rating] = {}
    try:
        fields = tomllib.loads(texts.get(ratings_path(nation), ""))
    except tomllib.TOMLDecodeError as error:
        fields, wrong = {}, [*wrong, f"{ratings_path(nation)}: {error}"]
    for name, listed in fields.items():
        if name not in LISTED:
            wrong.append(f"{ratings_path(nation)}: unknown rating {name!r}: possible are {', '.join(LISTED)}")
        elif not isinstance(listed, list) or not all(isinstance(sensor, str) and sensor for sensor in listed):
            wrong.append(f'{ratings_path(nation)}: {name} is no list of sensors: write {name} = ["…"]')
        else:
            for sensor in listed:
                if sensor in found:
                    wrong.append(f"{ratings_path(nation)}: {sensor!r} is listed twice")
                found[sensor] = Rating(name)
    if wrong:
        raise BadRatings("\n".join(wrong))
    return Ratings(found)
