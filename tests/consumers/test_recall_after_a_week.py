"""A partner was offline while its indicator was recalled and released again, and compaction removed the recall.

The road at its worst, once, with a real cleaner; ``tests/properties/test_recalls.py`` takes all the others in memory.
"""

import pytest

from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from streams.receive.step import Receive
from streams.settle.step import ROLL_KEY
from tests.builders import NOW_MS, a_content, a_released
from tests.conftest import Brokers
from tests.consumers.border import SHARDS, Border
from tests.consumers.test_bad_releases import bridge
from tests.polling import eventually
from tests.streams.workbench import Workbench

CODEC = Codec()
NAME = a_released()["id"].encode()
WITHIN_S = 60.0


@pytest.fixture
def border(brokers: Brokers) -> Border:
    """Its released topic is cleaned as soon as Kafka will."""
    border = Border(brokers)
    config = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "500"}
    border.recreate(border.here, topics.released(border.partner), config)
    return border


def _release(border: Border, version: int, **changes: object) -> ReleasedIndicator:
    content = None if "kind" in changes else a_content(releasable_to=[border.partner])
    made = {"content": content, "origin": border.home, "hops": [border.home], "version": version}
    return a_released(**{**made, **changes})


def _inbox(border: Border) -> list[Record]:
    return [each for each in border.read(border.there, topics.inbox(border.home)) if each.key == NAME]


def _carried(border: Border, count: int) -> list[Record]:
    """The records of the inbox once it holds so many."""
    with bridge(border) as broken:
        eventually(lambda: bool(broken) or len(_inbox(border)) >= count, WITHIN_S, f"{count} have arrived")
        assert not broken
    return _inbox(border)


def test_a_partner_that_returns_applies_the_recall_with_the_first_record_although_compaction_removed_it(
    border: Border,
) -> None:
    partner = Workbench(Receive(all_agreed(border.partner, border.home), 0, SHARDS, CODEC))
    border.release(_release(border, NOW_MS))
    partner.turn(NOW_MS, *_carried(border, 1))

    border.release(
        _release(border, NOW_MS + 1, kind="recalled", recalled_through=NOW_MS),
        _release(border, NOW_MS + 2, recalled_through=NOW_MS),
    )
    released = topics.released(border.partner)

    def is_compacted() -> bool:
        border.put(border.here, released, [(ROLL_KEY, None)])  # the last segment is never cleaned
        return len([each for each in border.read(border.here, released) if each.key == NAME]) == 1

    eventually(is_compacted, WITHIN_S, "one record of it is left")

    first, *arrived = _carried(border, 2)[1:]
    assert not arrived
    assert first.value is not None
    record = CODEC.decode(RELEASED_INDICATOR, first.value)
    assert isinstance(record, dict)
    assert (record["kind"], record["version"]) == ("content", NOW_MS + 2)
    partner.turn(NOW_MS, first)
    receipts = partner.written(topics.receipts(border.home), RECEIPT)
    assert [(each["code"], each["version"]) for each in receipts] == [
        ("applied", NOW_MS),
        ("recall_applied", NOW_MS + 2),
    ]
