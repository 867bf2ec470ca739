"""What one sensor reports of one indicator: its latest statement, and its counts under each marking.

Part of the reference model (``tests.reference.model``): small, slow and obviously right.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from schemas.markings import Marking, joined
from schemas.vocabulary import IndicatorType

MOST: Final = 1 << 62  # counts stop here: an Avro long must hold them
MOST_LABELS: Final = 64
MOST_SOURCES: Final = 32  # are kept in full: those whose digests with the indicator are the smallest
MOST_MARKINGS: Final = 8  # of one source, the plainest
LABEL_BYTES: Final = 1024  # of all labels in a release
DAY_MS: Final = 24 * 60 * 60 * 1000
_POLICY: Final = Path(__file__).parents[2] / "policy"
_VOCABULARIES: Final = [tomllib.loads(path.read_text("utf-8")) for path in (_POLICY / "vocabularies").glob("*.toml")]
LIFETIMES: Final = tomllib.loads((_POLICY / "lifetimes" / "v1.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Say:
    """What one report says about one indicator."""

    epoch: int
    sequence: int
    heard_ms: int
    marking: Marking
    count: int
    first_ms: int
    last_ms: int
    confidence: int
    valid_until_ms: int
    labels: tuple[str, ...]
    description: str
    context: tuple[tuple[str, str], ...]
    withdrawal: int
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """A source's last word: how sure it was, when it was heard, and when it ends."""

    confidence: int
    heard_ms: int
    end_ms: int
    speed: float

    def confidence_at(self, at_ms: int) -> int:
        """MISP's polynomial, rounded half up."""
        if self.confidence < 0 or at_ms <= self.heard_ms:
            return self.confidence
        if at_ms >= self.end_ms:
            return 0
        age = (at_ms - self.heard_ms) / (self.end_ms - self.heard_ms)
        return int(self.confidence * (1 - age ** (1 / self.speed)) + 0.5)


@dataclass(frozen=True, slots=True)
class Source:
    """One sensor's whole say: its latest word, and what it saw under each marking that it ever gave."""

    sensor: str
    heard_ms: int
    marking: Marking
    confidence: int
    valid_until_ms: int
    labels: tuple[str, ...]
    description: str
    context: tuple[tuple[str, str], ...]
    seen: Sequence[tuple[Marking, tuple[int, int, int]]]  # count, first, last
    withdrawal: int
    in_full: bool = True

    @classmethod
    def of(cls, sensor: str, says: Sequence[Say]) -> "Source":
        """The latest word is the highest (epoch, sequence)'s. Parts of one report (some were redriven) join."""
        latest = max((say.epoch, say.sequence) for say in says)
        word = [say for say in says if (say.epoch, say.sequence) == latest]
        by_marking: dict[Marking, list[Say]] = {}
        for say in (say for say in says if not say.withdrawal):
            by_marking.setdefault(say.marking, []).append(say)
        return cls(
            sensor,
            max(say.heard_ms for say in word),
            _marking(says, word),
            max(say.confidence for say in word),
            max(say.valid_until_ms for say in word),
            tuple(sorted({label for say in word for label in say.labels})[:MOST_LABELS]),
            max(say.description for say in word),
            max((say.context for say in word), key=lambda context: (dict(context).get("tearline", ""), context)),
            _by_plainness(by_marking),
            min(say.withdrawal for say in word),
        )

    def life(self, kind: IndicatorType) -> Life:
        """How long its word lives: to its stated end, two years at most, or as long as its kind does."""
        decay = LIFETIMES.get(kind.label, LIFETIMES["default"])
        if self.withdrawal:
            return Life(-1, self.heard_ms, self.heard_ms, decay["speed"])
        end_ms = self.heard_ms + decay["lifetime_days"] * DAY_MS
        if self.valid_until_ms:
            end_ms = min(self.valid_until_ms, self.heard_ms + 730 * DAY_MS)
        return Life(self.confidence, self.heard_ms, end_ms, decay["speed"])

    @property
    def all_seen(self) -> tuple[int, int, int]:
        """Count, first and last over all markings; nothing, at the time of its report, if it only withdrew."""
        return total(seen for _, seen in self.seen) if self.seen else (0, self.heard_ms, self.heard_ms)


def _marking(says: Sequence[Say], word: Sequence[Say]) -> Marking:
    """The marking of the latest word. If no one vouches for it, and it is of a later epoch than the first or follows
    what was vouched for, it is under all markings that were ever given, too."""
    vouched = all(say.authenticated for say in word)
    is_first = word[0].epoch == min(say.epoch for say in says)
    if vouched or (is_first and not any(say.authenticated for say in says)):
        return joined(say.marking for say in word)
    return joined(say.marking for say in says if not say.withdrawal or say in word)


def in_full(key: bytes, sources: Sequence[Source]) -> dict[str, Source]:
    """The sources by name. Those beyond the first ones by digest lose their texts but the tearline."""
    ordered = sorted(sources, key=lambda source: sha256(key + source.sensor.encode()).digest())
    further = [
        replace(
            source,
            description="",
            context=tuple((name, text) for name, text in source.context if name == "tearline"),
            in_full=False,
        )
        for source in ordered[MOST_SOURCES:]
    ]
    return {
        source.sensor: source for source in sorted((*ordered[:MOST_SOURCES], *further), key=lambda each: each.sensor)
    }


def _by_plainness(by_marking: Mapping[Marking, Sequence[Say]]) -> list[tuple[Marking, tuple[int, int, int]]]:
    """What was seen under each of the plainest markings, and under all others together."""
    ordered = sorted(by_marking, key=_plainness)
    seen = [(marking, _seen(by_marking[marking])) for marking in ordered[:MOST_MARKINGS]]
    others = ordered[MOST_MARKINGS:]
    if others:
        seen.append((joined(others), _seen([say for marking in others for say in by_marking[marking]])))
    return seen


def _plainness(marking: Marking) -> tuple[object, ...]:
    """Few caveats first, then few recipients; the rest decides only between as plain ones."""
    named = marking.releasable_to or ()
    return (
        len(marking.caveats),
        len(named),
        marking.tlp,
        marking.pap,
        marking.releasable_to is None,
        named,
        marking.caveats,
    )


def _seen(says: Sequence[Say]) -> tuple[int, int, int]:
    return total((say.count, say.first_ms, say.last_ms) for say in says)


def total(seen: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    counts, firsts, lasts = zip(*seen, strict=True)
    return min(sum(counts), MOST), min(firsts), max(lasts)


def leaving(sources: Iterable[Source]) -> list[str]:
    """The labels of the sources that leave, sorted: those that have room."""
    labels = sorted({label for source in sources for label in source.labels if _is_known(label)})[:MOST_LABELS]
    while len("".join(labels).encode()) > LABEL_BYTES:
        labels.pop()
    return labels


@cache
def _is_known(label: str) -> bool:
    """Whether the label is of a vocabulary."""
    return any(
        label in each.get("labels", ()) or any(re.fullmatch(form, label, re.ASCII) for form in each.get("patterns", ()))
        for each in _VOCABULARIES
    )
