"""The output of ``kakehashi produce --dry-run``: a table as wide as the terminal or objects, and the counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from rich.cells import cell_len, chop_cells

from kakehashi.fates import OUTCOMES, SKIP, Fate, Ruled
from kakehashi.terminal import printable
from producers.readers.formats import on_request
from schemas.counting import counted

WIDTH: Final = 80
HEADER: Final = f"{'line':>7}  {'outcome':8}  {'type':17}  value"
_VALUE: Final = 38
_INDENT: Final = " " * 9


class Table:
    """Lines for one fate after the other. A value is never cut: one that is too wide has a line of its own."""

    def __init__(self, width: int = WIDTH) -> None:
        self._file: str | None = None
        self._width = width

    def lines(self, fate: Fate) -> Iterator[str]:
        """The lines of one piece of input; before the first one of a file its name."""
        if fate.file != self._file:
            self._file = fate.file
            yield printable(fate.file)
            yield HEADER
        detail = f": {fate.detail}" if fate.detail else ""
        if not fate.value:
            reason = printable(fate.reason + detail)
            yield from folded(f"{fate.outcome:8}  {reason}", f"{fate.line:7}  ", self._width)
            return
        start = f"{fate.line:7}  {fate.outcome:8}  {fate.type:17}  "
        if cell_len(value := printable(fate.value)) <= self._width - _VALUE:
            yield start + value
        else:
            yield start.rstrip()
            yield (_INDENT if cell_len(value) <= self._width - len(_INDENT) else "") + value
        if fate.marking:
            origin = f", from {fate.marking_from}" if fate.marking_from else ""
            yield from folded(printable(f"marking: {fate.marking}{origin}"), _INDENT, self._width)
        if len({*fate.partners.values()}) > 1:
            for partner, ruled in fate.partners.items():
                reasons = ", ".join(_rules(ruled.reason))
                yield from folded(f"{partner}: {ruled.outcome}, {reasons}", _INDENT, self._width)
        else:
            for reason in _rules(fate.reason):
                yield from folded(printable(f"reason: {reason}{detail}"), _INDENT, self._width)


def as_json(fate: Fate) -> str:
    """One fate for programs: its fields under their names."""
    return msgspec.json.encode(fate).decode()


class Counts:
    """How many pieces went which way, and by which rules. A piece to which several rules apply counts for each."""

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self.outcomes: Counter[str] = Counter()
        self._ways: Counter[tuple[str, str]] = Counter()
        self._reasons: Counter[tuple[str, str, str]] = Counter()

    def add(self, fate: Fate) -> None:
        """Count one."""
        self.outcomes[fate.outcome] += 1
        for partner, ruled in (fate.partners or {"": Ruled(fate.outcome, fate.reason)}).items():
            self._ways[partner, ruled.outcome] += 1
            self._reasons.update((partner, ruled.outcome, rule) for rule in _rules(ruled.reason))

    def lines(self, partners: Iterable[str], titles: Mapping[str, str], policy: str) -> Iterator[str]:
        """The summary: all pieces, then the counts by rule, for each partner if there are several."""
        total = ", ".join(f"{self.outcomes[each]:,} {each}" for each in OUTCOMES if self.outcomes[each])
        yield from folded(f"{counted(self.outcomes.total(), 'piece')}: {total or 'nothing was read'}", "", self._width)
        for partner in (*partners, ""):
            yield from self._of(partner, titles)
        yield from folded(f"by policy {policy}; nothing was sent, and nothing was written", "", self._width)

    def _of(self, partner: str, titles: Mapping[str, str]) -> Iterator[str]:
        for outcome in OUTCOMES:
            found = {
                reason: count for (to, way, reason), count in self._reasons.items() if (to, way) == (partner, outcome)
            }
            if not found:
                continue
            to = f" to {partner}" if partner else ""
            yield f"  {outcome}{to}: {self._ways[partner, outcome]:,}"
            for reason, count in sorted(found.items(), key=lambda each: (-each[1], each[0])):
                title = f": {titles[reason]}" if reason in titles else ""
                yield from folded(f"{reason}{title}", f"{count:9,}  ", self._width)
            if asked := " ".join(f"--include {rule}" for rule in on_request() if outcome == SKIP and rule in found):
                text = f"taken, without a confidence, if you ask for it: {asked}"
                yield from folded(text, "    ", self._width)


def _rules(reason: str) -> list[str]:
    """The rules of a reason: as ``kakehashi.fates.Ruled`` has them."""
    return reason.split(",")


def folded(text: str, indent: str, width: int = WIDTH) -> Iterator[str]:
    """The text in lines of this many columns, broken between words; a word that is wider is broken anywhere."""
    line, room = indent, width - len(indent) - 2
    follows = " " * (len(indent) + 2)
    for word in (part for each in text.split(" ") for part in chop_cells(each, room) or [""]):
        joint = "" if line in (indent, follows) else " "
        if cell_len(line + joint + word) > width:
            yield line.rstrip()
            line, joint = follows, ""
        line += joint + word
    yield line.rstrip()
