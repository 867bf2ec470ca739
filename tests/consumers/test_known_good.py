"""The guard's short way passes nothing that the guard itself would not, whatever the bytes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.bridge.guard import Passed, check
from consumers.bridge.guard_content import Refused
from consumers.bridge.known_good import KnownGood
from consumers.bridge.step import Bridge, Link
from exchange.protocol.record import Record
from exchange.protocol.rows import NO_ROWS
from exchange.protocol.step import Batch
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.normalise import Invalid, canonical
from schemas.records import ReleasedIndicator
from schemas.row_writer import zigzag
from schemas.vocabulary import IndicatorType, RejectReason
from tests.builders import DAY_MS, NOW_MS, a_content, a_released

CODEC, SHARDS = Codec(), 4
VALUES = {
    IndicatorType.DOMAIN_NAME: ["a.example", "b.example.net", "xn--r8jz45g.example"],
    IndicatorType.URL: ["https://a.example/x", "https://b.example/" + "y" * 200],
    IndicatorType.IPV6_ADDR: ["2001:db8::1"],
    IndicatorType.FILE_NAME: ["請求書.exe"],
    IndicatorType.FILE_SHA256: ["ab" * 32],
}


def a_record(kind: IndicatorType, value: str, **changes: Any) -> ReleasedIndicator:
    known = canonical(kind, value)
    assert not isinstance(known, Invalid)
    content = a_content(type=kind.label, value=known[1], registered_domain="", asn=0, country="") | changes
    return a_released(id=indicator_id(indicator_key(*known)), version=NOW_MS, content=content)


RECORDS = [
    a_record(kind, value, tlp=tlp, releasable_to=nations, caveats=caveats, labels=labels, country=country)
    for kind, values in VALUES.items()
    for value in values
    for tlp, nations, caveats, labels, country in [
        ("TLP:GREEN", [], [], [], ""),
        ("TLP:AMBER", ["AUS", "JPN"], ["PERSONAL DATA"], ["malicious-activity", "悪性"], "JP"),
    ]
]


def place_of(record: ReleasedIndicator) -> int:
    return shard_of_key(key_of_id(record["id"]), SHARDS)


def guarded(value: bytes | None, key: bytes | None, partition: int) -> object:
    return check(
        value, key, CODEC, agreed=all_agreed("GBR", "JPN"), now_ms=NOW_MS, partition=partition, shards=SHARDS
    )  # fmt: skip


def learned() -> KnownGood:
    known = KnownGood(CODEC, all_agreed("GBR", "JPN"), SHARDS)
    for record in RECORDS:
        value = CODEC.encode(RELEASED_INDICATOR, record)
        verdict = guarded(value, record["id"].encode(), place_of(record))
        if isinstance(verdict, Passed):
            known.learn(verdict.record)
    return known


KNOWN = learned()


@pytest.mark.parametrize(
    "record", RECORDS, ids=lambda record: f"{record['content']['type']} {record['content']['tlp']}"
)
def test_a_record_that_the_guard_has_passed_is_known_the_second_time(record: ReleasedIndicator) -> None:
    value, key = CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode()
    assert isinstance(guarded(value, key, place_of(record)), Passed)
    assert KNOWN.passes(value, key, place_of(record), NOW_MS)
    assert not KnownGood(CODEC, all_agreed("GBR", "JPN"), SHARDS).passes(value, key, place_of(record), NOW_MS), (
        "nothing is learnt yet"
    )
    assert not KNOWN.passes(value, key, (place_of(record) + 1) % SHARDS, NOW_MS)
    assert not KNOWN.passes(value, key[:-1] + b"x", place_of(record), NOW_MS)


@settings(max_examples=1500)
@given(
    st.sampled_from(RECORDS),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)), min_size=1, max_size=4),
)
def test_mutated_bytes_pass_only_if_the_guard_passes_them(
    record: ReleasedIndicator, edits: list[tuple[int, bytes, int]]
) -> None:
    value = CODEC.encode(RELEASED_INDICATOR, record)
    for place, put, gone in edits:
        at = place % (len(value) + 1)
        value = value[:at] + put + value[at + gone :]
    if KNOWN.passes(value, record["id"].encode(), place_of(record), NOW_MS):
        assert isinstance(guarded(value, record["id"].encode(), place_of(record)), Passed)


LONGS = st.sampled_from([0, 1, -1, 63, 64, NOW_MS, NOW_MS + 1, NOW_MS + DAY_MS, NOW_MS + DAY_MS + 1, (1 << 63) - 1])


@settings(max_examples=600)
@given(st.sampled_from(RECORDS), st.data())
def test_changed_fields_pass_only_if_the_guard_passes_them(record: ReleasedIndicator, data: st.DataObject) -> None:
    content: Any = dict(record["content"] or {})
    changed: Any = dict(record)
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from([*content, "version", "recalled_through", "hops", "origin", "reason", "kind"]))
        where = content if name in content else changed
        if name == "kind":
            where[name] = data.draw(st.sampled_from(["content", "expired", "recalled"]))
        elif isinstance(where[name], int):
            where[name] = data.draw(LONGS if name != "confidence" else st.integers(-2, 102))
        elif isinstance(where[name], list):
            where[name] = data.draw(st.lists(st.sampled_from(["JPN", "GBR", "UK EYES ONLY", "x" * 70]), max_size=3))
        else:
            words = ["", "TLP:RED", "TLP:CLEAR", "GBR", "JPN", "a.example", "URL", "PAP:X", "aged-out", "US", "us"]
            where[name] = data.draw(st.sampled_from(words))
    changed["content"] = content
    value = CODEC.encode(RELEASED_INDICATOR, changed)
    if KNOWN.passes(value, record["id"].encode(), place_of(record), NOW_MS):
        assert isinstance(guarded(value, record["id"].encode(), place_of(record)), Passed)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_random_bytes_are_never_known(body: bytes) -> None:
    assert not KNOWN.passes(CODEC.reframe(RELEASED_INDICATOR, b"")[:5] + body, b"k", 0, NOW_MS)
    assert not KNOWN.passes(None, b"k", 0, NOW_MS)


def test_a_record_with_a_tearline_goes_to_the_guard() -> None:
    content = RECORDS[0]["content"]
    assert content is not None
    record: ReleasedIndicator = {**RECORDS[0], "content": {**content, "tearline": "for release"}}
    value, key = CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode()
    verdict = guarded(value, key, place_of(record))
    assert isinstance(verdict, Passed)
    known = learned()
    known.learn(verdict.record)
    assert not known.passes(value, key, place_of(record), NOW_MS)


def test_longer_ways_to_write_the_same_are_not_known() -> None:
    record = RECORDS[0]
    value, key, shard = CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode(), place_of(record)
    version = zigzag(record["version"])
    padded = version[:-1] + bytes([version[-1] | 0x80, 0])
    for longer in (value.replace(version, padded, 1), value + b"\x00", b"\x00\x00\x00\x00\x00" + value[5:]):
        assert longer != value
        assert not KNOWN.passes(longer, key, shard, NOW_MS)
        assert not isinstance(guarded(longer, key, shard), Passed)


def test_the_bridge_has_the_same_result_with_and_without_its_cache() -> None:
    """A forbidden record in the middle of good ones is refused, and the others go: twice, the second time by memory."""
    bridge = Bridge(Link(all_agreed("GBR", "JPN"), CODEC, CODEC, SHARDS))
    red = a_record(IndicatorType.URL, "https://red.example/", tlp="TLP:RED")
    batch = [
        Record("indicator.released.JPN.v1", place_of(record), number, record["id"].encode(), value, NOW_MS)
        for number, record in enumerate([RECORDS[0], red, *RECORDS])
        for value in [CODEC.encode(RELEASED_INDICATOR, record)]
    ]
    first, second = (bridge.compute(Batch(batch, (), {}), NO_ROWS, NOW_MS) for _ in range(2))
    assert first == second
    assert [output.value for output in second.outputs] == [each.value for each in batch if each is not batch[1]]
    assert len(second.home) == 1


class Panic(BaseException):
    """As native code raises it."""


class PanickingCodec(Codec):
    """A codec whose native part breaks."""

    def decode(self, name: str, data: bytes | None) -> "dict[str, Any] | Undecodable":  # noqa: ARG002
        raise Panic("not implemented")


def test_a_panic_in_a_native_decoder_is_a_refusal_that_keeps_no_bytes() -> None:
    record = RECORDS[0]
    value = CODEC.encode(RELEASED_INDICATOR, record)
    verdict = check(
        value, record["id"].encode(), PanickingCodec(), agreed=all_agreed("GBR", "JPN"), now_ms=NOW_MS,
        partition=place_of(record), shards=SHARDS,
    )  # fmt: skip
    assert verdict == Refused(RejectReason.UNDECODABLE, "breaks the decoder: Panic")
