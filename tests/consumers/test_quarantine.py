"""Quarantine at a glance: counts by reason, the newest entries. Without a broker."""

from collections.abc import Sequence
from typing import cast

import pytest

from consumers.queries.quarantine import Pile, entries, kind_of, summarise
from consumers.subscription.topic_reader import TopicReader
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import QUARANTINED, RECEIPT, Codec
from tests.builders import NOW_MS, a_quarantined, a_receipt

CODEC = Codec()


class GivenRecords:
    """A reader's records, by partition."""

    def __init__(self, *partitions: Sequence[bytes | None]) -> None:
        self._values = partitions
        self.partitions = list(range(len(partitions)))

    def records(self, partition: int) -> list[Record]:
        return [
            Record("quarantine.v1", partition, offset, b"k", value, NOW_MS)
            for offset, value in enumerate(self._values[partition])
        ]


def test_each_key_is_one_entry_and_other_records_are_skipped() -> None:
    one, two = (CODEC.encode(QUARANTINED, a_quarantined(key=key)) for key in ("one", "two"))
    receipt = CODEC.encode(RECEIPT, a_receipt())
    reader = cast("TopicReader", GivenRecords([one, two, one], [None, b"\x00", receipt], []))
    assert [entry["key"] for entry in entries(reader, CODEC)] == ["one", "two"]


def test_a_summary_counts_by_reason_and_stage_and_keeps_the_newest() -> None:
    found = [
        a_quarantined(key=f"k{number}", at_ms=NOW_MS - number, reason=reason, stage=stage)
        for number, (reason, stage) in enumerate(
            [("invalid-value", "intake")] * 3 + [("forbidden-marking", "bridge")] * 2 + [("invalid-value", "produce")]
        )
    ]
    summary = summarise(found, newest=2)
    assert summary.piles == (
        Pile("sensor", "invalid-value", "intake", 3, NOW_MS),
        Pile("release", "forbidden-marking", "bridge", 2, NOW_MS - 3),
        Pile("sensor", "invalid-value", "produce", 1, NOW_MS - 5),
    )
    assert summary.count == 6
    assert [entry["key"] for entry in summary.newest] == ["k0", "k1"]


@pytest.mark.parametrize(
    ("stage", "topic", "kind"),
    [
        ("produce", "", "sensor"),
        ("intake", topics.SENSOR_REPORTS, "sensor"),
        ("correlate", topics.OBSERVATIONS, "sensor"),
        ("correlate", topics.COMMANDS, "officer"),
        ("bridge", topics.released("JPN"), "release"),
        ("receive", topics.inbox("JPN"), "partner"),
        ("settle", topics.receipts("JPN"), "partner"),
    ],
)
def test_an_entry_states_whose_input_it_was(stage: str, topic: str, kind: str) -> None:
    assert kind_of(a_quarantined(stage=stage, topic=topic)) == kind


@pytest.mark.parametrize("newest", [0, 1, 5])
def test_two_entries_of_the_same_millisecond_can_be_distinguished(newest: int) -> None:
    found = [a_quarantined(key=f"k{number}") for number in range(3)]
    summary = summarise(found, newest)
    assert len(summary.newest) == min(newest, 3)
    assert summary.count == 3
