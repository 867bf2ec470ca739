"""What is on ``policy.v1``: who has to have signed what, and each way in which a record does nothing."""

import pytest

from exchange.authority.policy_record import Approved, NotApproved, read_policy_record
from exchange.authority.policy_watch import PolicyStale, PolicyWatch, Published
from exchange.kafka.clients import Cluster
from schemas.records import PolicyRecord
from tests.builders import NOW_MS
from tests.officers import ALICE, BOB, ROSTER
from tests.policy_records import CODEC, LEAD_MS, TEXTS, a_border, a_set, an_activation, judged, signed

IN_TIME_MS = NOW_MS + LEAD_MS


def refusal(record: PolicyRecord) -> str:
    found = judged(record)
    assert isinstance(found, NotApproved)
    return found.detail


def test_what_two_people_have_approved_holds_and_names_them() -> None:
    for record in (a_set(TEXTS), an_activation("ab", IN_TIME_MS)):
        found = judged(signed(record))
        assert isinstance(found, Approved)
        assert found.persons == (ALICE, BOB)


def test_one_person_opens_and_closes_a_border() -> None:
    assert isinstance(judged(signed(a_border("closed"), ALICE)), Approved)


def test_one_approver_twice_is_one_also_with_another_key() -> None:
    assert "a set needs 2 distinct people" in refusal(signed(a_set(TEXTS), ALICE))
    twice = signed(a_set(TEXTS), ALICE, (ALICE, 2))
    assert len(twice["approvals"]) == 2
    assert refusal(twice) == "it was approved by alice, with 2 keys; a set needs 2 distinct people"
    again: PolicyRecord = {**twice, "approvals": [twice["approvals"][0]] * 2}
    assert "2 distinct people" in refusal(again)


def test_what_no_one_has_approved_does_nothing() -> None:
    assert "by nobody" in refusal(a_border("closed"))


def test_a_text_that_was_altered_after_it_was_signed_does_nothing() -> None:
    record = signed(a_set(TEXTS))
    altered: PolicyRecord = {**record, "texts": {**record["texts"], "joint/v1/tlp.cedar": ""}}
    assert "it was altered, or forged" in refusal(altered)


def test_an_approval_does_not_carry_over_to_another_record() -> None:
    approvals = signed(an_activation("ab", IN_TIME_MS))["approvals"]
    assert "altered, or forged" in refusal({**an_activation("cd", IN_TIME_MS), "approvals": approvals})


def test_a_key_that_no_one_on_the_roster_has_does_nothing() -> None:
    assert "no key" in refusal(signed(a_set(TEXTS), ALICE, "mallory"))


def test_an_activation_in_the_past_or_too_soon_does_nothing() -> None:
    assert "in the past" in refusal(signed(an_activation("ab", NOW_MS - 1)))
    assert "too soon" in refusal(signed(an_activation("ab", IN_TIME_MS - 1)))
    assert isinstance(judged(signed(an_activation("ab", IN_TIME_MS))), Approved)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nation": "JPN"}, "it is for 'JPN'"),
        ({"reason": " "}, "needs a reason"),
        ({"partner": "USA"}, "is no partner"),
        ({"state": "ajar"}, "a border is one of"),
        ({"kind": "wish"}, "which is none of"),
    ],
)
def test_what_states_nothing_that_can_be_done_does_nothing(changes: dict[str, str], words: str) -> None:
    record: PolicyRecord = {**a_border("closed"), **changes}  # type: ignore[typeddict-item]
    assert words in refusal(signed(record, ALICE))


@pytest.mark.parametrize("value", [None, b"", b"\x00\x00\x00\x00\x83", b"no record"])
def test_any_bytes_are_an_answer(value: bytes | None) -> None:
    found = read_policy_record(
        value, b"", CODEC, ROSTER, appended_ms=NOW_MS, offset=7, lead_ms=LEAD_MS, partners=("JPN",)
    )
    assert isinstance(found, NotApproved)
    assert found.offset == 7


def test_nothing_is_decided_by_what_was_read_too_long_ago() -> None:
    watch = PolicyWatch(Cluster("GBR", "nobody:1"), lambda: ROSTER, ("JPN",), LEAD_MS)
    with pytest.raises(PolicyStale):
        watch.published(NOW_MS)
    watch._published = Published(NOW_MS)
    assert watch.published(NOW_MS + LEAD_MS // 2 - 1).read_ms == NOW_MS
    with pytest.raises(PolicyStale, match="nothing is decided until it is read again"):
        watch.published(NOW_MS + LEAD_MS // 2)
