"""One observation as one record: the row-shaped Avro that a record-at-a-time agent would be sent.

Framed like everything else; its schema is the benchmark's own and not part of the contract.
"""

import io
from collections.abc import Iterator
from typing import Any, Final

import fastavro
from fastavro.types import Schema

from bench.workload import Work
from producers.report import observations_of

HEADER: Final = b"\x00\x00\x00\x00\x00"
SCHEMA: Final[Schema] = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Observation",
        "namespace": "org.kakehashi.bench",
        "fields": [
            {"name": "sensor", "type": "string"},
            {"name": "epoch", "type": "long"},
            {"name": "sequence", "type": "long"},
            {"name": "kind", "type": "int"},
            {"name": "value", "type": "string"},
            {"name": "first_seen_ms", "type": "long"},
            {"name": "last_seen_ms", "type": "long"},
            {"name": "count", "type": "long"},
            {"name": "confidence", "type": "int"},
            {"name": "valid_until_ms", "type": "long"},
            {"name": "tlp", "type": "string"},
            {"name": "pap", "type": "string"},
            {"name": "releasable_to", "type": ["null", {"type": "array", "items": "string"}]},
            {"name": "caveats", "type": {"type": "array", "items": "string"}},
            {"name": "labels", "type": {"type": "array", "items": "string"}},
            {"name": "description", "type": "string"},
            {"name": "context", "type": {"type": "map", "values": "string"}},
        ],
    }
)


def decode(data: bytes) -> dict[str, Any]:
    """The observation in framed bytes."""
    body = io.BytesIO(data)
    body.seek(len(HEADER))
    record: dict[str, Any] = fastavro.schemaless_reader(body, SCHEMA, None)  # type: ignore[assignment]
    return record


def singles(work: Work) -> Iterator[tuple[str, bytes]]:
    """Each observation of the work as (its sensor, framed bytes), in order."""
    for report in work.reports:
        for row in observations_of(report):
            body = io.BytesIO()
            body.write(HEADER)
            fastavro.schemaless_writer(
                body,
                SCHEMA,
                {
                    "sensor": report["sensor"],
                    "epoch": report["epoch"],
                    "sequence": report["sequence"],
                    "kind": int(row.kind),
                    "value": row.value,
                    "first_seen_ms": row.first_seen_ms,
                    "last_seen_ms": row.last_seen_ms,
                    "count": row.count,
                    "confidence": row.confidence,
                    "valid_until_ms": row.valid_until_ms,
                    "tlp": row.marking.tlp,
                    "pap": row.marking.pap,
                    "releasable_to": None if row.marking.releasable_to is None else list(row.marking.releasable_to),
                    "caveats": list(row.marking.caveats),
                    "labels": list(row.labels),
                    "description": row.description,
                    "context": dict(row.context),
                },
            )
            yield report["sensor"], body.getvalue()
