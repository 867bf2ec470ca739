"""The made-up traffic of audits, faults and soaks meets what the exchange must bear."""

from random import Random

from schemas.vocabulary import Withdrawal
from tests.builders import NOW_MS
from tests.reference.traffic import Traffic


def test_sources_take_back_what_they_and_others_assert_in_every_way() -> None:
    asserted, withdrawn = set[tuple[str, str]](), dict[Withdrawal, set[tuple[str, str]]]()
    for report in Traffic(Random(7), "GBR", NOW_MS).reports(300):
        codes = report.get("withdrawals") or bytes(len(report["values"]))
        for value, code in zip(report["values"], codes, strict=True):
            if code:
                withdrawn.setdefault(Withdrawal(code), set()).add((report["sensor"], value))
            else:
                asserted.add((report["sensor"], value))
    assert withdrawn.keys() == set(Withdrawal)
    for taken_back in withdrawn.values():
        assert len(taken_back & asserted) > 10
    everyone = {value for _, value in asserted}
    assert any(value in everyone for _, value in set().union(*withdrawn.values()) - asserted), "others still assert it"
