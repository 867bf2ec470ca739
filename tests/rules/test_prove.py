"""Proofs: the shipped sets keep their claims, and no mistake in them gets past validation, proofs and cases.

Where Cedar's analyser has been built (`make prove`), it proves; the exhaustive check runs everywhere.
"""

import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest

from schemas.links import POLICY_FOLDER
from schemas.vocabulary import Outcome
from streams.rules.cases import run_cases
from streams.rules.engine import Engine
from streams.rules.policy_set import PolicySet, compiled, load, read_texts
from streams.rules.proof.analyser import SymbolicProver, find_cedar, find_solver
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.proof.prove import Claim, Finding, prove, read_claims
from streams.rules.proof.prover import ProofError, Prover, as_permits
from streams.rules.proof.space import Request
from streams.rules.rule import PolicyError
from tests.rules.mutants import mutants

GBR = load("GBR")
CASES = (POLICY_FOLDER / "joint" / "v1" / "cases.yaml", POLICY_FOLDER / "national" / "GBR" / "v1" / "cases.yaml")
CEDAR = find_cedar(os.environ)
EXHAUSTIVE = ExhaustiveProver(GBR.schema_text, GBR.nations)
GREEN_OR = 'when { resource.tlp == Tlp::"TLP:GREEN"'


PROVERS = ["exhaustive", *(["symbolic"] if CEDAR else [])]
# CI proves the shipped sets with the analyser just before the suite (`.ci/run`), and once is enough.
FOR_SHIPPED = ["exhaustive"] if "SHARING_RULES_PROVED" in os.environ else PROVERS


@pytest.fixture(scope="session", params=PROVERS)
def prover(request: pytest.FixtureRequest) -> Iterator[Prover]:
    """Every prover that this machine has."""
    if request.param == "exhaustive" or CEDAR is None:
        yield EXHAUSTIVE
    else:
        with SymbolicProver(GBR.schema_text, CEDAR, find_solver(os.environ)) as symbolic:
            yield symbolic


def _changed(path: str, old: str, new: str, nation: str = "GBR") -> PolicySet:
    texts = read_texts(nation, POLICY_FOLDER)
    assert old in texts[path]
    return compiled({**texts, path: texts[path].replace(old, new, 1)}, nation)


def _findings(policy_set: PolicySet, prover: Prover, *claims: str) -> list[Finding]:
    """All findings, or those on these claims and no rule."""
    wanted = [claim for claim in read_claims(policy_set) if not claims or claim.id in claims]
    found = prove(policy_set, wanted, prover)
    return list(islice(found, 1 + 2 * len(wanted))) if claims else list(found)


@pytest.mark.parametrize("prover", FOR_SHIPPED, indirect=True)
def test_the_shipped_sets_keep_every_claim(policy_set: PolicySet, prover: Prover) -> None:
    assert [str(finding) for finding in _findings(policy_set, prover) if not finding.holds] == []


def test_a_leak_is_found_with_an_example_that_the_engine_would_release(prover: Prover) -> None:
    leaky = _changed("joint/v1/quality.cedar", 'ConfidenceBand::"low"', 'ConfidenceBand::"none"')
    finding = _findings(leaky, prover, "low-confidence-is-stopped")[-1]
    assert not finding.holds
    assert finding.example is not None
    assert finding.example.attributes["confidence"] == "low"
    (result,) = leaky.space.evaluate(leaky.policies, [finding.example])
    assert "confidence: low" in str(finding)
    assert result.allowed


@pytest.mark.parametrize(
    ("subject", "path", "old", "new"),
    [
        (
            "claim red-and-unmarked-have-no-permit",
            "joint/v1/tlp.cedar",
            GREEN_OR,
            GREEN_OR + ' || resource.tlp == Tlp::"TLP:RED"',
        ),
        (
            "claim eyes-only-is-withheld",
            "joint/v1/national_markings.cedar",
            '"UK EYES ONLY") };',
            '"UK EYES ONLY") && false };',
        ),
        (
            "rule caveat-uk-eyes-only",
            "joint/v1/national_markings.cedar",
            '"UK EYES ONLY") };',
            '"UK EYES ONLY") && false };',
        ),
        (
            "rule warninglist-well-known",
            "joint/v1/quality.cedar",
            '== ConfidenceBand::"low"',
            '== ConfidenceBand::"low" || resource.warninglisted',
        ),
        ("claim what-may-go-goes", "joint/v1/pap.cedar", 'Pap::"PAP:RED"', 'Pap::"PAP:AMBER"'),
    ],
)
def test_a_widened_a_dead_a_shadowed_and_a_needless_rule_are_found(subject: str, path: str, old: str, new: str) -> None:
    broken = {finding.subject for finding in _findings(_changed(path, old, new), EXHAUSTIVE) if not finding.holds}
    assert subject in broken


def test_a_rule_that_can_fail_is_found_even_without_the_validator() -> None:
    rule = GBR.rules["releasability-partner-not-named"]
    body = json.loads(rule.body)
    # Without the guard that asks whether the source named anybody at all.
    body["conditions"] = [{"kind": "when", "body": body["conditions"][0]["body"]["&&"]["right"]}]
    prover = EXHAUSTIVE
    example = prover.never_errors(json.dumps(body))
    assert prover.never_errors(rule.body) is None
    assert example is not None
    assert example.attributes["releasable_to"] is None


def test_a_prover_that_always_answers_yes_is_refused() -> None:
    class Yes:
        name, is_proof = "yes", True

        def implies(self, *_: object) -> Request | None:
            return None

        disjoint = always_denies = never_errors = implies

    assert "the prover" in {finding.subject for finding in prove(GBR, [], Yes()) if not finding.holds}


def test_an_example_that_cedar_does_not_confirm_is_refused() -> None:
    clear = EXHAUSTIVE.always_denies([GBR.rules["tlp-clear"].body])
    assert clear is not None

    class Liar(ExhaustiveProver):
        def implies(self, *_: object) -> Request | None:
            return clear

    claim = next(claim for claim in read_claims(GBR) if claim.id == "red-is-withheld")
    with pytest.raises(ProofError, match="Cedar does not confirm"):
        list(prove(GBR, [claim], Liar(GBR.schema_text, GBR.nations)))


def test_a_claim_about_nothing_is_found(prover: Prover) -> None:
    claim = next(claim for claim in read_claims(GBR) if claim.id == "red-is-withheld")
    body = json.loads(claim.body)
    body["conditions"] += [{**condition, "kind": "unless"} for condition in body["conditions"]]
    nothing = Claim("nothing", "There is none of this", "withheld", json.dumps(body))
    _, possible, _ = islice(prove(GBR, [nothing], prover), 3)
    assert (possible.holds, possible.statement) == (False, "there are indicators of this kind")


def test_the_exhaustive_check_and_the_engine_agree() -> None:
    prover, engine = EXHAUSTIVE, Engine(GBR)
    assert not prover.is_proof
    assert "not a proof" in prover.name
    bodies = [rule.body for rule in GBR.rules.values()]
    released = prover.always_denies(bodies)
    assert released is not None
    (result,) = GBR.space.evaluate(GBR.policies, [released])
    assert result.allowed
    held = as_permits([rule.body for rule in GBR.rules.values() if rule.outcome is Outcome.HOLD])
    assert prover.disjoint(bodies, held) is None
    assert engine.version == GBR.version


def test_at_least_thirty_mutants_are_made_and_each_is_found() -> None:
    texts = read_texts("GBR", POLICY_FOLDER)
    claims = read_claims(GBR)
    killed = {mutant.name: _killer(mutant.texts, EXHAUSTIVE, claims) for mutant in mutants(texts, GBR.space)}
    assert [name for name, killer in killed.items() if not killer] == []
    assert len(killed) > 250


def _killer(texts: Mapping[str, str], prover: Prover, claims: tuple[Claim, ...]) -> str:
    try:
        policy_set = compiled(texts, "GBR")
    except PolicyError:
        return "validation"
    if any(not finding.holds for finding in prove(policy_set, claims, prover)):
        return "proof"
    failed = any(not result.passed for path in CASES for result in run_cases(policy_set, path))
    return "case" if failed else ""


@pytest.mark.parametrize(
    ("text", "expected_text"),
    [
        ("", "has no claims"),
        ('@id("a") @title("A") @claim("maybe")\npermit (principal, action, resource);', "one of"),
        ('@id("a") @claim("withheld")\npermit (principal, action, resource);', "a claim is a permit"),
        ('@id("a") @title("A") @claim("withheld")\nforbid (principal, action, resource);', "a claim is a permit"),
        ('@id("a")\npermit (principal, action, resource) when { resource.tpl };', "does not fit the schema"),
    ],
)
def test_invalid_claims_are_refused(tmp_path: Path, text: str, expected_text: str) -> None:
    claims = tmp_path / "claims" / "v1"
    claims.mkdir(parents=True)
    (claims / "joint.cedar").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=expected_text):
        read_claims(GBR, tmp_path)
