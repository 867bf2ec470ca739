"""A metric: name, bounded labels, unit, meaning, and the action if it shows a fault.

Only the types; the metrics themselves are in ``spec``, one file for each role, their values in ``registry``.
A label's Python type is part of the metric's type, so a type checker refuses an unknown metric, a missing label
and a value that is not of the label's closed set.
"""

import enum
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, TypeVarTuple, overload

PREFIX = "kakehashi_"
OTHER = "other"  # values beyond a label's limit are counted together under this

# The buckets of an end-to-end latency, in seconds: fine around the promised quarter second, an hour at the top.
LATENCIES: Final = (0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)

Value = TypeVar("Value", str, int)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Values = TypeVarTuple("Values")


class Role(enum.StrEnum):
    """A process that shows metrics."""

    PRODUCE = "produce"
    STREAMS = "streams"
    BRIDGE = "bridge"
    OUTPUT = "output"
    TAXII = "taxii"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Label(Generic[A]):
    """One label. Every label is bounded: by its closed ``values``, or by ``limit`` different values a process."""

    name: str
    help: str
    limit: int
    values: tuple[str, ...] = ()


ClosedSet = TypeVar("ClosedSet", bound=enum.StrEnum)


def closed(name: str, values: type[ClosedSet], text: str) -> Label[ClosedSet]:
    """A label whose values are the members of a closed set."""
    members = tuple(value.value for value in values)
    return Label(name, text, len(members), members)


def bounded(name: str, kind: type[Value], limit: int, text: str) -> Label[Value]:
    """A label whose values come from configuration; ``text`` names their bound, ``limit`` enforces it."""
    del kind  # only its type matters
    return Label(name, text, limit)


class Labels(Generic[*Values]):
    """The labels of one metric, in order; made by ``labels``."""

    __slots__ = ("each",)

    def __init__(self, *each: Label[Any]) -> None:
        self.each = each


@overload
def labels() -> Labels[()]: ...
@overload
def labels(a: Label[A], /) -> Labels[A]: ...
@overload
def labels(a: Label[A], b: Label[B], /) -> Labels[A, B]: ...
@overload
def labels(a: Label[A], b: Label[B], c: Label[C], /) -> Labels[A, B, C]: ...
def labels(*each: Label[Any]) -> Labels[*tuple[Any, ...]]:
    """The labels of a metric, three at most: more would multiply to too many time series."""
    return Labels(*each)


@dataclass(frozen=True, slots=True)
class Metric(Generic[*Values]):
    """One metric. ``act`` is for the engineer on call: what a bad value means, and what to do."""

    name: str
    labels: Labels[*Values]
    unit: str
    roles: tuple[Role, ...]
    help: str
    act: str

    @property
    def full_name(self) -> str:
        """The name as Prometheus stores it (a histogram adds ``_bucket``, ``_sum`` and ``_count``)."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class Counter(Metric[*Values]):
    """Only grows; starts again at 0 with the process."""

    def tally(self, *values: *Values) -> tuple[str, ...]:
        """This counter with these labels, as a plain key: for pure code, which may count but knows no registry."""
        return _tally(self.name, values)


@lru_cache(maxsize=4096)
def _tally(name: str, values: tuple[object, ...]) -> tuple[str, ...]:
    return (name, *map(str, values))


@dataclass(frozen=True, slots=True)
class Gauge(Metric[*Values]):
    """A current value."""

    def at(self, *values: *Values) -> tuple[str, ...]:
        """This gauge with these labels, as a plain key: for pure code, as ``Counter.tally``."""
        return (self.name, *map(str, values))


@dataclass(frozen=True, slots=True)
class Histogram(Metric[*Values]):
    """A distribution; ``buckets`` are upper bounds in the metric's unit."""

    buckets: tuple[float, ...] = ()
