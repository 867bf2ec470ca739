"""The exhaustive check tries one of several sets that a condition cannot tell apart, with the result of trying all."""

import json
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.proof import exhaustive
from streams.rules.proof.alike import alike
from streams.rules.proof.exhaustive import ExhaustiveProver

LABELS: Final = ("A", "B", "C", "D")
SCHEMA: Final = """
entity Nation;
entity Label enum ["A", "B", "C", "D"];
entity Indicator = { labels: Set<Label>, more: Set<Label>, named?: Set<Nation>, flag: Bool };
action release appliesTo { principal: Nation, resource: Indicator, context: {} };
"""
RESOURCE: Final = {"Var": "resource"}


def _read(attribute: str) -> dict[str, Any]:
    return {".": {"left": RESOURCE, "attr": attribute}}


def _label(name: str) -> dict[str, Any]:
    return {"Value": {"__entity": {"type": "Label", "id": name}}}


def _both(operator: str, left: Any, right: Any) -> dict[str, Any]:
    return {operator: {"left": left, "right": right}}


SETS: Final = st.sampled_from(["labels", "more"]).map(_read)
LITERALS: Final = st.lists(st.sampled_from(LABELS).map(_label), min_size=1, max_size=3).map(
    lambda found: {"Set": found}
)
QUESTIONS: Final = st.one_of(
    st.builds(lambda of, name: _both("contains", of, _label(name)), SETS, st.sampled_from(LABELS)),
    st.builds(_both, st.sampled_from(["containsAny", "containsAll", "=="]), SETS, LITERALS),
    st.builds(_both, st.sampled_from(["containsAny", "containsAll", "=="]), SETS, SETS),
    SETS.map(lambda of: {"isEmpty": {"arg": of}}),
    st.just({"has": {"left": RESOURCE, "attr": "named"}}),
    st.just(_both("contains", _read("named"), {"Var": "principal"})),  # fails if it is absent
    st.just(_read("flag")),
)
CONDITIONS: Final = st.recursive(
    QUESTIONS,
    lambda inner: st.one_of(
        st.builds(_both, st.sampled_from(["&&", "||"]), inner, inner),
        inner.map(lambda each: {"!": {"arg": each}}),
        st.builds(
            lambda one, two, three: {"if-then-else": {"if": one, "then": two, "else": three}}, inner, inner, inner
        ),
    ),
    max_leaves=4,
)


def _body(condition: Any) -> str:
    everything = {"op": "All"}
    return json.dumps(
        {
            "effect": "permit",
            "principal": everything,
            "action": everything,
            "resource": everything,
            "conditions": [{"kind": "when", "body": condition}],
        }
    )


@settings(max_examples=60)
@given(condition=CONDITIONS)
def test_a_table_is_the_same_as_if_every_value_had_been_tried(condition: Any) -> None:
    body = _body(condition)
    quick = ExhaustiveProver(SCHEMA, ("JPN",))._tabulate(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exhaustive, "alike", lambda _condition, _axis, values: tuple(range(len(values))))
        whole = ExhaustiveProver(SCHEMA, ("JPN",))._tabulate(body)
    assert quick.axes == whole.axes
    assert np.array_equal(quick.true, whole.true)
    assert np.array_equal(quick.error, whole.error)


def test_sets_that_differ_in_labels_that_no_one_asks_for_are_tried_once() -> None:
    values = ((), ("A",), ("B",), ("C",), ("A", "B"), ("B", "C"))
    assert alike(_both("contains", _read("labels"), _label("A")), "labels", values) == (0, 1, 2, 2, 4, 2)
    assert alike(_both("==", _read("labels"), _read("more")), "labels", values) == (0, 1, 2, 3, 4, 5)
    assert alike(_both("containsAll", _read("labels"), _read("labels")), "labels", values) == (0, 1, 2, 3, 4, 5)
    assert alike({"isEmpty": {"arg": _read("labels")}}, "labels", values) == (0, 1, 1, 1, 1, 1)
