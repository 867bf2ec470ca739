"""The leak hunt in short; ``make leaks MINUTES=n SEED=s`` continues for longer."""

import ast
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from streams.rules.engine import Engine
from streams.rules.obligations import DropTearline
from streams.rules.policy_set import load
from tests.leaks import oracle
from tests.leaks.cases import Case, Claim, a_case
from tests.leaks.hunt import Found, Hunter, row_of
from tests.leaks.run import in_turn

CASES = 10_000


@pytest.fixture(scope="module")
def hunter() -> Hunter:
    return Hunter()


def test_of_random_and_adversarial_indicators_nothing_leaks(hunter: Hunter) -> None:
    found = hunter.batch(seed=20_261_123, cases=CASES)

    assert found.leaks == []
    assert found.tallies["cases"] == CASES
    assert found.tallies["left"] > CASES / 10  # a hunt in which nothing leaves would find nothing
    assert found.tallies["refused by the guard"] == 0
    assert found.tallies["forged, and may pass"] > 0


@pytest.mark.parametrize(
    "rule",
    [
        *("caveat-no-copying", "caveat-concerned-only", "caveat-foreign-handling", "caveat-draft", "caveat-benign"),
        *("releasability-partner-not-named", "pap-red", "special-use", "network-wide", "network-of-registry-size"),
    ],
)
def test_the_hunt_finds_what_leaks_where_a_rule_is_missing(rule: str) -> None:
    shipped = load("GBR")
    rules = {name: each for name, each in shipped.rules.items() if name != rule}

    hunter = Hunter(Engine(replace(shipped, rules=rules)))

    assert any(hunter.batch(seed=1, cases=cases).leaks for cases in (200, 2_000)), "most leak among the first ones"


@pytest.mark.parametrize("rule", ["caveat-no-forwarding", "caveat-no-distribution", "caveat-uk-eyes-only"])
def test_the_guard_stops_what_the_rules_always_withhold_where_a_rule_is_missing(rule: str) -> None:
    shipped = load("GBR")
    rules = {name: each for name, each in shipped.rules.items() if name != rule}

    found = Hunter(Engine(replace(shipped, rules=rules))).batch(seed=1, cases=2_000)

    assert found.tallies["refused by the guard"] > 0
    # The guard refuses a merged release whole: then its harmless pieces do not leave, and that is no leak.
    assert [leak for leak in found.leaks if not leak.startswith("nothing has left")] == []


def test_the_hunt_finds_a_text_that_a_rule_keeps_back() -> None:
    shipped = load("GBR")
    rules = {
        name: replace(each, obligations=tuple(owed for owed in each.obligations if owed != DropTearline()))
        for name, each in shipped.rules.items()
    }
    found = Hunter(Engine(replace(shipped, rules=rules))).batch(seed=1, cases=2_000)

    assert found.tallies["leaks"] > 0
    assert all(leak.startswith("its tearline is") for leak in found.leaks)


def test_the_oracle_imports_nothing_of_what_it_judges() -> None:
    for module in (oracle.__file__, str(Path(oracle.__file__).with_name("cases.py"))):
        tree = ast.parse(Path(module).read_text("utf-8"))
        names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert names <= {
            "collections.abc", "dataclasses", "random", "typing", "unicodedata", "tests.leaks.cases",
        }  # fmt: skip


def a_claim(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "source": 0, "sequence": 0, "tlp": "TLP:GREEN", "pap": "", "releasable_to": None, "caveats": (),
        "confidence": 80, "count": 1, "first_seen_ms": 0, "last_seen_ms": 0, "valid_until_ms": 0, "labels": (),
        "tearline": "",
    }  # fmt: skip
    return Claim(**(fields | changes))


def of(*claims: Claim) -> Case:
    return Case("domain-name", "c2.example.com", False, False, "JPN", claims)


@pytest.mark.parametrize(
    "changes",
    [
        {"tlp": "tlp:red"},
        {"tlp": "TLP:GREEN TLP:RED"},
        {"tlp": ""},
        {"tlp": "緑"},
        {"tlp": "TLP:AMBER"},
        {"tlp": "TLP:AMBER", "releasable_to": ("USA",)},
        {"caveats": ("ＵＫ ＥＹＥＳ ＯＮＬＹ",)},
        {"caveats": ("nobody knows",)},
        {"releasable_to": ("USA",)},
        {"releasable_to": ()},
        {"releasable_to": ("JPN", "Japan")},
        {"pap": "PAP:RED"},
        {"pap": "PAP:赤"},
        {"confidence": 29},
    ],
)
def test_the_oracle_lets_none_of_these_go(changes: dict[str, Any]) -> None:
    assert oracle.may_go(of(a_claim())) != []
    assert oracle.may_go(of(a_claim(**changes))) == []


def test_the_oracle_takes_a_source_at_its_last_word() -> None:
    earlier, later = a_claim(), a_claim(sequence=1, tlp="TLP:RED")

    assert oracle.may_go(of(later, earlier)) == []
    assert oracle.may_go(of(earlier, later)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"sightings": 3},
        {"labels": ["of-9"]},
        {"first_seen_ms": 1},
        {"tlp": "TLP:CLEAR"},
        {"pap": "PAP:CLEAR"},
        {"tearline": "of-9"},
        {"tearline": "of-0\nof-9"},
        {"tearline": "canary-0"},
        {"tearline": ""},
    ],
)
def test_the_oracle_sees_what_of_an_excluded_source_shows(change: dict[str, Any], hunter: Hunter) -> None:
    excluded = a_claim(source=1, tlp="TLP:RED", count=2, labels=("of-9",), tearline="of-9")
    case = of(a_claim(last_seen_ms=3_600_000, tearline="of-0"), excluded)
    record, sent = hunter.released(case)
    assert record is not None
    assert record["content"] is not None

    assert oracle.leaks(case, record["content"], sent) == ""
    assert oracle.leaks(case, {**record["content"], **change}, sent) != ""


def test_the_hunt_meets_tearlines_that_go_and_tearlines_that_stay(hunter: Hunter) -> None:
    random = Random(3)
    cases = [a_case(random) for _ in range(1_500)]
    sent = [(case, record["content"]) for case in cases if (record := hunter.released(case)[0]) and record["content"]]

    assert sum("tearline" in content for _, content in sent) > 50
    excluded = [
        case
        for case, content in sent
        if any(claim.tearline and claim.tearline not in content.get("tearline", "") for claim in case.claims)
    ]
    assert len(excluded) > 15


def test_a_case_is_the_same_by_the_same_seed() -> None:
    assert row_of(a_case(Random(7))) == row_of(a_case(Random(7)))


def test_a_hunt_hands_out_a_few_batches_ahead_so_that_its_end_is_one() -> None:
    taken: list[int] = []

    class Done:
        def get(self) -> Found:
            return Found()

    def hand_out(batch: tuple[int]) -> Done:
        taken.extend(batch)
        return Done()

    found = in_turn(hand_out, iter(range(100)), 4)
    next(found)
    assert taken == [0, 1, 2, 3]
    assert sum(1 for _ in found) == 99
    assert taken == list(range(100))
