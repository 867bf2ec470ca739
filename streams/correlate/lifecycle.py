"""How long an indicator lives, and how its confidence decays meanwhile. Pure: time is an argument.

Time begins when the broker appends the report with the source's latest statement: no sensor's clock can change that. A
source may state its own end, within bounds: a broken clock ends its own assertion at most, and makes none immortal.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final

from schemas.links import POLICY_FOLDER
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType
from streams.correlate.statement import Statement
from streams.correlate.terms import TERMS
from streams.rules.facets import BAND_FLOORS

DAY_MS: Final = 24 * 60 * 60 * 1000
MAX_VALIDITY_MS: Final = 730 * DAY_MS


@dataclass(frozen=True, slots=True)
class Decay:
    """``lifetime_ms`` if the source states no end; ``speed`` bends the curve: 1 is straight, below 1 falls late."""

    lifetime_ms: int
    speed: float


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The decay of each type."""

    by_type: Mapping[IndicatorType, Decay]

    @classmethod
    def load(cls, version: str = "v1", folder: Path = POLICY_FOLDER) -> "Lifetimes":
        """Read ``lifetimes/<version>.toml`` of the policy folder. Raises OSError or ValueError."""
        return cls.parse((folder / "lifetimes" / f"{version}.toml").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Lifetimes":
        """Read ``policy/lifetimes/v1.toml``. Raises ValueError naming the entry that is wrong."""
        entries = tomllib.loads(text)
        unknown = set(entries) - {"default", *TYPE_BY_LABEL}
        if unknown or "default" not in entries:
            raise ValueError(f"lifetimes: needs [default], and knows no {', '.join(sorted(unknown)) or 'other fault'}")
        decays = {name: _decay(name, entry) for name, entry in entries.items()}
        return cls({kind: decays.get(kind.label, decays["default"]) for kind in IndicatorType})

    def end_of(self, kind: IndicatorType, statement: Statement) -> int:
        """When this statement ends by itself: as its source states, within bounds, or by the type's lifetime.

        A withdrawal has ended when it arrives.
        """
        if TERMS[statement.terms].withdrawal:
            return statement.appended_ms
        if statement.valid_until_ms:
            return min(statement.valid_until_ms, statement.appended_ms + MAX_VALIDITY_MS)
        return statement.appended_ms + self.by_type[kind].lifetime_ms

    def confidence_at(self, kind: IndicatorType, statement: Statement, now_ms: int) -> int:
        """The decayed confidence, 0 to 100; -1 if none was stated, or the source withdrew its assertion.

        MISP's polynomial: confidence · (1 − (t / lifetime)^(1 / speed)), t from the source's latest statement to now.
        """
        terms, age = TERMS[statement.terms], now_ms - statement.appended_ms
        confidence = terms.confidence
        if confidence < 0 or terms.withdrawal:
            return -1
        if age <= 0:
            return confidence
        life = self.end_of(kind, statement) - statement.appended_ms
        return 0 if age >= life else int(confidence * (1 - (age / life) ** (1 / self.by_type[kind].speed)) + 0.5)

    def next_change(self, kind: IndicatorType, statement: Statement, now_ms: int) -> int:
        """When this statement changes anything by itself after ``now_ms``: a confidence band, or its end; 0 never."""
        end = self.end_of(kind, statement)
        if end <= now_ms:
            return 0
        changes = _changes(statement.confidence, end - statement.appended_ms, self.by_type[kind].speed)
        for age in changes:
            if statement.appended_ms + age > now_ms:
                return statement.appended_ms + age
        raise AssertionError("the last change is the end")


@lru_cache(maxsize=4096)  # most statements of a type are alike
def _changes(confidence: int, life: int, speed: float) -> tuple[int, ...]:
    """The ages at which a statement changes anything: its rounded confidence enters another band, or it ends."""
    ages = [ceil(life * (1 - (floor - 0.5) / confidence) ** speed) + 1 for floor in BAND_FLOORS if floor <= confidence]
    return (*sorted(age for age in ages if age < life), life)


def _decay(name: str, entry: object) -> Decay:
    match entry:
        case {"lifetime_days": int(days), "speed": float(speed)} if 0 < days <= 3650 and 0 < speed <= 10:
            return Decay(days * DAY_MS, speed)
    raise ValueError(f"lifetimes: [{name}] needs lifetime_days, a whole number of days, and speed, for example 1.0")
