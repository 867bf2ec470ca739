"""What is demanded before a release: no loosening of it gets past the claims, and none past the comparison."""

from collections.abc import Iterator

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.demands import DecidedWithin, Owes, ReviewedBy, demands_of, makes
from streams.rules.difference import differences
from streams.rules.policy_set import compiled, load, read_texts
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.proof.prove import Finding, prove, read_claims
from streams.rules.proof.prover import Prover
from tests.rules.slices import loosened

TEXTS = read_texts("GBR", POLICY_FOLDER)
GBR = load("GBR")
CLAIMS = [claim for claim in read_claims(GBR) if claim.demands]
LOOSENED = {mutant.name: mutant.texts for mutant in loosened(TEXTS)}


@pytest.fixture(scope="module")
def prover() -> Prover:
    """The check that every machine has; it caches what it has tabulated."""
    return ExhaustiveProver(GBR.schema_text, GBR.nations)


def _of_claims(name: str, prover: Prover) -> Iterator[Finding]:
    for finding in prove(compiled(LOOSENED[name], "GBR"), CLAIMS, prover):
        if finding.subject.startswith("rule "):
            return
        yield finding


def test_each_loosening_breaks_a_claim(prover: Prover) -> None:
    assert len(LOOSENED) > 40
    assert [name for name in LOOSENED if all(finding.holds for finding in _of_claims(name, prover))] == []


def test_each_loosening_is_wider_and_releases_nothing_new(prover: Prover) -> None:
    for name, texts in LOOSENED.items():
        changes = list(differences(GBR, compiled(texts, "GBR"), prover))
        assert any(change.widens for change in changes), name
        assert all("demanded" in change.statement for change in changes), name


def test_a_stricter_rule_meets_each_demand_of_a_less_strict_one() -> None:
    strict, clear = GBR.rules["tlp-amber-strict"], GBR.rules["tlp-clear"]
    of_clear = demands_of([clear])
    assert of_clear
    assert all(makes(strict, demand) for demand in of_clear)
    assert not any(makes(clear, demand) for demand in demands_of([strict]))


def test_only_a_hold_demands_a_review() -> None:
    two, permit = GBR.rules["incident-declared"], GBR.rules["tlp-green"]
    assert [str(demand) for demand in demands_of([two])] == [
        "a review by 2 officers or more",
        "a review of 24 hours or fewer",
    ]
    assert makes(two, ReviewedBy(1))
    assert makes(two, DecidedWithin(25))
    assert not makes(two, ReviewedBy(3))
    assert not makes(two, DecidedWithin(23))
    assert not any(makes(permit, demand) for demand in demands_of([two]))
    assert all(isinstance(demand, Owes) for demand in demands_of([permit]))
