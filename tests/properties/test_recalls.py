"""Whatever way a partner's records take, a recalled indicator stays recalled, and its recall is confirmed to the end.

Both nations' steps, and between them a road that does what roads do: lanes overtake each other, compaction leaves only
the last record of a key, a bridge that has lost its position carries everything again, and a partner may be away until
all of it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.metrics import spec
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from streams.receive.step import Receive
from streams.settle.settlement import PURGE_LIMIT_MS, Limits
from streams.settle.step import Settle
from tests.builders import HOUR_MS, NOW_MS, a_content, a_released
from tests.streams.settler import Settler
from tests.streams.workbench import Workbench

CODEC = Codec()
SHARDS = 4
NAME = a_released()["id"].encode()
SHARD = shard_of_key(key_of_id(NAME.decode()), SHARDS)
KINDS = st.lists(st.sampled_from(["content", "content", "recalled", "expired", "odd"]), min_size=1, max_size=8)


def releases(kinds: list[str]) -> list[ReleasedIndicator]:
    """As correlate releases one indicator: each version above the last, ``recalled_through`` never falling.

    What is odd is content of a type that the partner does not know yet, and refuses.
    """
    records: list[ReleasedIndicator] = []
    recalled = 0
    for number, kind in enumerate(kinds):
        version = NOW_MS + number
        if kind == "recalled" and version > 1:
            recalled = version - 1
        odd = {"type": "quantum-key"} if kind == "odd" else {}
        content = a_content(sightings=number + 1, **odd) if kind in ("content", "odd") else None
        reason = {"expired": "aged-out", "recalled": "marking-tightened"}.get(kind, "")
        changes = {
            "kind": "content" if content else kind,
            "version": version,
            "recalled_through": recalled,
            "content": content,
            "reason": reason,
        }
        records.append(a_released(**changes))
    return records


def as_record(topic: str, release: ReleasedIndicator, offset: int = 0) -> Record:
    return Record(topic, SHARD, offset, NAME, CODEC.encode(RELEASED_INDICATOR, release), NOW_MS)


def road(records: list[ReleasedIndicator], random: Random) -> list[ReleasedIndicator]:
    """What arrives, and in which order: the last record always does, the others once, again, late or never."""
    arriving = [each for each in records[:-1] for _ in range(random.randrange(3))]
    arriving += [records[-1]] * random.randrange(1, 3)
    random.shuffle(arriving)
    return arriving


def left_in(receiver: Workbench, recalled: Mapping[bytes, int]) -> Mapping[bytes, bool]:
    """The copies in a picture of which compaction has left the last record."""
    last = receiver.written(topics.accepted("GBR"), RELEASED_INDICATOR)[-1:]
    return {
        name: any(each["content"] is not None and each["version"] <= through for each in last)
        for name, through in recalled.items()
    }


@dataclass
class Exchange:
    """GBR reports one indicator to JPN: JPN's receive and settle, and GBR's settle."""

    def __post_init__(self) -> None:
        limits = Limits(HOUR_MS, HOUR_MS)
        self.receiver = Workbench(Receive(all_agreed("JPN", "GBR"), SHARD, SHARDS, CODEC))
        copies = partial(left_in, self.receiver)
        self.holder = Settler(Settle("JPN", "GBR", SHARD, CODEC, limits), copies)
        self.teller = Settler(Settle("GBR", "JPN", SHARD, CODEC, limits), copies)

    def receive(self, arriving: list[ReleasedIndicator], random: Random) -> None:
        """In batches of any size."""
        while arriving:
            size = random.randrange(1, 4)
            batch, arriving = arriving[:size], arriving[size:]
            records = [as_record(topics.inbox("GBR"), each, offset) for offset, each in enumerate(batch)]
            self.receiver.turn(NOW_MS, *records)

    def hold(self, random: Random) -> None:
        """JPN's settle reads the picture, all of it or what compaction has left, and looks until all is purged."""
        picture = [each for each in self.receiver.outputs if each.topic == topics.accepted("GBR")]
        read = picture if random.random() < 0.5 else picture[-1:]
        self.holder.turn(NOW_MS, *(Record(each.topic, SHARD, 0, each.key, each.value, NOW_MS) for each in read))
        self.holder.search(NOW_MS + HOUR_MS)

    def settle(self, records: list[ReleasedIndicator], random: Random) -> Effects:
        """GBR's settle reads what it released, all or the last, and the receipts, some twice, in any order of both."""
        reported = [
            as_record(topics.released("JPN"), each) for each in (records if random.random() < 0.5 else records[-1:])
        ]
        receipts = [
            Record(topics.partner_receipts("JPN"), SHARD, 0, b"%s/%s" % (NAME, code.encode()), value, NOW_MS)
            for value, code in self.receipts()
        ]
        receipts += random.sample(receipts, random.randrange(len(receipts) + 1))
        while reported or receipts:
            source = reported if not receipts or (reported and random.random() < 0.5) else receipts
            self.teller.turn(NOW_MS, source.pop(0))
        return self.teller.turn(NOW_MS + 2 * PURGE_LIMIT_MS)

    def receipts(self) -> list[tuple[bytes, str]]:
        """Each receipt of JPN's, in the order in which it gave them."""
        written = [*self.receiver.outputs, *self.holder.outputs]
        values = [each.value for each in written if each.topic == topics.receipts("GBR") and each.value is not None]
        found = [(value, CODEC.decode(RECEIPT, value)) for value in values]
        return [(value, receipt["code"]) for value, receipt in found if isinstance(receipt, dict)]


@settings(max_examples=400)
@given(KINDS, st.integers(0, 1 << 32))
def test_overtaking_replay_and_compaction_neither_bring_it_back_nor_swallow_its_recall(
    kinds: list[str], seed: int
) -> None:
    random, records, exchange = Random(seed), releases(kinds), Exchange()
    exchange.receive(road(records, random), random)
    held = exchange.receiver.written(topics.accepted("GBR"), RELEASED_INDICATOR)
    versions = [each["version"] for each in held]
    assert versions == sorted(set(versions))
    assert kinds[-1] == "odd" or held[-1] == records[-1]
    through = records[-1]["recalled_through"]
    assert not any(each["content"] is not None and each["version"] <= through for each in held[-1:])
    exchange.hold(random)
    codes = {code for _, code in exchange.receipts()}
    assert ({"recall_applied", "purged"} <= codes) == ("recalled" in kinds)

    effects = exchange.settle(records, random)
    late = [
        effects.gauges[gauge.at("settle.JPN", SHARD)]
        for gauge in (spec.UNSETTLED_RELEASES, spec.UNSETTLED_RECALLS, spec.UNPURGED_RECALLS)
    ]
    assert late == [0, 0, 0]
    assert not exchange.teller.written(topics.QUARANTINE, QUARANTINED)


def test_a_partner_that_was_away_for_a_week_learns_of_the_recall_by_the_first_record_it_gets() -> None:
    """Compaction has left one record by then, and it is not the recall itself."""
    records = releases(["content", "recalled", "content"])
    exchange = Exchange()
    exchange.receiver.turn(NOW_MS, as_record(topics.inbox("GBR"), records[0]))
    exchange.receiver.turn(
        NOW_MS + 7 * 24 * HOUR_MS, msgspec.structs.replace(as_record(topics.inbox("GBR"), records[-1]), offset=1)
    )
    assert [code for _, code in exchange.receipts()] == ["applied", "recall_applied"]
