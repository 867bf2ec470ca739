"""What a SOC sees: the latest of each indicator, what it means now, and each change once. Without a broker."""

import json
from typing import Any

import pytest

from consumers.queries.layout import indicator, plain
from consumers.queries.tail import as_json
from consumers.subscription.changes import Change, State, Use, change_of, changes, picture, state_of
from consumers.subscription.subscription import Gap, GapReason, latest
from exchange.protocol.record import Record
from schemas.canary import CANARY_ID
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec
from schemas.markings import Activity, Pap
from tests.builders import (
    NOW_MS,
    a_content,
    a_marking_record,
    a_released,
    a_source,
    an_id,
    an_indicator,
)

CODEC = Codec()


def record(key: str, value: bytes | None, offset: int = 0) -> Record:
    return Record("t", 0, offset, key.encode(), value, NOW_MS)


def test_a_nation_without_an_origin_is_its_own_picture() -> None:
    assert picture(None).topic == "indicator.national.v1"
    assert picture("GBR").topic == "partner.GBR.indicator.v1"


def test_the_canary_is_no_change_that_a_consumer_is_handed() -> None:
    records = [record(CANARY_ID, CODEC.encode(INDICATOR, an_indicator())), record(an_id(), None)]
    found = list(changes(records, INDICATOR, CODEC, clock_ms=lambda: NOW_MS))
    assert [each.key for each in found if isinstance(each, Change)] == [an_id()]


def test_the_snapshot_holds_the_last_record_of_each_key_and_nothing_that_was_deleted() -> None:
    records = [
        record("a", b"1", 0),
        record("b", b"1", 1),
        record("a", b"2", 2),
        record("c", b"1", 3),
        record("b", None, 4),
        record("d", None, 5),
        record("c", None, 6),
        record("c", b"2", 7),
    ]
    assert [(each.key, each.value, each.offset) for each in latest(records)] == [(b"a", b"2", 2), (b"c", b"2", 7)]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.LIVE),
        ({"content": a_content(release_expires_ms=0)}, State.LIVE),
        ({"content": a_content(release_expires_ms=NOW_MS)}, State.ENDED),
        ({"content": a_content(valid_until_ms=NOW_MS - 1)}, State.ENDED),
        ({"content": a_content(valid_until_ms=NOW_MS + 1)}, State.LIVE),
        ({"kind": "expired"}, State.EXPIRED),
        ({"kind": "revoked"}, State.REVOKED),
        ({"kind": "recalled"}, State.RECALLED),
    ],
    ids=str,
)
def test_a_partners_record_states_what_to_do_with_it_now(changes: dict[str, Any], state: State) -> None:
    assert state_of(dict(a_released(**changes)), NOW_MS) is state


def test_a_national_record_states_what_to_do_with_it_now() -> None:
    assert state_of(dict(an_indicator()), NOW_MS) is State.LIVE
    assert state_of(dict(an_indicator(valid_until_ms=NOW_MS)), NOW_MS) is State.ENDED
    assert state_of(dict(an_indicator(kind="revoked")), NOW_MS) is State.REVOKED


def test_a_deletion_and_an_unreadable_record_are_changes() -> None:
    removed = change_of(record("k", None, 7), RELEASED_INDICATOR, CODEC, NOW_MS)
    assert removed == Change(State.REMOVED, "k", 0, 7, received_ms=NOW_MS)
    damaged = change_of(Record("t", 2, 8, b"\xff", b"\x00", NOW_MS), RELEASED_INDICATOR, CODEC, NOW_MS)
    assert (damaged.state, damaged.key, damaged.record) == (State.UNREADABLE, "�", None)
    assert "truncated" in damaged.detail
    assert json.loads(as_json(damaged, "t", "GBR"))["state"] == "unreadable"
    assert json.loads(as_json(removed, "t", "GBR")) == {
        "state": "removed",
        "id": "k",
        "received_ms": NOW_MS,
        "topic": "t",
        "partition": 0,
        "offset": 7,
    }


def test_json_has_a_partners_record_flat_with_its_state_and_its_place() -> None:
    released = a_released()
    change = change_of(
        record(released["id"], CODEC.encode(RELEASED_INDICATOR, released), 3), RELEASED_INDICATOR, CODEC, NOW_MS
    )
    line = as_json(change, "partner.GBR.indicator.v1", "JPN")
    assert b"\n" not in line
    content = dict(released["content"] or {})
    marking = {name: content.pop(name) for name in ("tlp", "pap", "releasable_to", "caveats")}
    head = {name: value for name, value in released.items() if name != "content"}
    assert json.loads(line) == {
        "state": "live",
        "received_ms": NOW_MS,
        **head,
        **content,
        "marking": marking,
        "topic": "partner.GBR.indicator.v1",
        "partition": 0,
        "offset": 3,
    }


def test_json_of_the_national_picture_speaks_in_labels_not_in_codes() -> None:
    odd = a_marking_record(tlp=77, pap=4, releasable_to=[], caveats=["転送禁止"])
    indicator = an_indicator(marking=a_marking_record(tlp=3, releasable_to=["JPN"]), sources=[a_source(marking=odd)])
    change = change_of(record(an_id(), CODEC.encode(INDICATOR, indicator)), INDICATOR, CODEC, NOW_MS)
    shown = json.loads(as_json(change, "indicator.national.v1", "GBR"))
    assert shown["marking"] == {"tlp": "TLP:AMBER+STRICT", "pap": "", "releasable_to": ["JPN"], "caveats": []}
    assert shown["sources"][0]["marking"]["tlp"] == "code 77"
    assert shown["sources"][0]["marking"]["pap"] == "PAP:RED"
    assert shown["sources"][0]["context"] == {"dest_ip": "192.0.2.7"}


def test_a_field_that_both_have_is_at_the_same_place_of_a_national_and_of_a_partners_record() -> None:
    of_partner, of_nation = indicator(a_released(), "JPN"), indicator(an_indicator(), "GBR")
    content = a_content()
    assert set(content) - {"tlp", "pap", "releasable_to", "caveats"} <= set(of_partner)
    shared = {"id", "kind", "version", "origin", "type", "value", "marking", "confidence", "labels", "sightings"}
    shared |= {"first_seen_ms", "last_seen_ms", "valid_until_ms", "registered_domain", "asn", "country"}
    assert shared <= set(of_partner) & set(of_nation)
    assert {type(of_partner[name]) for name in shared} == {type(of_nation[name]) for name in shared}
    assert list(of_partner)[:7] == list(of_nation)[:7]
    assert set(of_partner["marking"]) == set(of_nation["marking"])
    assert (of_partner["origin"], of_nation["origin"]) == ("GBR", "GBR")


def test_bytes_are_hex_and_a_source_s_own_text_stays_as_it_is() -> None:
    assert plain({"question": b"\x01\xff", "original": {"tlp": 3}, "merged": {"tlp": 3, "pap": 99}}) == {
        "question": "01ff",
        "original": {"tlp": 3},
        "merged": {"tlp": "TLP:AMBER+STRICT", "pap": "code 99"},
    }


USES = {
    "": ("passive-local", "passive-remote", "active"),
    "PAP:CLEAR": ("passive-local", "passive-remote", "active"),
    "PAP:GREEN": ("passive-local", "passive-remote", "active"),
    "PAP:AMBER": ("passive-local", "passive-remote"),
    "PAP:RED": ("passive-local",),
    "PAP:PUCE": ("passive-local",),
}


@pytest.mark.parametrize(("pap", "allowed"), USES.items())
def test_what_pap_does_not_allow_is_limited_and_has_no_value(pap: str, allowed: tuple[str, ...]) -> None:
    value = CODEC.encode(RELEASED_INDICATOR, a_released(content=a_content(pap=pap)))
    for activity in Activity:
        change = change_of(record(an_id(), value), RELEASED_INDICATOR, CODEC, NOW_MS, Use(activity))
        assert change.state is (State.LIVE if activity.label in allowed else State.LIMITED)
        assert (change.record is not None) == (change.state is State.LIVE)
        assert (activity.label in change.detail) == (change.state is State.LIMITED)


@pytest.mark.parametrize(("code", "state"), [(Pap.GREEN, State.LIVE), (Pap.AMBER, State.LIMITED), (99, State.LIMITED)])
def test_a_nation_s_own_picture_is_limited_too(code: int, state: State) -> None:
    value = CODEC.encode(INDICATOR, an_indicator(marking=a_marking_record(pap=code)))
    assert change_of(record(an_id(), value), INDICATOR, CODEC, NOW_MS, Use(Activity.ACTIVE)).state is state


def test_a_reader_may_take_an_unstated_pap_more_strictly() -> None:
    value = CODEC.encode(RELEASED_INDICATOR, a_released(content=a_content(pap="")))
    strict = Use(Activity.ACTIVE, unstated=Pap.RED)
    change = change_of(record(an_id(), value), RELEASED_INDICATOR, CODEC, NOW_MS, strict)
    assert (change.state, change.detail) == (State.LIMITED, "PAP is not stated, and PAP:RED does not allow active use")


def test_an_ended_indicator_is_reported_as_ended_whatever_its_pap() -> None:
    value = CODEC.encode(RELEASED_INDICATOR, a_released(kind="recalled"))
    change = change_of(record(an_id(), value), RELEASED_INDICATOR, CODEC, NOW_MS, Use(Activity.ACTIVE, Pap.RED))
    assert change.state is State.RECALLED


def test_a_gap_is_a_line_of_its_own() -> None:
    gap = Gap(GapReason.OVERTAKEN, 2, "partition 2 has offsets 5 to 9, and 3 was to be read next")
    assert json.loads(as_json(gap, "t", "GBR")) == {
        "state": "gap",
        "reason": "overtaken",
        "detail": "partition 2 has offsets 5 to 9, and 3 was to be read next",
        "topic": "t",
    }
