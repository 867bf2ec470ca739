"""Releases, receipts and held records of one indicator between GBR and JPN, and what settle writes of them."""

from collections.abc import Mapping
from typing import Any

from exchange.metrics import spec
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec
from schemas.identity import key_of_id, shard_of_key
from streams.settle.settlement import Limits
from streams.settle.step import Settle
from tests.builders import HOUR_MS, NOW_MS, PARTNER, a_receipt, a_released
from tests.streams.settler import Settler
from tests.streams.workbench import Workbench

CODEC = Codec()
SHARD = shard_of_key(key_of_id(a_released()["id"]), 4)
LIMITS = Limits(HOUR_MS, HOUR_MS // 6)
STEP = f"settle.{PARTNER}"
NAME = a_released()["id"].encode()
V1, V2, V3 = NOW_MS, NOW_MS + 1, NOW_MS + 2


def a_settler(answers: Mapping[bytes, bool] | None = None) -> Settler:
    """Settle of GBR with JPN. ``answers`` are to its questions about copies, read when it asks."""
    return Settler(Settle("GBR", PARTNER, SHARD, CODEC, LIMITS), lambda _: {} if answers is None else answers)


def release(version: int = V1, at_ms: int = NOW_MS, **changes: Any) -> Record:
    value = CODEC.encode(RELEASED_INDICATOR, a_released(version=version, **changes))
    return Record(topics.released(PARTNER), SHARD, 0, a_released()["id"].encode(), value, at_ms)


def recall(version: int = V2, at_ms: int = NOW_MS) -> Record:
    return release(version, at_ms, kind="recalled")


def held(version: int = V1, **changes: Any) -> Record:
    """A record that GBR has accepted from JPN."""
    value = CODEC.encode(RELEASED_INDICATOR, a_released(version=version, origin=PARTNER, **changes))
    return Record(topics.accepted(PARTNER), SHARD, 0, NAME, value, NOW_MS)


def receipt(version: int = V1, code: str = "applied", offset: int = 0, **changes: Any) -> Record:
    name = a_released()["id"]
    value = CODEC.encode(RECEIPT, a_receipt(version=version, code=code, **changes))
    return Record(topics.partner_receipts(PARTNER), SHARD, offset, f"{name}/{code}".encode(), value, NOW_MS)


def late(effects: Effects) -> tuple[float, float, float]:
    """Releases, recalls and purges that wait for too long."""
    gauges = (spec.UNSETTLED_RELEASES, spec.UNSETTLED_RECALLS, spec.UNPURGED_RECALLS)
    return tuple(effects.gauges[gauge.at(STEP, SHARD)] for gauge in gauges)  # type: ignore[return-value]


def windows(bench: Workbench, topic: str) -> dict[int, tuple[int, bytes]]:
    """Count and sum of each window, by its latest digest."""
    last: dict[int, tuple[int, bytes]] = {}
    for output in bench.outputs:
        if output.topic == topic:
            found = CODEC.decode(WINDOW_DIGEST, output.value) if output.value is not None else None
            last.pop(int(output.key), None)
            if isinstance(found, dict):
                last[found["window_ms"]] = found["count"], found["sum"]
    return last
