"""What an output declares about itself, and what it does with a picture. A module here that has an ``OUTPUT`` is one.

Adding an output is one file in this folder and its test: the command line and the documentation take the rest from the
declaration, and ``tests/consumers/outputs/test_output_laws.py`` tests the laws with it.

The runner (``follow.py``) decides what an output carries: indicators that are live, of a type that it can carry, that
the user's filters let through, and whose PAP allows the output's activity. An output formats, and keeps its target
whole: after a crash at any moment the target is as before or as after, and never between.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import msgspec

from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from exchange.errors import TransientError
from exchange.metrics.labels import NotCarried as LeftOut
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

__all__ = [
    "EVERY_TYPE",
    "LONGEST_VALUE",
    "Change",
    "Difference",
    "Held",
    "LeftOut",
    "Output",
    "OutputUnavailable",
    "Put",
    "Remove",
    "Report",
    "Target",
    "Writer",
]

EVERY_TYPE: Final = frozenset(IndicatorType)
LONGEST_VALUE: Final = 8_192
"""Characters of a value that outputs write, unless their tool takes fewer."""


class OutputUnavailable(TransientError):
    """The target cannot be written now: a full disk, a receiver that is away. It is tried again, with back-off."""


class Held(msgspec.Struct, frozen=True):
    """Which picture a target holds, and up to which change of it: ``added_us`` of its latest one.

    ``selection`` is a digest of what the output was asked to carry: origins, filters and its own options. ``output`` is
    the output's name, empty in what was written before it was noted: another output does not replace what it holds.
    """

    picture: str
    selection: str
    added_us: int
    output: str = ""


class Put(msgspec.Struct, frozen=True, gc=False):
    """The target has to hold this, in place of what it may hold of it."""

    entry: Entry


class Remove(msgspec.Struct, frozen=True, gc=False):
    """The target must not hold this any more. It may never have held it.

    ``state`` has the reason: after RECALLED the target must delete all traces of it; LIMITED if its PAP, the filters or
    its type do not let it through any more. ``value`` is for the removal alone: it must not be logged or kept.
    """

    id: str
    origin: str
    type: str
    value: str
    state: State
    version: int


Change = Put | Remove


class Report(msgspec.Struct, frozen=True):
    """What one write or one batch of changes did. ``left_out`` is by reason."""

    written: int = 0
    removed: int = 0
    left_out: Mapping[LeftOut, int] = {}


class Difference(msgspec.Struct, frozen=True):
    """What a target has in excess, lacks, or has in another form. ``detail`` is for a person."""

    kind: str  # missing, extra or altered; foreign for a whole target that the output did not write
    id: str
    detail: str = ""


class Writer(Protocol):
    """An output on one target. One thread uses it. Its methods raise OutputUnavailable.

    Entries come in the order of their ids. If the output ``merges``, each id comes once, from the first of its origins
    in this order: the nation itself, then the partners; otherwise once for each origin. Their number is not
    bounded: an output does not keep all of them in memory.
    """

    def held(self) -> Held | None:
        """What the target holds, by what was stored in it; None if it is new, damaged or not ours."""
        ...

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the target's whole content by these, and store ``held`` with it, all at once."""
        ...

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Apply these changes, removals first, and store ``held`` with them.

        An output whose format is written whole calls ``write(whole(), held)``. The same changes may come again after a
        crash, so applying them twice must be the same as once.
        """
        ...

    def check(self, entries: Iterable[Entry]) -> Iterable[Difference]:
        """Compare the target's content, read back from it, with what it has to hold."""
        ...

    def close(self) -> None:
        """Close what is open. The target stays."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where an output writes: ``suricata:/etc/suricata/kakehashi?socket=/run/suricata.socket``.

    ``place`` is a path or a URL, in the output's own terms; ``options`` are behind the question mark. ``home`` is
    ``KAKEHASHI_HOME``, for what a receiver cannot keep itself.
    """

    nation: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)
    home: Path = Path(".kakehashi")


@dataclass(frozen=True, slots=True)
class Output:
    """A format or tool: what it can carry, what it does, how it is opened, how it is described.

    ``writes`` and the values of ``options`` are one line of Markdown each. ``place`` names the form of its target:
    ``FILE``, ``DIR``, ``URL``. ``activity`` is the PAP activity of the tool that reads the target; ``activity_by``, if
    given, gives it for a target with options. ``open`` raises ConfigurationError for a bad place or option; it writes
    nothing. With ``rewrites`` each change costs as much as its files are large: the runner hands on all waiting changes
    at once, and rests in between for as long as that took. ``live``, if given, gives the output that keeps the memory
    of the tool current, which has read these files: it has a position of its own, and is never ahead of them. What
    ``check`` finds in it is repaired by a whole write.
    """

    name: str
    writes: str
    place: str
    carries: frozenset[IndicatorType]
    activity: Activity
    merges: bool
    open: Callable[[Target], Writer]
    options: Mapping[str, str] = field(default_factory=dict)
    activity_by: Callable[[Target], Activity] | None = None
    rewrites: bool = False
    live: Callable[[Target], "Output | None"] | None = None

    def activity_on(self, target: Target) -> Activity:
        """What the tool that reads this target does with an indicator."""
        return self.activity if self.activity_by is None else self.activity_by(target)

    def live_on(self, target: Target) -> "Output | None":
        """The output that keeps the tool's memory current; None if the tool is not reached."""
        return None if self.live is None else self.live(target)
