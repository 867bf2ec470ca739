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
class Statement:
    """What one report states about one indicator."""

    epoch: int
    sequence: int
    received_ms: int
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
    """A source's last word: how sure it was, when it was received, and when it ends."""

    confidence: int
    received_ms: int
    end_ms: int
    speed: float

    def confidence_at(self, at_ms: int) -> int:
        """MISP's polynomial, rounded half up."""
        if self.confidence < 0 or at_ms <= self.received_ms:
            return self.confidence
        if at_ms >= self.end_ms:
            return 0
        age = (at_ms - self.received_ms) / (self.end_ms - self.received_ms)
        return int(self.confidence * (1 - age ** (1 / self.speed)) + 0.5)


@dataclass(frozen=True, slots=True)
class Source:
    """One sensor's whole say: its latest word, and what it saw under each marking that it ever gave."""

    sensor: str
    received_ms: int
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
    def of(cls, sensor: str, statements: Sequence[Statement]) -> "Source":
        """The latest word is the highest (epoch, sequence)'s. Parts of one report (some were redriven) join."""
        latest = max((statement.epoch, statement.sequence) for statement in statements)
        word = [statement for statement in statements if (statement.epoch, statement.sequence) == latest]
        by_marking: dict[Marking, list[Statement]] = {}
        for statement in (statement for statement in statements if not statement.withdrawal):
            by_marking.setdefault(statement.marking, []).append(statement)
        return cls(
            sensor,
            max(statement.received_ms for statement in word),
            _marking(statements, word),
            max(statement.confidence for statement in word),
            max(statement.valid_until_ms for statement in word),
            tuple(sorted({label for statement in word for label in statement.labels})[:MOST_LABELS]),
            max(statement.description for statement in word),
            max(
                (statement.context for statement in word),
                key=lambda context: (dict(context).get("tearline", ""), context),
            ),
            _by_plainness(by_marking),
            min(statement.withdrawal for statement in word),
        )

    def life(self, kind: IndicatorType) -> Life:
        """How long its word lives: to its stated end, two years at most, or as long as its kind does."""
        decay = LIFETIMES.get(kind.label, LIFETIMES["default"])
        if self.withdrawal:
            return Life(-1, self.received_ms, self.received_ms, decay["speed"])
        end_ms = self.received_ms + decay["lifetime_days"] * DAY_MS
        if self.valid_until_ms:
            end_ms = min(self.valid_until_ms, self.received_ms + 730 * DAY_MS)
        return Life(self.confidence, self.received_ms, end_ms, decay["speed"])

    @property
    def all_seen(self) -> tuple[int, int, int]:
        """Count, first and last over all markings; nothing, at the time of its report, if it only withdrew."""
        return total(seen for _, seen in self.seen) if self.seen else (0, self.received_ms, self.received_ms)


def _marking(statements: Sequence[Statement], word: Sequence[Statement]) -> Marking:
    """The marking of the latest word. If no one vouches for it, and it is of a later epoch than the first or follows
    what was vouched for, it is under all markings that were ever given, too."""
    vouched = all(statement.authenticated for statement in word)
    is_first = word[0].epoch == min(statement.epoch for statement in statements)
    if vouched or (is_first and not any(statement.authenticated for statement in statements)):
        return joined(statement.marking for statement in word)
    return joined(statement.marking for statement in statements if not statement.withdrawal or statement in word)


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


def _by_plainness(by_marking: Mapping[Marking, Sequence[Statement]]) -> list[tuple[Marking, tuple[int, int, int]]]:
    """What was seen under each of the plainest markings, and under all others together."""
    ordered = sorted(by_marking, key=_plainness)
    seen = [(marking, _seen(by_marking[marking])) for marking in ordered[:MOST_MARKINGS]]
    others = ordered[MOST_MARKINGS:]
    if others:
        seen.append((joined(others), _seen([statement for marking in others for statement in by_marking[marking]])))
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


def _seen(statements: Sequence[Statement]) -> tuple[int, int, int]:
    return total((statement.count, statement.first_ms, statement.last_ms) for statement in statements)


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
