"""Recalled, revoked, lifted, reported again: what officers do by hand, and what new sightings cannot undo."""

from consumers.reconcile.compare import Difference
from exchange.metrics.labels import Differs
from schemas.vocabulary import CommandKind
from tests.officers import ALICE, BOB
from tests.streams.officers_bench import HOUR_MS, NAME, OfficersBench

RECALL, REVOKE, LIFT, REISSUE = CommandKind.RECALL, CommandKind.REVOKE, CommandKind.LIFT, CommandKind.REISSUE
CONTENT = ("content", "")


def recall(bench: OfficersBench, person: str = ALICE) -> str:
    return bench.gives(person, RECALL, reason_code="recalled-by-hand")


def revoke(bench: OfficersBench, person: str = ALICE) -> str:
    return bench.gives(person, REVOKE, reason_code="false-positive")


def veto_of(bench: OfficersBench) -> str:
    return str(bench.decisions[-1]["veto"]["command_id"])


def test_a_recall_reaches_the_partner_and_no_new_sighting_undoes_it() -> None:
    bench = OfficersBench()
    bench.observes()
    assert recall(bench) == ""
    assert bench.announced == [CONTENT, ("recalled", "recalled-by-hand")]
    assert bench.released[-1]["recalled_through"] == bench.released[0]["version"]
    assert bench.released[-1]["content"] is None
    for number in range(3):
        bench.observes(sensor=f"other-{number}")
        bench.waits(HOUR_MS)
    assert bench.announced == [CONTENT, ("recalled", "recalled-by-hand")]
    assert bench.decisions[-1]["outcome"] == "withhold"
    assert bench.decisions[-1]["rules"] == ["standing-veto"]
    assert bench.decisions[-1]["veto"]["person"] == ALICE


def test_the_nation_keeps_what_it_has_recalled_from_others() -> None:
    bench = OfficersBench()
    bench.observes()
    recall(bench)
    bench.observes(sensor="other")
    assert [record["kind"] for record in bench.national] == ["content", "content"]


def test_a_veto_may_come_before_anybody_has_reported_it() -> None:
    bench = OfficersBench()
    assert recall(bench) == ""
    bench.observes()
    assert bench.announced == []
    assert bench.decisions[-1]["rules"] == ["standing-veto"]
    assert bench.national[-1]["kind"] == "content"


def test_what_was_never_released_is_not_recalled_but_never_released_after() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED")
    assert recall(bench) == ""
    assert bench.announced == []


def test_a_second_recall_of_the_same_states_that_it_stands_already() -> None:
    bench = OfficersBench()
    bench.observes()
    recall(bench)
    assert recall(bench, BOB) == "nothing-to-do"
    assert len(bench.released) == 2


def test_a_revocation_unblocks_it_at_home_and_at_the_partner_s() -> None:
    bench = OfficersBench()
    bench.observes()
    assert revoke(bench) == ""
    assert bench.announced == [CONTENT, ("revoked", "false-positive")]
    assert bench.released[-1]["recalled_through"] == 0, "it may be kept: it is only false"
    assert bench.national[-1]["kind"] == "revoked"
    bench.observes(sensor="other")
    bench.waits(HOUR_MS)
    assert bench.announced[-1] == ("revoked", "false-positive")
    assert bench.national[-1]["kind"] == "revoked"


def test_what_was_revoked_can_still_be_recalled_but_not_the_other_way_round() -> None:
    bench = OfficersBench()
    bench.observes()
    revoke(bench)
    recall(bench)
    assert [kind for kind, _ in bench.announced] == ["content", "revoked", "recalled"]
    other = OfficersBench()
    other.observes()
    recall(other)
    revoke(other)
    assert [kind for kind, _ in other.announced] == ["content", "recalled"]


def test_what_was_revoked_is_recalled_when_its_marking_is_tightened() -> None:
    bench = OfficersBench()
    bench.observes()
    revoke(bench)
    bench.observes("TLP:RED")
    assert bench.announced[-1] == ("recalled", "marking-tightened")


def test_one_person_does_not_lift_a_veto_and_two_do() -> None:
    bench = OfficersBench()
    bench.observes()
    recall(bench)
    veto = veto_of(bench)
    assert bench.gives(ALICE, LIFT, about=veto) == ""
    assert bench.gives(ALICE, LIFT, about=veto) == "nothing-to-do", "the same person twice"
    assert bench.gives(ALICE, LIFT, about=veto, number=2) == "nothing-to-do", "with another key"
    assert bench.announced[-1][0] == "recalled"
    assert bench.gives(BOB, LIFT, about=veto) == ""
    assert bench.announced[-1] == CONTENT
    assert bench.released[-1]["recalled_through"] == bench.released[0]["version"]
    assert bench.decisions[-1]["veto"] is None


def test_a_lift_of_no_veto_reports_it() -> None:
    bench = OfficersBench()
    bench.observes()
    assert bench.gives(ALICE, LIFT, about="nonsense") == "nothing-to-do"


def test_a_lift_after_the_indicator_has_become_red_releases_nothing() -> None:
    bench = OfficersBench()
    bench.observes()
    recall(bench)
    bench.observes("TLP:RED")
    veto = veto_of(bench)
    bench.gives(ALICE, LIFT, about=veto)
    bench.gives(BOB, LIFT, about=veto)
    assert bench.announced[-1][0] == "recalled"
    assert bench.decisions[-1]["rules"] == ["tlp-red"]


def test_a_reissue_sends_the_same_again_under_a_new_version() -> None:
    bench = OfficersBench()
    bench.observes()
    before, known = bench.released[-1], len(bench.national)
    assert bench.gives(ALICE, REISSUE) == ""
    after = bench.released[-1]
    assert after["version"] > before["version"]
    assert after["content"] == before["content"]
    assert len(bench.national) == known + 1
    assert len(bench.decisions) == 1, "nothing was decided anew"


def test_a_reissue_for_one_partner_leaves_the_nation_s_picture_alone() -> None:
    bench = OfficersBench()
    bench.observes()
    known = len(bench.national)
    assert bench.gives(ALICE, REISSUE, partner="JPN") == ""
    assert len(bench.national) == known
    assert len(bench.released) == 2


def test_a_reissue_of_what_was_reported_anew_since_does_nothing() -> None:
    bench = OfficersBench()
    bench.observes()
    old = bench.released[-1]["version"]
    assert bench.gives(ALICE, REISSUE, partner="JPN", version=old) == ""
    assert bench.gives(ALICE, REISSUE, partner="JPN", version=old) == "nothing-to-do"


def test_a_reissue_mends_a_partner_that_is_ahead_of_what_our_topic_still_states() -> None:
    """Our topic was restored from a backup and states 1; the state, and the partner, know of more."""
    bench = OfficersBench()
    bench.observes()
    held = bench.released[-1]["version"]
    ahead = Difference(Differs.AHEAD, bench.released[-1]["id"], 0, released_version=1, held_version=held)
    assert bench.gives(ALICE, REISSUE, partner="JPN", version=ahead.released_version) == "nothing-to-do"
    assert bench.gives(ALICE, REISSUE, partner="JPN", version=ahead.highest_version) == ""
    assert bench.released[-1]["version"] > held


def test_a_reissue_repeats_an_end_too() -> None:
    bench = OfficersBench()
    bench.observes()
    recall(bench)
    bench.gives(ALICE, REISSUE, partner="JPN")
    last, again = bench.released[-2:]
    assert (again["kind"], again["reason"]) == ("recalled", "recalled-by-hand")
    assert again["recalled_through"] == last["recalled_through"]
    assert again["version"] > last["version"]


def test_a_reissue_releases_nothing_that_was_not() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED")
    assert bench.gives(ALICE, REISSUE, partner="JPN") == "nothing-to-do"
    assert bench.gives(ALICE, REISSUE, partner="JPN", indicator_id=NAME) == "nothing-to-do"
    assert bench.announced == []
