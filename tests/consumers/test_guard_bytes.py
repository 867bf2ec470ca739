"""The release guard and bytes: bytes that are not exactly one valid record of ours never leave."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.bridge.guard import Passed
from consumers.bridge.guard_content import Refused
from schemas.codec import INDICATOR, RECEIPT, RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.markings import Caveat, Pap, Tlp
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS, a_receipt, a_released, an_id, an_indicator
from tests.consumers.test_guard import CODEC, SHARDS, checked, judged, with_content
from tests.golden.make import CASES

# ── Bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", RejectReason.TRUNCATED),
        (b"\x00\x00", RejectReason.TRUNCATED),
        (CODEC.encode(RELEASED_INDICATOR, a_released())[:-1], RejectReason.TRUNCATED),
        (CODEC.encode(RELEASED_INDICATOR, a_released()) + b"\x00", RejectReason.UNDECODABLE),
        (CODEC.encode(RELEASED_INDICATOR, a_released()) * 2, RejectReason.UNDECODABLE),
        (CODEC.encode(INDICATOR, an_indicator()), RejectReason.UNKNOWN_SCHEMA),
        (CODEC.encode(RECEIPT, a_receipt()), RejectReason.UNKNOWN_SCHEMA),
        (b"\x00\x00\x00\x27\x0f" + CODEC.encode(RELEASED_INDICATOR, a_released())[5:], RejectReason.UNKNOWN_SCHEMA),
        (b'{"id": "indicator--"}', RejectReason.UNKNOWN_SCHEMA),
        (bytes(5 << 20), RejectReason.TOO_LARGE),
    ],
    ids=["nothing", "2 bytes", "cut", "a byte more", "two", "national", "a receipt", "unknown", "JSON", "5 MB"],
)
def test_bytes_that_are_not_one_released_indicator_are_refused_and_not_kept(value: bytes, reason: RejectReason) -> None:
    verdict = checked(value, an_id().encode())
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.keep_bytes) == (reason, False)


@pytest.mark.parametrize("kind", ["content", "recalled"])
def test_the_second_schema_passes_only_with_a_tearline(kind: str) -> None:
    record = a_released(kind=kind)
    partition = shard_of_key(key_of_id(record["id"]), SHARDS)
    body = CODEC.encode(RELEASED_INDICATOR, record)[5:]
    empty = CODEC.reframe(RELEASED_INDICATOR_V2, b"12345" + body) + (b"\x00" if kind == "content" else b"")
    assert not isinstance(CODEC.decode(RELEASED_INDICATOR_V2, empty), Undecodable)
    verdict = checked(empty, record["id"].encode(), partition)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.keep_bytes) == (RejectReason.UNDECODABLE, False)


def test_bytes_hidden_in_a_longer_encoding_of_the_same_record_do_not_leave() -> None:
    record = a_released()
    value = CODEC.encode(RELEASED_INDICATOR, record)
    padded = value.replace(b"\x02\x06GBR\x00", b"\x82\x00\x06GBR\x00", 1)  # one hop, as a two-byte integer
    block = value.replace(b"\x02\x06GBR\x00", b"\x01\x2a\x06GBR\x00", 1)  # a block of one, "of 21 bytes"
    for hiding in (padded, block):
        assert hiding != value
        assert CODEC.decode(RELEASED_INDICATOR, hiding) == record
        verdict = checked(hiding, record["id"].encode(), shard_of_key(key_of_id(record["id"]), SHARDS))
        assert isinstance(verdict, Refused)
        assert verdict.reason is RejectReason.UNDECODABLE


@settings(max_examples=400)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 400))
def test_damaged_bytes_pass_only_if_they_are_another_valid_record(place: int, byte: int, cut: int | None) -> None:
    record = CASES[RELEASED_INDICATOR]["all_fields"]
    damaged = bytearray(CODEC.encode(RELEASED_INDICATOR, record))
    damaged[place % len(damaged)] = byte
    value = bytes(damaged)[:cut]
    verdict = checked(value, record["id"].encode(), shard_of_key(key_of_id(record["id"]), SHARDS))
    if isinstance(verdict, Passed):
        assert verdict.record["id"] == record["id"]
        assert CODEC.encode(RELEASED_INDICATOR, verdict.record) == value


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_random_bytes_never_pass(body: bytes) -> None:
    assert isinstance(checked(b"\x00\x00\x00\x00\x68" + body, an_id().encode()), Refused)


LABELS = st.sampled_from([tlp.label for tlp in Tlp] + ["TLP:WHITE", "GREEN", ""])
NATIONS = st.lists(st.sampled_from(["AUS", "GBR", "JPN", "x"]), max_size=3)
NEVER = {"UK EYES ONLY", "JAPAN EYES ONLY", "転送禁止", "配付禁止", "EMBARGO", "UNRECOGNISED", "NOFORN"}
CAVEATS = st.lists(st.sampled_from([caveat.value for caveat in Caveat] + ["NOFORN"]), max_size=2)


@settings(max_examples=500)
@given(
    tlp=LABELS,
    pap=st.sampled_from([pap.label for pap in Pap] + ["PAP:X"]),
    nations=NATIONS,
    caveats=CAVEATS,
    expires=st.sampled_from([0, NOW_MS - 1, NOW_MS + 1]),
)
def test_no_combination_of_markings_gets_a_forbidden_record_out(
    tlp: str, pap: str, nations: list[str], caveats: list[str], expires: int
) -> None:
    """The rule once more, in the fewest words, over all markings."""
    record = with_content(tlp=tlp, pap=pap, releasable_to=nations, caveats=caveats, release_expires_ms=expires)
    may_go = (
        tlp in {"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT"}
        and pap != "PAP:X"
        and ("JPN" in nations or (not nations and "AMBER" not in tlp))
        and not {*caveats} & NEVER
        and expires != NOW_MS - 1
    )
    well_formed = "x" not in nations and all(names == sorted({*names}) for names in (nations, caveats))
    assert isinstance(judged(record), Passed) == (may_go and well_formed)


# ── Independence ──────────────────────────────────────────────────────────────────────────────────────────────
