"""The bridge's step: the records that it carries, their headers, and the fate of the others."""

import pytest

from consumers.bridge.step import Bridge, Link, fast_lane_of
from exchange.metrics import spec
from exchange.metrics.labels import ReceiptCode
from exchange.protocol.effects import Effects
from exchange.protocol.record import Headers, Record
from schemas import topics
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.vocabulary import RecordKind
from tests.builders import HOME, NOW_MS, PARTNER, a_content, a_receipt, a_released
from tests.streams.workbench import Workbench

HOME_CODEC = Codec()
# The partner's registry has given the same numbers to other schemas.
THEIR_IDS = {104: RECEIPT, 107: RELEASED_INDICATOR}
PARTNER_CODEC = Codec(THEIR_IDS)
SHARDS = 4
SHARD = shard_of_key(key_of_id(a_released()["id"]), SHARDS)
RELEASE = HOME_CODEC.encode(RELEASED_INDICATOR, a_released())
ANSWER = HOME_CODEC.encode(RECEIPT, a_receipt(nation=HOME))


def turned_behind(version: int, *records: Record) -> Effects:
    """The bulk's batch, if the fast lane may have carried this version of its records ahead."""
    ahead = {record.key: version for record in records}
    return Workbench(Bridge(Link(all_agreed(HOME, PARTNER), HOME_CODEC, PARTNER_CODEC, SHARDS)), ahead).turn(
        NOW_MS, *records
    )


def turned(*records: Record, partner: Codec = PARTNER_CODEC) -> tuple[Effects, Workbench]:
    bench = Workbench(Bridge(Link(all_agreed(HOME, PARTNER), HOME_CODEC, partner, SHARDS)), {})
    return bench.turn(NOW_MS, *records), bench


def a_record(value: bytes | None, topic: str = topics.released(PARTNER), headers: Headers = ()) -> Record:
    return Record(topic, SHARD, 7, a_released()["id"].encode(), value, NOW_MS, headers)


def test_a_release_arrives_with_the_partners_schema_id_and_its_own_body() -> None:
    effects, _ = turned(a_record(RELEASE))
    (output,) = effects.outputs
    assert (output.topic, output.partition, output.key) == (topics.inbox(HOME), SHARD, a_released()["id"].encode())
    assert PARTNER_CODEC.decode(RELEASED_INDICATOR, output.value) == a_released()
    assert output.value is not None
    assert output.value[5:] == RELEASE[5:]


def test_a_release_with_a_tearline_arrives_in_the_schema_that_it_is_written_in() -> None:
    reported = a_released(content=a_content(tearline="for release"))
    value = HOME_CODEC.encode(RELEASED_INDICATOR, reported)
    effects, _ = turned(a_record(value), a_record(RELEASE), partner=Codec({7: RELEASED_INDICATOR_V2, **THEIR_IDS}))
    first, second = effects.outputs
    assert first.value == b"\x00\x00\x00\x00\x07" + value[5:]
    assert second.value == PARTNER_CODEC.encode(RELEASED_INDICATOR, a_released())


def test_a_partner_without_the_second_schema_gets_all_other_records_and_the_rest_is_quarantined() -> None:
    reported = a_released(content=a_content(tearline="for release"))
    value = HOME_CODEC.encode(RELEASED_INDICATOR, reported)
    effects, _ = turned(a_record(value), a_record(RELEASE))
    assert [output.value for output in effects.outputs] == [PARTNER_CODEC.encode(RELEASED_INDICATOR, a_released())]
    (kept,) = effects.home
    entry = HOME_CODEC.decode(QUARANTINED, kept.value)
    assert isinstance(entry, dict)
    assert (entry["reason"], entry["original"]) == ("unknown-schema", value)
    assert "`kakehashi reconcile --nation NATION --partner PARTNER --repair" in entry["detail"]


def test_a_receipt_is_carried_in_the_same_inbox_with_the_partners_schema_id() -> None:
    effects, _ = turned(a_record(ANSWER, topics.receipts(PARTNER)))
    (output,) = effects.outputs
    assert output.topic == topics.inbox(HOME)
    assert PARTNER_CODEC.decode(RECEIPT, output.value) == a_receipt(nation=HOME)
    assert effects.tallies == {spec.REPLICATED_RECEIPTS.tally(HOME, PARTNER, ReceiptCode.RECEIVED): 1}


@pytest.mark.parametrize(
    ("value", "topic"),
    [(ANSWER, topics.released(PARTNER)), (RELEASE, topics.receipts(PARTNER))],
    ids=["receipt", "release"],
)
def test_a_record_on_the_other_schemas_topic_stays(value: bytes, topic: str) -> None:
    effects, _ = turned(a_record(value, topic))
    assert not effects.outputs
    (kept,) = effects.home
    entry = HOME_CODEC.decode(QUARANTINED, kept.value)
    assert isinstance(entry, dict)
    assert (entry["reason"], entry["original"]) in {("unknown-schema", None), ("too-large", None)}


def test_the_fast_lane_has_an_inbox_and_a_count_of_its_own() -> None:
    link = Link(all_agreed(HOME, PARTNER), HOME_CODEC, PARTNER_CODEC, SHARDS)
    recall = HOME_CODEC.encode(RELEASED_INDICATOR, a_released(kind="recalled", recalled_through=1))
    effects = Workbench(Bridge(link, fast_lane_of(link)), {}).turn(NOW_MS, a_record(recall, topics.urgent(PARTNER)))
    (output,) = effects.outputs
    assert (output.topic, output.partition) == (topics.urgent_inbox(HOME), SHARD)
    assert effects.tallies == {spec.URGENT_RECORDS.tally(HOME, PARTNER, RecordKind.RECALLED): 1}


@pytest.mark.parametrize(("ahead", "carried"), [(-1, 1), (0, 1), (1, 0)])
def test_content_that_the_fast_lane_has_overtaken_is_not_carried(ahead: int, carried: int) -> None:
    effects = turned_behind(a_released()["version"] + ahead, a_record(RELEASE), a_record(RELEASE))
    assert len(effects.outputs) == 2 * carried
    assert effects.tallies.get(spec.OVERTAKEN_RECORDS.tally(HOME, PARTNER), 0) == 2 - 2 * carried
    assert not effects.home


def test_the_end_of_an_indicator_is_carried_even_if_it_was_overtaken() -> None:
    ended = HOME_CODEC.encode(RELEASED_INDICATOR, a_released(kind="expired"))
    assert len(turned_behind(a_released()["version"] + 1, a_record(ended)).outputs) == 1


@pytest.mark.parametrize("words", [b"GBR-3-17", b"TLP:RED 192.0.2.7", b"x" * 100_000, b""])
def test_the_headers_state_a_records_origin_and_hops_and_nothing_else(words: bytes) -> None:
    """A decision's id counts what is withheld, and a position at home counts batches."""
    headers = (("decision", words), ("secret", words), ("source", words), ("origin", b"FRA"), ("hops", b"FRA,GBR"))
    effects, _ = turned(a_record(RELEASE, headers=headers))
    assert effects.outputs[0].headers == (("origin", b"GBR"), ("hops", b"GBR"))


def test_a_deletion_on_our_own_topics_leaves_no_trace() -> None:
    effects, _ = turned(a_record(None), a_record(None, topics.receipts(PARTNER)))
    assert (list(effects.outputs), list(effects.home)) == ([], [])


def test_a_forbidden_record_stops_only_itself() -> None:
    red = HOME_CODEC.encode(RELEASED_INDICATOR, a_released(content=a_content(tlp="TLP:RED")))
    effects, _ = turned(a_record(red), a_record(RELEASE))
    assert (len(effects.outputs), len(effects.home)) == (1, 1)
