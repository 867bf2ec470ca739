"""Case tables: examples of decisions, in YAML that a lawyer can read, run against a policy set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from schemas.links import all_agreed
from schemas.markings import SourceMarking, understand
from schemas.ratings import Rating
from schemas.vocabulary import TYPE_BY_LABEL, Outcome
from streams.rules.engine import Engine, Verdict
from streams.rules.facets import CONFIDENCE_NOT_STATED, LONGEST_PREFIX, NO_NETWORK, Facets, facets_of
from streams.rules.policy_set import PolicySet
from streams.rules.rule import PolicyError


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=lambda name: name.replace("_", " ")):
    """One assertion, as its source states it. The defaults restrict nothing."""

    tlp: str = ""
    pap: str = ""
    releasable_to: tuple[str, ...] | None = None
    caveats: tuple[str, ...] = ()
    confidence: int = CONFIDENCE_NOT_STATED
    type: str = "domain-name"
    warninglisted: bool = False
    special_use: bool = False
    personal_data: bool = False
    local_query: bool = False
    prefix_length: int = NO_NETWORK
    rating: Rating = Rating.UNRATED


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=lambda name: name.replace("_", " ")):
    """Given this, for that nation, then the outcome, because of exactly these rules, after these obligations.

    ``not_agreed`` are labels that the link to that nation does not let pass.
    """

    case: str
    given: Given
    to: str
    then: Outcome
    because: tuple[str, ...]
    after: tuple[str, ...] | None = None
    not_agreed: tuple[str, ...] = ()


class CaseResult(msgspec.Struct, frozen=True):
    """One case and the verdict of the rules. A case without ``after`` leaves the obligations open."""

    case: Case
    verdict: Verdict

    @property
    def passed(self) -> bool:
        """Whether the rules give the outcome of the case, by its rules and with its obligations."""
        verdict, case = self.verdict, self.case
        owed = case.after is None or set(verdict.obligations) == set(case.after)
        return owed and verdict.outcome is case.then and set(verdict.rules) == set(case.because)

    def __str__(self) -> str:
        found = _sentence(self.verdict.outcome, self.verdict.rules, self.verdict.obligations)
        if self.passed:
            return f"ok: {self.case.case}: {found}"
        expected = _sentence(self.case.then, self.case.because, self.case.after or ())
        return f"FAILED: {self.case.case}: the rules give {found}; the case expects {expected}"


class CaseTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of cases. ``partners`` get links with all that can be agreed; without them the set's own links count."""

    title: str
    cases: tuple[Case, ...]
    partners: tuple[str, ...] = ()


def read_cases(path: Path) -> CaseTable:
    """Read a case table. Raises ``PolicyError`` with the file and the invalid case."""
    try:
        table = msgspec.yaml.decode(path.read_bytes(), type=CaseTable)
    except (OSError, msgspec.DecodeError) as error:
        raise PolicyError(f"{path}: {error}") from error
    if not table.cases:
        raise PolicyError(f"{path}: has no cases")
    for case in table.cases:
        if case.given.type not in TYPE_BY_LABEL:
            raise PolicyError(f"{path}: “{case.case}”: {case.given.type!r} is not an indicator type")
        if case.given.prefix_length not in range(NO_NETWORK, LONGEST_PREFIX + 1):
            raise PolicyError(f"{path}: “{case.case}”: {case.given.prefix_length} is not a prefix length")
    return table


def run_cases(policy_set: PolicySet, path: Path) -> Sequence[CaseResult]:
    """Decide every case of the table at ``path`` under ``policy_set``. Raises ``PolicyError`` as ``read_cases``."""
    table = read_cases(path)
    links = {partner: all_agreed(policy_set.nation, partner) for partner in table.partners} or policy_set.links
    engine = Engine(replace(policy_set, links=links))
    return [
        CaseResult(case, (_without(case, engine) if case.not_agreed else engine).decide(_facets(case.given), case.to))
        for case in table.cases
    ]


def _without(case: Case, engine: Engine) -> Engine:
    """An engine whose link to the case's nation lacks the labels of ``not_agreed``."""
    links, without = dict(engine.policy_set.links), frozenset(case.not_agreed)
    if (agreement := links.get(case.to)) is not None:
        links[case.to] = msgspec.structs.replace(
            agreement,
            schemas=agreement.schemas - without,
            tlp=agreement.tlp - without,
            caveats=agreement.caveats - without,
        )
    return Engine(replace(engine.policy_set, links=links))


def _sentence(outcome: Outcome, rules: Sequence[str], owed: Sequence[str]) -> str:
    return f"{outcome} because of {', '.join(rules)}" + (f", after {', '.join(owed)}" if owed else "")


def _facets(given: Given) -> Facets:
    return facets_of(
        understand(SourceMarking(given.tlp, given.pap, given.releasable_to, given.caveats)),
        TYPE_BY_LABEL[given.type],
        confidence=given.confidence,
        warninglisted=given.warninglisted,
        special_use=given.special_use,
        personal_data=given.personal_data,
        local_query=given.local_query,
        prefix_length=given.prefix_length,
        rating=given.rating,
    )
