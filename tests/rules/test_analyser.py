"""The analyser's output: only a clear yes or no is an answer."""

import stat
from pathlib import Path

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.policy_set import load
from streams.rules.proof.analyser import SymbolicProver, find_cedar
from streams.rules.proof.prover import ProofError
from streams.rules.proof.space import Request

SCHEMA = (POLICY_FOLDER / "joint" / "v1" / "schema.cedarschema").read_text(encoding="utf-8")
BODY = load("GBR").rules["tlp-red"].body
EXAMPLE = """✗ Policy sets are disjoint: DOES NOT HOLD
  Counterexample found:
principal: Nation::"JPN", action: Action::"release", resource: Indicator::""
context: {linked: true, marking_agreed: false}
entities: [
  Caveat::"関係者限り",
  Indicator::"" {
    caveats: [Caveat::"関係者限り", Caveat::"UK EYES ONLY"],
    confidence: ConfidenceBand::"high",
    local_query: false,
    pap: Pap::"PAP:AMBER",
    personal_data: false,
    rating: Rating::"unrated",
    special_use: true,
    tlp: Tlp::"TLP:AMBER+STRICT",
    type: IndicatorType::"url",
    warninglisted: false,
  },
  Nation::"GBR",
]
"""


def _that_states(folder: Path, words: str, status: int = 0) -> Path:
    """A program that prints these words, whatever its arguments."""
    (folder / "words").write_text(words, encoding="utf-8")
    program = folder / "cedar"
    program.write_text(f'#!/bin/sh\ncat "{folder / "words"}"\nexit {status}\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_verified_is_a_proof(tmp_path: Path) -> None:
    program = _that_states(tmp_path, "✓ Policy sets are disjoint: VERIFIED\n")
    with SymbolicProver(SCHEMA, program, None) as prover:
        assert prover.disjoint([BODY], [BODY]) is None


def test_a_counterexample_is_read_as_a_request(tmp_path: Path) -> None:
    with SymbolicProver(SCHEMA, _that_states(tmp_path, EXAMPLE), None) as prover:
        assert prover.disjoint([BODY], [BODY]) == Request(
            "JPN",
            {
                "caveats": ("UK EYES ONLY", "関係者限り"),
                "confidence": "high",
                "pap": "PAP:AMBER",
                "personal_data": False,
                "prefix_length": "none",
                "local_query": False,
                "rating": "unrated",
                "releasable_to": None,
                "special_use": True,
                "tlp": "TLP:AMBER+STRICT",
                "type": "url",
                "warninglisted": False,
                "linked": True,
                "marking_agreed": False,
            },
        )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("", 0),
        ("Analysis failed: solver returned unknown\n", 1),
        ("✓ Policy sets are disjoint: VERIFIED\n", 1),
        ("✓ a: VERIFIED\n✓ b: VERIFIED\n", 0),
        ("warning: templates were ignored\nVERIFIED?\n", 0),
        (EXAMPLE.replace("Indicator::", "Indicators::"), 0),
        (EXAMPLE.replace('Tlp::"TLP', "Tlp::TLP"), 0),
    ],
)
def test_any_other_output_is_an_error(tmp_path: Path, words: str, status: int) -> None:
    with (
        SymbolicProver(SCHEMA, _that_states(tmp_path, words, status), None) as prover,
        pytest.raises(ProofError, match="cedar symcc"),
    ):
        prover.disjoint([BODY], [BODY])


def test_only_an_analyser_of_the_engines_own_version_will_do(tmp_path: Path) -> None:
    environment = {"KAKEHASHI_CEDAR": str(tmp_path / "cedar"), "HOME": str(tmp_path), "PATH": ""}
    assert find_cedar(environment) is None
    _that_states(tmp_path, "cedar-policy-cli 4.14.1 symcc\n")
    assert find_cedar(environment) is None
    _that_states(tmp_path, "symcc, of cedar-policy-cli 4.12.0\n")
    assert find_cedar(environment) == tmp_path / "cedar"
