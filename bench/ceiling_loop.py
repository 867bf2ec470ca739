"""(c) The ceiling's process: the pipeline's hops and outputs by hand-written loops, one thread a hop.

It decodes and encodes what any Python program must, and knows nothing: no state, so it cannot tell new from known;
it writes an output for every so-many-th observation, as many as the pipeline wrote for the same work.
"""

import argparse
import json
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from confluent_kafka import Message

from bench import ceiling_records as templates
from bench.loop import Written, run_hop, run_threads
from bench.stand import HOME, PARTNER, SHARDS
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import DECISION, INDICATOR, OBSERVATION_BLOCK, RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.records import ContextRecord, ObservationBlock, SensorReport

_KEY: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class Ratios:
    """Output records per observation, and sources in a national record, as the pipeline had them."""

    national: float
    released: float
    audit: float
    sources: int


def reports_hop(codec: Codec, messages: Sequence[Message]) -> Iterator[Written]:
    """Reports to blocks by shard: decode, part, encode."""
    for message in messages:
        report = cast(SensorReport, codec.decode(SENSOR_REPORT, message.value()))
        rows: list[list[int]] = [[] for _ in range(SHARDS)]
        for row, value in enumerate(report["values"]):
            rows[zlib.crc32(value.encode()) % SHARDS].append(row)
        for shard, places in enumerate(rows):
            if places:
                block = codec.encode(OBSERVATION_BLOCK, _block(report, places))
                yield Written(topics.OBSERVATIONS, shard, b"%d" % shard, block)


def _block(report: SensorReport, places: Sequence[int]) -> ObservationBlock:
    count = len(places)

    def taken(column: Sequence[int], absent: int) -> list[int]:
        return [column[place] for place in places] if column else [absent] * count

    contexts: list[ContextRecord] = report["contexts"]
    return {
        "format_version": 1,
        "keys": _KEY * count,
        "kinds": bytes(report["kinds"][place] for place in places),
        "values": [report["values"][place] for place in places],
        "sensors": [report["sensor"]],
        "sensor_index": [0] * count,
        "epochs": [report["epoch"]] * count,
        "sequences": [report["sequence"]] * count,
        "appended_ms": [report["sequence"]] * count,
        "first_seen_ms": taken(report["first_seen_ms"], 0),
        "last_seen_ms": taken(report["last_seen_ms"], 0),
        "counts": taken(report["counts"], 1),
        "confidences": taken(report["confidences"], -1),
        "valid_until_ms": taken(report["valid_until_ms"], 0),
        "markings": [{"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []} for _ in report["markings"]],
        "marking_index": taken(report["marking_index"], 0),
        "label_sets": report["label_sets"],
        "label_index": taken(report["label_index"], 0),
        "contexts": contexts,
        "context_index": taken(report["context_index"], 0),
    }


class Outputs:
    """Blocks to the three kinds of output: every so-many-th observation becomes one."""

    def __init__(self, codec: Codec, ratios: Ratios) -> None:
        self._codec = codec
        self._kinds = (
            (topics.NATIONAL, INDICATOR, ratios.national, templates.national(ratios.sources)),
            (topics.released(PARTNER), RELEASED_INDICATOR, ratios.released, templates.released()),
            (topics.AUDIT, DECISION, ratios.audit, templates.decision()),
        )
        self._owed = [0.0, 0.0, 0.0]

    def __call__(self, messages: Sequence[Message]) -> Iterator[Written]:
        for message in messages:
            block = cast(ObservationBlock, self._codec.decode(OBSERVATION_BLOCK, message.value()))
            shard = message.partition() or 0
            for value in block["values"]:
                for number, (topic, schema, ratio, template) in enumerate(self._kinds):
                    self._owed[number] += ratio
                    while self._owed[number] >= 1:
                        self._owed[number] -= 1
                        yield Written(topic, shard, value.encode(), self._codec.encode(schema, _with(template, value)))


def _with(template: Mapping[str, Any], value: str) -> dict[str, Any]:
    content = template.get("content")
    if content is not None:
        return {**template, "content": {**content, "value": value}}
    return {**template, "value": value} if "value" in template else dict(template)


def main() -> None:
    """Run both hops until stopped."""
    parser = argparse.ArgumentParser(description="The benchmark's ceiling.")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--ratios", required=True)
    options = parser.parse_args()
    cluster = Cluster(HOME, options.bootstrap)
    outputs = Outputs(Codec(), Ratios(**json.loads(options.ratios)))
    first = partial(reports_hop, Codec())

    def intake(stopping: threading.Event) -> None:
        run_hop(cluster, cluster, topics.SENSOR_REPORTS, "intake", lambda found: list(first(found)), stopping)

    def correlate(stopping: threading.Event) -> None:
        run_hop(cluster, cluster, topics.OBSERVATIONS, "correlate", lambda found: list(outputs(found)), stopping)

    run_threads([intake, correlate])


if __name__ == "__main__":
    main()
