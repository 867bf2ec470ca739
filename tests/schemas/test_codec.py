"""Bytes of any kind are a record or an answer: never an exception, never much time or memory."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.vocabulary import RejectReason
from tests.alone import alone
from tests.builders import a_content, a_receipt, a_released, a_report
from tests.golden.make import CASES

CODEC = codec.Codec()
NUMBERS = {name: number for number, name in codec.bundled_ids().items()}
SAMPLES = [(name, CODEC.encode(name, record)) for name, cases in CASES.items() for record in cases.values()]
LONGEST = {name: max((data for other, data in SAMPLES if other == name), key=len) for name in CASES}


def _header(name: str) -> bytes:
    return struct.pack(">bI", 0, NUMBERS[name])


def _long(number: int) -> bytes:
    """Avro's zig-zag varint."""
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    encoded = bytearray()
    while zigzag > 0x7F:
        encoded.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)


def _string(text: bytes) -> bytes:
    return _long(len(text)) + text


@pytest.mark.parametrize("name", CASES)
def test_a_record_comes_back_as_it_went(name: str) -> None:
    for record in CASES[name].values():
        assert CODEC.decode(name, CODEC.encode(name, record)) == record


@pytest.mark.parametrize("name", LONGEST)
def test_a_record_cut_at_any_byte_is_refused(name: str) -> None:
    whole = LONGEST[name]
    for length in range(len(whole)):
        answer = CODEC.decode(name, whole[:length])
        assert isinstance(answer, codec.Undecodable), f"cut after {length} of {len(whole)} bytes"
        assert answer.reason in {RejectReason.TRUNCATED, RejectReason.UNDECODABLE}


@pytest.mark.parametrize(("name", "whole"), SAMPLES)
def test_a_byte_too_many_is_refused(name: str, whole: bytes) -> None:
    answer = CODEC.decode(name, whole + b"\x00")
    assert isinstance(answer, codec.Undecodable)
    assert answer.reason is RejectReason.UNDECODABLE
    assert "1 bytes after" in answer.detail


def test_no_bytes_at_all_are_refused() -> None:
    for nothing in (None, b"", b"\x00\x00\x00\x00"):
        answer = CODEC.decode(codec.RECEIPT, nothing)
        assert isinstance(answer, codec.Undecodable)
        assert answer.reason is RejectReason.TRUNCATED


@pytest.mark.parametrize(
    "start",
    [b"\x01" + _header(codec.RECEIPT)[1:], struct.pack(">bI", 0, 9_999), struct.pack(">bI", 0, 0xFFFFFFFF), b"{}   "],
    ids=["another magic byte", "an unknown id", "the highest id", "JSON"],
)
def test_another_frame_is_an_unknown_schema(start: bytes) -> None:
    answer = CODEC.decode(codec.RECEIPT, start + CODEC.encode(codec.RECEIPT, a_receipt())[5:])
    assert isinstance(answer, codec.Undecodable)
    assert answer.reason is RejectReason.UNKNOWN_SCHEMA


def test_a_known_record_of_another_schema_is_refused_by_name() -> None:
    answer = CODEC.decode(codec.RELEASED_INDICATOR, CODEC.encode(codec.RECEIPT, a_receipt()))
    assert isinstance(answer, codec.Undecodable)
    assert answer.reason is RejectReason.UNKNOWN_SCHEMA
    assert "receipt.v1" in answer.detail


def test_another_clusters_ids_are_its_own() -> None:
    """Two registries with colliding ids: a number means what its own cluster states."""
    theirs = codec.Codec({101: codec.RELEASED_INDICATOR, 104: codec.SENSOR_REPORT})
    ours = CODEC.encode(codec.RELEASED_INDICATOR, a_released())
    assert isinstance(theirs.decode(codec.RELEASED_INDICATOR, ours), codec.Undecodable)
    assert theirs.encode(codec.RELEASED_INDICATOR, a_released())[5:] == ours[5:]


def test_only_a_released_indicator_with_a_tearline_is_written_as_v2() -> None:
    plain, empty, reported = (
        a_released(content=content) for content in (a_content(), a_content(tearline=""), a_content(tearline="公開"))
    )
    written = [CODEC.encode(codec.RELEASED_INDICATOR, record) for record in (plain, empty, reported)]
    assert [CODEC.schema_of(each) for each in written] == [codec.RELEASED_INDICATOR] * 2 + [codec.RELEASED_INDICATOR_V2]
    assert written[0] == written[1]
    assert CODEC.decode(codec.RELEASED_INDICATOR, written[2]) == reported
    assert CODEC.decode(codec.RELEASED_INDICATOR, written[0]) == plain
    recall = CODEC.encode(codec.RELEASED_INDICATOR, a_released(kind="recalled"))
    assert CODEC.schema_of(recall) == codec.RELEASED_INDICATOR


def test_who_has_not_upgraded_reads_what_has_no_tearline_and_states_why_not_the_rest() -> None:
    older = codec.Codec({number: name for number, name in codec.bundled_ids().items() if number != 112})
    assert older.decode(codec.RELEASED_INDICATOR, CODEC.encode(codec.RELEASED_INDICATOR, a_released())) == a_released()
    reported = CODEC.encode(codec.RELEASED_INDICATOR, a_released(content=a_content(tearline="x")))
    answer = older.decode(codec.RELEASED_INDICATOR, reported)
    assert isinstance(answer, codec.Undecodable)
    assert answer.reason is RejectReason.UNKNOWN_SCHEMA


RELEASED_START = _header(codec.RELEASED_INDICATOR)
BEFORE_HOPS = RELEASED_START + _string(b"id") + _long(0) + _long(1) + _long(0) + _string(b"GBR")
AFTER_HOPS = _long(0) + _string(b"") + _long(0)
HOSTILE: dict[str, bytes] = {
    "a string of 2^60 bytes": RELEASED_START + _long(1 << 60) + b"abc",
    "a string of 2^63 - 1 bytes": RELEASED_START + _long((1 << 63) - 1) + b"abc",
    "a string of -1 bytes": RELEASED_START + _long(-1) + b"abc",
    "a string of -2^63 bytes": RELEASED_START + _long(-(1 << 63)) + b"abc",
    "a length of 100 varint bytes": RELEASED_START + b"\xff" * 100 + b"\x01",
    "a varint without end": RELEASED_START + b"\xff" * 100_000,
    "an array of 2^60 items": BEFORE_HOPS + _long(1 << 60) + _string(b"GBR") * 10,
    "an array of 2^60 empty items": BEFORE_HOPS + _long(1 << 60) + b"\x00" * 10_000,
    "an array block of -2^60 items": BEFORE_HOPS + _long(-(1 << 60)) + _long(5) + _string(b"GBR") * 10,
    "an array block of -2^63 items": BEFORE_HOPS + _long(-(1 << 63)) + _long(5) + _string(b"GBR") * 10,
    "an enum symbol that is not there": RELEASED_START + _string(b"id") + _long(9) + _long(1) + _long(0),
    "a union branch that is not there": BEFORE_HOPS + _long(0) + _string(b"") + _long(7),
    "a string that is not UTF-8": RELEASED_START + _string(b"\xff\xfe") + BEFORE_HOPS[8:] + AFTER_HOPS,
}


def _decoded(data: bytes) -> object:
    return CODEC.decode(codec.RELEASED_INDICATOR, data)


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lengths_cost_nothing(data: bytes) -> None:
    answer, cost = alone(_decoded, data)
    assert isinstance(answer, codec.Undecodable)
    assert cost.seconds < 1
    assert cost.memory < 4 << 20


def test_an_array_in_many_small_blocks_costs_no_more_than_its_bytes() -> None:
    data = BEFORE_HOPS + (_long(1) + _string(b"")) * 50_000 + AFTER_HOPS
    _, cost = alone(_decoded, data)
    assert cost.seconds < 2
    assert cost.memory < 4 << 20


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(CASES)), body=st.binary(max_size=512), framed=st.booleans())
def test_random_bytes_are_an_answer(name: str, body: bytes, framed: bool) -> None:
    answer = CODEC.decode(name, _header(name) + body if framed else body)
    assert isinstance(answer, dict | codec.Undecodable)


@settings(max_examples=300)
@given(sample=st.sampled_from(SAMPLES), place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_is_an_answer(sample: tuple[str, bytes], place: int, byte: int) -> None:
    name, whole = sample
    damaged = bytearray(whole)
    damaged[place % len(whole)] = byte
    assert isinstance(CODEC.decode(name, bytes(damaged)), dict | codec.Undecodable)


@settings(max_examples=200)
@given(
    st.builds(
        a_content,
        value=st.text(max_size=60),
        labels=st.lists(st.text(max_size=20), max_size=5),
        confidence=st.integers(-(1 << 31), (1 << 31) - 1),
        last_seen_ms=st.integers(-(1 << 63), (1 << 63) - 1),
        **{"tearline": st.text(min_size=1, max_size=60)},
    ).map(lambda content: a_released(content=content))
)
def test_whatever_fits_the_schema_makes_the_round_trip(record: dict[str, object]) -> None:
    encoded = CODEC.encode(codec.RELEASED_INDICATOR, record)
    assert CODEC.decode(codec.RELEASED_INDICATOR, encoded) == record


def test_a_record_that_does_not_fit_is_a_defect_of_ours() -> None:
    for record in ({}, {**a_report(), "values": None}, {**a_report(), "epoch": 1 << 63}):
        with pytest.raises((ValueError, TypeError, KeyError, OverflowError)):
            CODEC.encode(codec.SENSOR_REPORT, record)
