"""Officers' commands that refuse at once, and what an empty list means."""

import pytest

from consumers.queries.decisions import ids_of
from exchange.errors import Refused
from kakehashi.commands.officer.policy_versions import check_lead
from kakehashi.commands.officer.released import nothing
from tests.builders import NOW_MS


@pytest.mark.parametrize(("after_ms", "why"), [(-1, "in the past"), (0, "in the past"), (59_999, "too soon")])
def test_an_activation_that_would_be_too_late_is_refused_before_anyone_signs_it(after_ms: int, why: str) -> None:
    with pytest.raises(Refused, match=f"{why}.*60 s or more before its time"):
        check_lead(NOW_MS + after_ms, NOW_MS, 60)
    check_lead(NOW_MS + 60_000, NOW_MS, 60)


@pytest.mark.parametrize("words", ["300.1.2.3", "not a value"])
def test_what_is_no_valid_value_is_looked_for_in_quarantine(words: str) -> None:
    with pytest.raises(Refused, match="kakehashi quarantine list"):
        ids_of(words)


def test_an_empty_list_names_what_there_is_none_of() -> None:
    assert nothing("GBR", waiting=False, recalls=True, disputed=False) == "GBR has no open recall."
    assert "no release without a receipt" in nothing("GBR", waiting=True, recalls=False, disputed=False)
    assert "no disputed release" in nothing("GBR", waiting=False, recalls=False, disputed=True)
    assert nothing("GBR", waiting=False, recalls=False, disputed=False) == "GBR has released nothing."
