"""Records of a partner: each version is accepted once, never an older one; every refusal is kept and receipted."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from exchange.metrics import spec
from exchange.metrics.labels import ReceiptCode
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.records import Content, ReleasedIndicator
from streams.receive.step import Receive
from tests.builders import DAY_MS, NOW_MS, a_content, a_receipt, a_released
from tests.streams.workbench import Workbench

CODEC = Codec()
SHARDS = 4
SHARD = shard_of_key(key_of_id(a_released()["id"]), SHARDS)


def a_receiver() -> Workbench:
    """JPN's receiver of GBR's records."""
    return Workbench(Receive(all_agreed("JPN", "GBR"), SHARD, SHARDS, CODEC))


def a_record(released: ReleasedIndicator | bytes | None, offset: int = 0, *, key: bytes | None = b"") -> Record:
    """As GBR's bridge writes it into the inbox."""
    value = CODEC.encode(RELEASED_INDICATOR, released) if isinstance(released, dict) else released
    name = (released["id"].encode() if isinstance(released, dict) else b"?") if key == b"" else key
    return Record(topics.inbox("GBR"), SHARD, offset, name, value, NOW_MS, (("origin", b"GBR"),))


def accepted(bench: Workbench) -> list[dict[str, Any]]:
    return bench.written(topics.accepted("GBR"), RELEASED_INDICATOR)


def receipts(bench: Workbench) -> list[tuple[str, int, str]]:
    """Code, version and reason of each."""
    written = bench.written(topics.receipts("GBR"), RECEIPT)
    return [(receipt["code"], receipt["version"], receipt["reason"]) for receipt in written]


def test_an_accepted_record_keeps_its_key_partition_and_headers_and_is_receipted() -> None:
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released()))
    (output,) = (output for output in bench.outputs if output.topic == topics.accepted("GBR"))
    assert (output.key, output.partition) == (a_released()["id"].encode(), SHARD)
    assert output.headers == (("origin", b"GBR"),)
    assert receipts(bench) == [("applied", NOW_MS, "")]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_version_that_arrives_twice_is_accepted_once_and_counted_as_a_duplicate(in_one_batch: bool) -> None:
    bench = a_receiver()
    first, again = a_record(a_released()), a_record(a_released(), 1)
    if in_one_batch:
        effects = bench.turn(NOW_MS, first, again)
    else:
        bench.turn(NOW_MS, first)
        effects = bench.turn(NOW_MS, again)
    assert len(accepted(bench)) == len(receipts(bench)) == 1
    assert effects.tallies[spec.DUPLICATE_RECORDS.tally("GBR")] == 1


def test_a_record_that_the_fast_lane_carried_counts_once_and_older_content_never() -> None:
    bench = a_receiver()
    content = a_released(version=NOW_MS - 1)
    recall = a_released(kind="recalled", version=NOW_MS, recalled_through=NOW_MS - 1)
    copy = msgspec.structs.replace(a_record(recall), topic=topics.urgent_inbox("GBR"))
    bench.turn(NOW_MS, copy)
    effects = bench.turn(NOW_MS, a_record(content, 0), a_record(recall, 1))
    assert [record["kind"] for record in accepted(bench)] == ["recalled"]
    assert receipts(bench) == [("recall_applied", NOW_MS, "")]
    assert effects.tallies == {spec.STALE_RECORDS.tally("GBR"): 1, spec.DUPLICATE_RECORDS.tally("GBR"): 1}


def test_an_older_version_never_replaces_a_newer_one_in_any_order() -> None:
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS)), a_record(a_released(version=NOW_MS - 1), 1))
    effects = bench.turn(NOW_MS, a_record(a_released(version=NOW_MS - 2), 2))
    assert [record["version"] for record in accepted(bench)] == [NOW_MS]
    assert effects.tallies[spec.STALE_RECORDS.tally("GBR")] == 1


def test_content_of_a_recalled_version_does_not_come_back() -> None:
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released(kind="recalled", version=NOW_MS, recalled_through=NOW_MS - 1)))
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS - 1), 1))
    assert [record["kind"] for record in accepted(bench)] == ["recalled"]
    assert receipts(bench) == [("recall_applied", NOW_MS, "")]


def test_a_recall_that_was_overtaken_by_new_content_is_applied_by_it() -> None:
    """Compaction or the fast lane may leave only the later record: its recalled_through covers the recall."""
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS - 9)))
    effects = bench.turn(NOW_MS, a_record(a_released(version=NOW_MS, recalled_through=NOW_MS - 5), 1))
    assert receipts(bench)[-1] == ("recall_applied", NOW_MS, "")
    assert effects.tallies[spec.RECEIPTS.tally("GBR", ReceiptCode.RECALL_APPLIED)] == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (a_content(type="quantum-key"), "unknown-type"),
        (a_content(tlp="TLP:RED"), "forbidden-marking"),
        (a_content(release_expires_ms=NOW_MS), "release-expired"),
    ],
    ids=["unknown to this version", "RED", "ended on the way"],
)
def test_refused_content_still_recalls_the_versions_that_it_names(content: Content, reason: str) -> None:
    """A source withdrew its data. Only the record of the rest carries the recall, and its content is not accepted."""
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS - 9)))
    rest = a_released(version=NOW_MS, recalled_through=NOW_MS - 9, content=content)
    bench.turn(NOW_MS, a_record(rest, 1), a_record(rest, 2))
    assert receipts(bench) == [("applied", NOW_MS - 9, ""), ("refused", NOW_MS, reason), ("recall_applied", NOW_MS, "")]
    last = accepted(bench)[-1]
    assert (last["kind"], last["version"], last["recalled_through"]) == ("recalled", NOW_MS, NOW_MS - 9)
    assert (last["content"], last["reason"]) == (None, "withdrawn")
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS + 1, recalled_through=NOW_MS - 9), 3))
    assert accepted(bench)[-1]["kind"] == "content"


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "FRA", "hops": ["FRA"]},
        {"version": NOW_MS + 2 * DAY_MS, "content": a_content(tlp="TLP:RED")},
        {"kind": "expired"},
    ],
    ids=["another's", "of the future", "malformed"],
)
def test_a_record_that_is_not_validly_the_partners_recalls_nothing(changes: dict[str, Any]) -> None:
    bench = a_receiver()
    bench.turn(NOW_MS, a_record(a_released(version=NOW_MS - 9)))
    rest = {"version": NOW_MS, "recalled_through": NOW_MS - 9, "content": a_content(), **changes}
    bench.turn(NOW_MS, a_record(a_released(**rest), 1))
    assert [each["version"] for each in accepted(bench)] == [NOW_MS - 9]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(None), "truncated"),
        (a_record(b"\0\0"), "truncated"),
        (a_record(a_released(), key=b"another"), "key-mismatch"),
        (a_record(a_released(), key=None), "key-mismatch"),
        (a_record(a_released(), key=b"\xff\xfe"), "key-mismatch"),
        (a_record(a_released(origin="JPN", hops=["JPN"])), "looped"),
        (a_record(a_released(origin="FRA", hops=["FRA"])), "foreign-origin"),
        (a_record(a_released(content=a_content(tlp="TLP:RED"))), "forbidden-marking"),
        (a_record(a_released(content=a_content(releasable_to=["FRA"]))), "not-releasable-here"),
    ],
    ids=["null", "cut", "key", "no key", "not text", "own", "third", "RED", "not for us"],
)
def test_a_refused_record_is_quarantined_and_receipted_and_moves_no_floor(record: Record, reason: str) -> None:
    bench = a_receiver()
    bench.turn(NOW_MS, record, a_record(a_released(), 1))
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert (entry["reason"], entry["stage"], entry["offset"]) == (reason, "receive", 0)
    assert entry["original"] is None
    # Without an indicator's key there is nothing that a receipt could name.
    expected = [] if record.key != a_released()["id"].encode() and reason in {"truncated", "key-mismatch"} else [reason]
    assert [why for code, _, why in receipts(bench) if code == "refused"] == expected
    assert receipts(bench)[-1] == ("applied", NOW_MS, "")


def test_of_refused_content_only_its_digest_is_kept() -> None:
    """Its nation may recall it, and then no copy of it may remain here: quarantine keeps records for a year."""
    unknown = a_record(a_released(content=a_content(type="quantum-key")))
    bench = a_receiver()
    bench.turn(NOW_MS, msgspec.structs.replace(unknown, headers=(("source", b"see my mail"),)))
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert (entry["reason"], entry["original"], entry["excerpt"]) == ("unknown-type", None, "")
    assert entry["digest"] == sha256(unknown.value or b"").digest()
    assert entry["place"] == ""


def test_a_refused_record_without_content_is_kept_with_its_bytes() -> None:
    bench = a_receiver()
    recall = a_record(a_released(kind="recalled", origin="FRA", hops=["FRA"]))
    bench.turn(NOW_MS, recall)
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert entry["original"] == recall.value


def test_the_receipt_of_a_refusal_names_the_refused_version() -> None:
    bench = a_receiver()
    forbidden = a_content(tlp="TLP:RED")
    bench.turn(NOW_MS, a_record(a_released(content=forbidden)))
    bench.turn(NOW_MS, a_record(a_released(content=forbidden, version=1 << 60)))
    assert receipts(bench) == [("refused", NOW_MS, "forbidden-marking"), ("refused", 0, "forbidden-marking")]


def test_only_short_and_known_headers_of_a_partner_are_kept() -> None:
    bench = a_receiver()
    headers = (("origin", b"GBR"), ("origin", b"twice"), ("hops", b"x" * 500), ("decision", b"GBR-0-7"))
    bench.turn(NOW_MS, msgspec.structs.replace(a_record(a_released()), headers=headers))
    (output,) = (output for output in bench.outputs if output.topic == topics.accepted("GBR"))
    assert output.headers == (("origin", b"GBR"),)


def test_the_partners_receipts_for_our_releases_are_routed_to_their_topic_by_code() -> None:
    bench = a_receiver()
    sent = [a_receipt(nation="GBR", code=code) for code in ("applied", "recall_applied", "applied")]
    name = sent[0]["indicator_id"].encode()
    records = [a_record(CODEC.encode(RECEIPT, each), offset, key=name) for offset, each in enumerate(sent)]
    effects = bench.turn(NOW_MS, *records)
    assert bench.written(topics.partner_receipts("GBR"), RECEIPT) == sent
    assert [output.key for output in bench.outputs] == [
        name + code for code in (b"/applied", b"/recall_applied", b"/applied")
    ]
    assert effects.tallies[spec.PARTNER_RECEIPTS.tally("GBR", ReceiptCode.APPLIED)] == 2
    assert not effects.rows


def test_a_receipt_that_is_not_the_partners_is_quarantined_and_not_answered() -> None:
    bench = a_receiver()
    forged = a_receipt(nation="JPN")
    bench.turn(NOW_MS, a_record(CODEC.encode(RECEIPT, forged), key=forged["indicator_id"].encode()))
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert (entry["reason"], entry["stage"]) == ("foreign-origin", "receive")
    assert len(bench.outputs) == 1
