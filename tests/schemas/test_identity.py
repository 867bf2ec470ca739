"""Ids are UUIDv5 as RFC 9562 states, and the partitioners are stable for ever."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import NAMESPACE, indicator_id, indicator_key, key_of_id, shard_of_key, shard_of_sensor
from schemas.vocabulary import IndicatorType

KINDS = st.sampled_from(IndicatorType)


@given(kind=KINDS, value=st.text(max_size=100))
def test_a_key_is_the_uuid5_of_type_and_value(kind: IndicatorType, value: str) -> None:
    assert uuid.UUID(bytes=indicator_key(kind, value)) == uuid.uuid5(NAMESPACE, f"{kind.label}:{value}")


@given(kind=KINDS, value=st.text(max_size=100))
def test_an_id_and_its_key_are_the_same_thing(kind: IndicatorType, value: str) -> None:
    key = indicator_key(kind, value)
    assert indicator_id(key) == f"indicator--{uuid.UUID(bytes=key)}"
    assert key_of_id(indicator_id(key)) == key


@given(one=st.tuples(KINDS, st.text(max_size=20)), other=st.tuples(KINDS, st.text(max_size=20)))
def test_different_things_have_different_ids(one: tuple[IndicatorType, str], other: tuple[IndicatorType, str]) -> None:
    assert (indicator_key(*one) == indicator_key(*other)) == (one == other)


def test_an_id_is_the_same_for_ever() -> None:
    """Written down once: both nations, every release."""
    key = indicator_key(IndicatorType.DOMAIN_NAME, "c2.example.com")
    assert indicator_id(key) == "indicator--0c7f3a1e-0471-5e79-918f-dfc0ccc63590"


@pytest.mark.parametrize("text", ["", "indicator--", "malware--6a1e7b1e-0000-5000-8000-000000000000", "indicator--xyz"])
def test_what_is_no_id_of_ours_has_no_key(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the message is the standard library's
        key_of_id(text)


@given(key=st.binary(min_size=16, max_size=16), shards=st.integers(1, 1000))
def test_a_shard_is_one_of_the_partitions(key: bytes, shards: int) -> None:
    assert 0 <= shard_of_key(key, shards) < shards


def test_shards_are_the_same_for_ever_and_spread() -> None:
    keys = [indicator_key(IndicatorType.IPV4_ADDR, f"192.0.2.{last}") for last in range(256)]
    counts = [sum(shard_of_key(key, 4) == shard for key in keys) for shard in range(4)]
    assert min(counts) > 40
    assert shard_of_key(bytes.fromhex("00000005") + bytes(12), 4) == 1
    assert {shard_of_sensor(f"edge-{number}", 4) for number in range(32)} == {0, 1, 2, 3}
    assert shard_of_sensor("edge-1", 4) == 0
