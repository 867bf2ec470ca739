"""Rows that format 3 has written are read as if this version had written them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.vocabulary import Withdrawal
from tests.streams.correlate.popular import GREEN, PopularBench, Said

_KEPT: Final = Path(__file__).parent / "rows_of_format_3.json"  # as 4fb89f8 wrote them for ``before_the_upgrade``
_MARKINGS: Final = (
    GREEN,
    Marking(Tlp.CLEAR, Pap.GREEN, releasable_to=None),
    Marking(Tlp.AMBER, releasable_to=("JPN",)),
    Marking(Tlp.AMBER, releasable_to=("FRA", "JPN"), caveats=(Caveat.EMBARGO,)),
    Marking(),
)


def before_the_upgrade() -> Iterator[Said]:
    """Sources of every kind, more than a row keeps in full."""
    for number in range(44):
        yield Said(
            f"sensor-{number}",
            number % 3,
            _MARKINGS[number % len(_MARKINGS)],
            number,
            ("label-0", f"label-{number % 4}"),
            (("rule", "長" * 8), ("tearline", "公開")) if number % 4 == 0 else (),
            Withdrawal.REMOVED if number % 11 == 10 else 0,
            valid_until_ms=0 if number % 2 else 1_900_000_000_000,
        )


def _after_the_upgrade() -> Iterator[Said]:
    for number in range(40, 50):
        yield Said(f"sensor-{number}", 7, _MARKINGS[number % 3], 90, ("label-9",))


def test_rows_of_format_3_become_what_this_version_would_have_written() -> None:
    upgraded, expected = PopularBench(), PopularBench()
    expected.hears(*before_the_upgrade())
    expected.hears(Said("sensor-43", 9, _MARKINGS[3]))
    upgraded.now_ms = expected.now_ms
    for key, value in json.loads(_KEPT.read_text("utf-8")).items():
        upgraded.correlate.put(bytes.fromhex(key), bytes.fromhex(value))
    assert upgraded.row.assertions == expected.row.assertions
    assert upgraded.row.further == expected.row.further
    for bench in (upgraded, expected):
        bench.hears(*_after_the_upgrade())
    assert upgraded.row.sources == 50
    assert upgraded.kept() == expected.kept()
    assert upgraded.national() == expected.national()
