"""The latest record of each key on a topic, and the findings about its versions."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast

import fastavro
from fastavro.types import Schema

from exchange.protocol.record import Record
from schemas.codec import Codec, Undecodable, source
from schemas.vocabulary import RecordKind

_FRAME_BYTES: Final = 5


@dataclass(slots=True)
class Findings:
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Reader(Codec):
    """Decodes equal bytes once: a release is on three topics, and a decision is read twice."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, bytes | None], dict[str, Any] | Undecodable] = {}

    def decode(self, name: str, data: bytes | None) -> dict[str, Any] | Undecodable:
        found = self._known.get((name, data))
        if found is None:
            found = self._known[name, data] = super().decode(name, data)
        return found


def latest(
    codec: Codec, schema: str, records: Sequence[Record], found: Findings, topic: str = ""
) -> dict[str, dict[str, Any]]:
    """The last record of each key. A version that is there twice, or is below an earlier one, is a finding, and so
    is a recall that does not name all versions before it."""
    last: dict[str, tuple[int, Record]] = {}
    contents: dict[str, int] = {}
    versions: set[tuple[str, int]] = set()
    for record in records:
        if record.value is None:
            continue
        name, head = (record.key or b"").decode(), _head(schema, record.value)
        version = head["version"]
        if (name, version) in versions:
            found.duplicated.append(f"{topic or record.topic} {name} version {version}")
        elif name in last and version < last[name][0]:
            found.wrong.append(f"{topic or record.topic} {name} goes back to version {version}")
        if head["id"] != name:
            found.wrong.append(f"{topic or record.topic} {name} holds {head['id']}")
        if head["kind"] == RecordKind.CONTENT:
            contents[name] = version
        versions.add((name, version))
        last[name] = version, record
    found_last = {name: decoded(codec, schema, record, found) for name, (_, record) in last.items()}
    readable = {name: record for name, record in found_last.items() if record is not None}
    for name, there in readable.items():
        if there["kind"] == RecordKind.RECALLED and there["recalled_through"] < contents.get(name, 0):
            found.wrong.append(f"{topic or last[name][1].topic} {name} does not recall version {contents[name]}")
    return readable


def _head(schema: str, value: bytes) -> dict[str, Any]:
    """The first fields of a record, up to its version: enough for a record that a later one replaced."""
    found = fastavro.schemaless_reader(io.BytesIO(value[_FRAME_BYTES:]), _head_schema(schema), None)
    return cast("dict[str, Any]", found)


@cache
def _head_schema(schema: str) -> Schema:
    record = json.loads(source(schema))
    fields = [field["name"] for field in record["fields"]]
    return fastavro.parse_schema(
        {**record, "name": f"{record['name']}Head", "fields": record["fields"][: fields.index("version") + 1]}
    )


def decoded(codec: Codec, schema: str, record: Record, found: Findings) -> dict[str, Any] | None:
    content = codec.decode(schema, record.value)
    if isinstance(content, Undecodable):
        found.wrong.append(f"{record.topic}-{record.partition}-{record.offset}: {content.detail}")
        return None
    return content


def compare(what: str, wanted: Mapping[str, Any], there: Mapping[str, Any], found: Findings) -> None:
    for name, value in wanted.items():
        if there[name] != value:
            found.wrong.append(f"{what}: {name} is {there[name]!r}, should be {value!r}")
            return
