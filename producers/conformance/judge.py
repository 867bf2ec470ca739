"""Judges a feed: facts in, a result for each requirement out. Pure, and in memory that the checks bound.

Nothing is met by silence. A requirement is met if something was found to meet it, nothing was found to fail it, and
nothing that it is about was unreadable or missing. So a feed that gets worse never makes a requirement met.
"""

import enum
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from producers.conformance.checks import ALSO_UNREAD, CHECKS, MAY_BE_ABSENT, Check
from producers.conformance.facts import Fact, Question, Sent, Skipped, Statement, Unread
from producers.conformance.finding import Answer, Finding
from producers.conformance.profile import IncidentKind
from producers.conformance.standard import Level, Requirement, Shown, Standard, Text
from schemas.markings import Caveat, Marking, Tlp

MOST_EXAMPLES: Final = 5
_NOT_EMPTY: Final = "KKH-CMP-01"
_NO_GAP: Final = "KKH-CMP-03"
_OPEN: Final = frozenset({Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER})
_HARMLESS: Final = frozenset({Caveat.INCIDENT, Caveat.BENIGN, Caveat.DRAFT})


class Met(enum.StrEnum):
    """The result for one requirement."""

    MET = "met"
    NOT_MET = "not-met"
    NOT_APPLICABLE = "not-applicable"
    CANNOT_BE_JUDGED = "cannot-be-judged"


class Outcome(enum.StrEnum):
    """The result for the feed. ``MET_AS_FAR_AS_JUDGED``: all that this kind of input can show is met."""

    MET = "met"
    MET_AS_FAR_AS_JUDGED = "met-as-far-as-judged"
    NOT_SHOWN = "not-shown"
    NOT_MET = "not-met"


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place where a requirement is not met, or cannot be judged. ``where`` is empty for the feed as a whole.

    ``value`` is there only if it was asked for and its marking lets the report's reader see it.
    """

    where: str
    at: int
    index: int
    why: Text
    value: str = ""


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One requirement: what it demands, and what was found, with the first places where it fails."""

    id: str
    group: str
    level: Level
    result: Met
    checked: int
    failed: int
    unknown: int
    text: Text
    remedy: Text
    sources: tuple[str, ...]
    bound: str = ""
    because: Text = Text("", "")
    examples: tuple[Example, ...] = ()


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was read."""

    reports: int
    observations: int
    withdrawals: int
    refused: dict[str, int]
    left_out: dict[str, int]
    by_type: dict[str, int]
    by_tlp: dict[str, int]


class _Tally:
    """The findings for one requirement."""

    def __init__(self) -> None:
        self.answers: Counter[Answer] = Counter()
        self.examples: list[tuple[Example, bytes]] = []  # with what identifies its value
        self.doubts: list[tuple[Example, bytes]] = []
        self.unread = 0


class Judgement:
    """Takes facts, and gives results. ``shown`` is what the input can show; ``values`` asks for examples' values."""

    def __init__(
        self,
        standard: Standard,
        incident: IncidentKind,
        question: Question,
        shown: Collection[Shown],
        *,
        values: bool = False,
    ) -> None:
        self._standard, self._incident, self._shown, self._values = standard, incident, frozenset(shown), values
        self._tallies: dict[str, _Tally] = {}
        self._checks: dict[type, list[tuple[_Tally, Check]]] = {}
        self._all: list[tuple[_Tally, Check]] = []
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("refused", "left_out", "type", "tlp")}
        self._totals: Counter[str] = Counter()
        self._restricted: set[bytes] = set()
        self._of_statements: list[_Tally] = []
        self._of_reports: list[_Tally] = []
        for requirement in standard.requirements:
            if self._is_shown(requirement):
                self._add(requirement.id, question)

    def _is_shown(self, requirement: Requirement) -> bool:
        return not self._shown.isdisjoint(requirement.shown_by)

    def _add(self, name: str, question: Question) -> None:
        tally = self._tallies[name] = _Tally()
        made = [make(question) for make in CHECKS[name]]
        for check in made:
            self._all.append((tally, check))
            for kind in check.of:
                self._checks.setdefault(kind, []).append((tally, check))
        kinds = {kind for check in made for kind in check.of}
        if name not in ALSO_UNREAD and kinds & {Statement, Sent}:
            self._of_statements.append(tally)
        if name not in (_NOT_EMPTY, _NO_GAP) and kinds & {Statement, Sent, Unread}:
            self._of_reports.append(tally)

    def take(self, facts: Iterable[Fact]) -> None:
        """Judge these."""
        for fact in facts:
            for tally, check in self._checks.get(type(fact), ()):
                for finding in check.take(fact):
                    self._note(tally, finding)
            if not isinstance(fact, Sent):
                self._count(fact)
            else:
                self._totals["reports"] += 1

    def _count(self, fact: Fact) -> None:
        if isinstance(fact, Statement):
            if self._values and _is_restricted(fact.marking):
                self._restricted.add(_identity(fact))
            self._totals["withdrawals" if fact.is_withdrawal else "observations"] += 1
            if fact.refused is not None:
                self._counts["refused"][str(fact.refused)] += 1
            elif not fact.is_withdrawal:
                self._counts["type"]["" if fact.kind is None else fact.kind.label] += 1
                self._counts["tlp"][fact.marking.tlp.label or "unmarked"] += 1
        elif isinstance(fact, Skipped):
            self._counts["left_out"][fact.rule] += 1
        elif isinstance(fact, Unread) and not fact.is_listed:
            self._counts["refused"][str(fact.reason)] += 1
            for tally in self._of_statements:
                tally.answers[Answer.UNKNOWN] += 1
                tally.unread += 1

    def _note(self, tally: _Tally, finding: Finding) -> None:
        tally.answers[finding.answer] += 1
        if finding.answer is Answer.MET:
            return
        kept = tally.examples if finding.answer is Answer.NOT_MET else tally.doubts
        if len(kept) < MOST_EXAMPLES and finding.why is not None:
            place = finding.place
            where = ("", 0, -1) if place is None else (place.where, place.at, place.index)
            about = finding.about if self._values else None
            value, identity = ("", b"") if about is None else (_printable(about.value[:200]), _identity(about))
            example = Example(*where, finding.why, value)
            if (example, identity) not in kept:  # a line may have several values
                kept.append((example, identity))

    def _shown_value(self, example: Example, identity: bytes) -> Example:
        """The example without its value, if any observation of that value keeps it from the report's reader."""
        return msgspec.structs.replace(example, value="") if identity in self._restricted else example

    @property
    def counts(self) -> Counts:
        """What was read so far."""
        return Counts(
            reports=self._totals["reports"],
            observations=self._totals["observations"],
            withdrawals=self._totals["withdrawals"],
            refused=dict(sorted(self._counts["refused"].items())),
            left_out=dict(sorted(self._counts["left_out"].items())),
            by_type=dict(sorted(self._counts["type"].items())),
            by_tlp=dict(sorted(self._counts["tlp"].items())),
        )

    def results(self) -> tuple[Result, ...]:
        """A result for each requirement, in the order of the standard. To be called once, at the end."""
        for tally, check in self._all:
            for finding in check.rest():
                self._note(tally, finding)
        missing = self._tallies.get(_NO_GAP)
        if missing is not None and missing.answers[Answer.NOT_MET]:
            for tally in self._of_reports:
                tally.answers[Answer.UNKNOWN] += 1
                tally.unread += 1
        return tuple(map(self._result, self._standard.requirements))

    def _result(self, requirement: Requirement) -> Result:
        tally = self._tallies.get(requirement.id)
        met, because = _met(requirement, tally)
        answers = Counter[Answer]() if tally is None else tally.answers
        kept = [] if tally is None else tally.examples or tally.doubts
        examples = tuple(self._shown_value(*each) for each in kept)
        return Result(
            id=requirement.id,
            group=requirement.group,
            level=self._incident.level(requirement.id),
            result=met,
            checked=answers.total(),
            failed=answers[Answer.NOT_MET],
            unknown=answers[Answer.UNKNOWN],
            text=requirement.text,
            remedy=requirement.remedy,
            sources=requirement.sources,
            bound=requirement.bound,
            because=because,
            examples=examples,
        )


def _is_restricted(marking: Marking) -> bool:
    """Whether a report may not have its value: TLP:RED or AMBER+STRICT, unmarked, or under a caveat that restricts."""
    return marking.tlp not in _OPEN or not _HARMLESS.issuperset(marking.caveats)


def _identity(about: Statement) -> bytes:
    """Identifies all observations of one value."""
    return about.key or about.value.encode("utf-8", "surrogatepass")


def _printable(value: str) -> str:
    return value if value.isprintable() else value.encode("unicode_escape").decode()


def _met(requirement: Requirement, tally: _Tally | None) -> tuple[Met, Text]:
    if tally is None:
        return Met.CANNOT_BE_JUDGED, _ELSEWHERE[requirement.shown_by[-1]]
    answers = tally.answers
    if answers[Answer.NOT_MET]:
        return Met.NOT_MET, Text("", "")
    if answers[Answer.UNKNOWN]:
        count = tally.unread
        about = (
            f"{count} pieces that are missing or cannot be read may be about this",
            f"欠けている、又は読み取れない {count} 件が該当しうる",
        )
        return Met.CANNOT_BE_JUDGED, Text(*about) if count else Text("", "")
    if answers[Answer.MET]:
        return Met.MET, Text("", "")
    if requirement.id in MAY_BE_ABSENT:
        return Met.NOT_APPLICABLE, Text("the feed has nothing that this is about", "該当するものがフィードにない")
    return Met.CANNOT_BE_JUDGED, Text("nothing was read that shows it", "判定できるものが読み取れなかった")


_ELSEWHERE: Final = {
    Shown.FILE: Text("an input shows it: name the feed's files", "入力から判定する。フィードのファイルを指定する"),
    Shown.TOPIC: Text(
        "only what was published shows it: --topic", "発行されたものからのみ判定できる（--topic を指定する）"
    ),
    Shown.COMPARISON: Text(
        "the source's list beside what was published shows it: name the list's files with --topic",
        "情報源のリストと発行されたものとの比較で判定する（--topic とともにリストのファイルを指定する）",
    ),
}


def outcome(results: Iterable[Result], standard: Standard, shown: Collection[Shown]) -> Outcome:
    """The result of all musts together."""
    musts = [each for each in results if each.level is Level.MUST]
    if any(each.result is Met.NOT_MET for each in musts):
        return Outcome.NOT_MET
    unjudged = [each for each in musts if each.result is Met.CANNOT_BE_JUDGED]
    if any(not frozenset(shown).isdisjoint(standard.by_id[each.id].shown_by) for each in unjudged):
        return Outcome.NOT_SHOWN
    return Outcome.MET_AS_FAR_AS_JUDGED if unjudged else Outcome.MET
