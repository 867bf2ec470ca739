"""The bench's cut of the steps into stages names what is there: renamed code cannot change a figure in silence."""

import pytest

from bench.sampled import grouped, unknown
from bench.stages import CORRELATE, INTAKE


@pytest.mark.parametrize("groups", [INTAKE, CORRELATE], ids=["intake", "correlate"])
def test_every_name_is_of_a_file_or_a_function_that_there_is(groups: dict[str, tuple[str, ...]]) -> None:
    assert unknown(groups) == []


@pytest.mark.parametrize(
    "gone",
    [
        "streams/gone.py",
        "schemas/gone/*",
        "streams/correlate/step.py:Correlate._emit",
        "streams/correlate/step.py:Correlate._emit → encode",
        "streams/correlate/step.py:Correlate._read → encrypt",
        "streams/intake/collapse.py:_gone*",
        "streams/correlate/step.py:_settle",
    ],
)
def test_a_name_of_nothing_is_reported(gone: str) -> None:
    assert unknown({"stage": (gone,), "other": ("streams/correlate/row.py:encode",)}) == [gone]


def test_a_place_belongs_to_the_first_stage_that_names_it() -> None:
    shares = {
        ("streams/correlate/step.py", "Correlate._read → decode"): 1.0,
        ("streams/correlate/indicator.py", "IndicatorUpdater._publish_national"): 2.0,
        ("streams/correlate/row.py", "Row.next_end"): 4.0,
        ("streams/correlate/row.py", "Row.merged"): 8.0,
        ("elsewhere", ""): 16.0,
    }
    found = {stage: share for stage, share in grouped(shares, CORRELATE).items() if share}
    assert found == {"decode block": 1.0, "national record": 2.0, "lifecycle": 4.0, "merge": 8.0, "other": 16.0}
