"""What an approval releases passes the guard of the bridge: no approval makes a record that the guard stops."""

from typing import Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.bridge import guard
from consumers.bridge.guard import Passed
from schemas import topics
from schemas.marking_records import marking_record
from schemas.markings import Caveat, Marking, SourceMarking, Tlp, understand
from schemas.records import MarkingRecord
from schemas.vocabulary import Outcome
from tests.officers import ALICE, BOB
from tests.streams.officers_bench import CODEC, POLICY, OfficersBench

TLP: Final = ("", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", "TLP:PURPLE")
GREEN: Final[MarkingRecord] = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}
AMBER: Final[MarkingRecord] = {"tlp": 2, "pap": 0, "releasable_to": ["JPN"], "caveats": []}
SOURCES: Final = st.builds(
    SourceMarking,
    tlp=st.sampled_from(TLP),
    pap=st.sampled_from(("", "PAP:GREEN", "PAP:PURPLE")),
    releasable_to=st.sampled_from((None, (), ("JPN",), ("AUS", "JPN"), ("FIVE EYES", "JPN"), ("FIVE EYES",))),
    caveats=st.lists(st.sampled_from([*map(str, Caveat), "極秘"]), max_size=2, unique=True).map(tuple),
)
ASSIGNED: Final = st.sampled_from((None, GREEN, AMBER, {**GREEN, "caveats": ["UNRECOGNISED"]}))


def stopped_by_the_guard(bench: OfficersBench) -> list[object]:
    """What the guard would stop of all that the bench has released."""
    outputs = [each for each in bench.correlate.outputs if each.topic == topics.released("JPN")]
    agreed = POLICY.links["JPN"]
    found = [
        guard.check(each.value, each.key, CODEC, agreed=agreed, now_ms=bench.now_ms, partition=0, shards=1)
        for each in outputs
    ]
    return [verdict for verdict in found if not isinstance(verdict, Passed)]


@given(st.lists(SOURCES, min_size=1, max_size=3), st.lists(ASSIGNED, min_size=1, max_size=2))
def test_whatever_an_approval_releases_passes_the_guard(
    sources: list[SourceMarking], assigned: list[MarkingRecord | None]
) -> None:
    bench = OfficersBench()
    for number, source in enumerate(sources):
        bench.observes(
            source.tlp, f"s{number}", pap=source.pap, releasable_to=source.releasable_to, caveats=source.caveats
        )
    for person, marking in zip((ALICE, BOB), assigned * 2, strict=False):
        if bench.pending and bench.approves(person, marking=marking) == "" and not bench.pending:
            assert bench.decisions[-1]["outcome"] == Outcome.RELEASE
            assert bench.released[-1]["kind"] == "content"
    assert stopped_by_the_guard(bench) == []


@pytest.mark.parametrize("tlp", ["TLP:PURPLE", "TLP:GREEN"])
def test_a_marking_that_was_not_understood_is_replaced_by_the_one_that_the_officer_states(tlp: str) -> None:
    bench = OfficersBench()
    bench.observes(tlp, caveats=("極秘", "関係者限り"))
    assert bench.approves(ALICE, marking=AMBER) == ""
    content = bench.released[-1]["content"]
    assert (content["tlp"], content["caveats"]) == ("TLP:AMBER", ["関係者限り"])
    assert stopped_by_the_guard(bench) == []


@pytest.mark.parametrize("tlp", ["", "TLP:PURPLE", "TLP:GREEN"])
def test_an_approval_without_the_marking_that_is_needed_is_refused_with_what_to_do(tlp: str) -> None:
    bench = OfficersBench()
    bench.observes(tlp, caveats=() if tlp != "TLP:GREEN" else ("極秘",))
    assert bench.approves(ALICE) == "not-as-asked"
    assert "--tlp" in bench.quarantine[-1]["detail"]
    assert (bench.announced, len(bench.pending)) == ([], 1)


@given(SOURCES, st.sampled_from((GREEN, AMBER)))
def test_a_stated_marking_never_loosens_what_was_understood(source: SourceMarking, stated: MarkingRecord) -> None:
    marking = understand(source)
    given_by = Marking(Tlp(stated["tlp"]), releasable_to=None if stated is GREEN else ("JPN",))
    read = marking.read_as(given_by)
    assert marking_record(given_by) == stated
    assert read.pap >= marking.pap
    assert {*marking.caveats} - {*read.caveats} <= {Caveat.UNRECOGNISED}
    if marking.is_understood:
        assert read == marking
    elif marking.tlp is not Tlp.UNMARKED:
        assert read.tlp >= marking.tlp
        assert marking.releasable_to is None or {*cast("tuple[str, ...]", read.releasable_to)} <= {
            *marking.releasable_to
        }
    else:
        assert read.tlp is given_by.tlp
