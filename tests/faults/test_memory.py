"""What a long run calls growth: so much that no one gives it back, and not the first minute of a process."""

import pytest

from tests.faults.memory import MOST_MIB, has_grown


@pytest.mark.parametrize(
    ("looks", "is_growth"),
    [
        ([100, 100, 100, 100 + MOST_MIB + 1], True),
        ([100, 100, 100, 100 + MOST_MIB], False),
        ([50, 400, 410, 405], False),
        ([100, 100, 900, 120], False),
        ([100, 100, 900], False),
    ],
)
def test_growth_is_what_a_process_still_holds_beyond_its_second_look(looks: list[int], is_growth: bool) -> None:
    assert has_grown(looks) is is_growth
