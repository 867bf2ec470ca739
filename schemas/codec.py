"""Bytes to records and back: Avro in the Confluent wire format. The only importer of fastavro.

Fastavro reads everything and writes columnar records; ``schemas.row_writer`` writes row-shaped records.

A framed value is a zero byte, the schema's id as four bytes big-endian, and the Avro body. Ids are a cluster's
own: without a registry they are the bundled table's (``schemas/avro/ids.json``).
"""

import io
import json
import struct
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

import fastavro
import msgspec
from fastavro.types import Schema

from schemas.row_writer import Form, Writer, resolved, writer_of
from schemas.tearline import TEARLINE
from schemas.vocabulary import TYPES_OF_V3, RejectReason

SENSOR_REPORT: Final = "sensor_report.v1"
SENSOR_REPORT_V2: Final = "sensor_report.v2"  # with withdrawals
OBSERVATION_BLOCK: Final = "observation_block.v1"
OBSERVATION_BLOCK_V2: Final = "observation_block.v2"  # with withdrawals
OBSERVATION_BLOCK_V3: Final = "observation_block.v3"  # with authenticated reports
INDICATOR: Final = "indicator.v1"
RELEASED_INDICATOR: Final = "released_indicator.v1"
RELEASED_INDICATOR_V2: Final = "released_indicator.v2"  # with a tearline
RELEASED_INDICATOR_V3: Final = "released_indicator.v3"  # of a type that v1 and v2 do not have
DECISION: Final = "decision.v5"  # with the ratings of sources
DECISION_V4: Final = "decision.v4"  # with the labels that officers approve
DECISION_V3: Final = "decision.v3"  # with the prefix length of a network
DECISION_V2: Final = "decision.v2"
DECISION_V1: Final = "decision.v1"
COMMAND: Final = "command.v1"
REVIEW_PENDING: Final = "review_pending.v4"  # with the ratings of sources
REVIEW_PENDING_V3: Final = "review_pending.v3"  # with the labels that officers approve
REVIEW_PENDING_V2: Final = "review_pending.v2"  # with the prefix length of a network
REVIEW_PENDING_V1: Final = "review_pending.v1"
QUARANTINED: Final = "quarantined.v1"
RECEIPT: Final = "receipt.v1"
PROGRESS: Final = "progress.v1"
WINDOW_DIGEST: Final = "window_digest.v1"
AUDIT_ANCHOR: Final = "audit_anchor.v1"
POLICY_RECORD: Final = "policy_record.v1"
POLICY_READING: Final = "policy_reading.v1"
SENSOR_QUALITY: Final = "sensor_quality.v1"

WITHDRAWALS: Final = "withdrawals"
AUTHENTICATED: Final = "authenticated"
MAX_BYTES: Final = 2 << 20  # of one record, unpacked: a compressed batch could unfold into anything
_HEADER: Final = struct.Struct(">bI")
COLUMNAR: Final = frozenset(
    {SENSOR_REPORT, SENSOR_REPORT_V2, OBSERVATION_BLOCK, OBSERVATION_BLOCK_V2, OBSERVATION_BLOCK_V3}
)
# Versions that earlier releases have written: read with the defaults of the missing fields.
_EARLIER: Final = {
    DECISION: frozenset({DECISION_V1, DECISION_V2, DECISION_V3, DECISION_V4}),
    REVIEW_PENDING: frozenset({REVIEW_PENDING_V1, REVIEW_PENDING_V2, REVIEW_PENDING_V3}),
}
# Versions that are written only if a record needs their fields, so that a partner without the upgrade reads all other
# records, byte for byte as before (ADR 26). Read as written.
_LATER: Final = {
    RELEASED_INDICATOR: (RELEASED_INDICATOR_V2, RELEASED_INDICATOR_V3),
    SENSOR_REPORT: (SENSOR_REPORT_V2,),
    OBSERVATION_BLOCK: (OBSERVATION_BLOCK_V2, OBSERVATION_BLOCK_V3),
}
LATER_RELEASES: Final = _LATER[RELEASED_INDICATOR]
"""The versions of a release that a partner may not have yet."""
_TYPES_OF_V3: Final = frozenset(kind.label for kind in TYPES_OF_V3)
# Exceptions of fastavro on damaged bytes (found by fuzzing); any other exception is our defect and propagates.
_DAMAGE: Final = (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error, MemoryError)


class Undecodable(msgspec.Struct, frozen=True, gc=False):
    """Why bytes are not a record: an answer, not an exception."""

    reason: RejectReason
    detail: str


@cache
def schema(name: str) -> Schema:
    """The parsed schema of ``schemas/avro/<name>.avsc``."""
    return fastavro.parse_schema(json.loads(source(name)))


@cache
def source(name: str) -> str:
    """The text of ``schemas/avro/<name>.avsc``."""
    return (files("schemas") / "avro" / f"{name}.avsc").read_text("utf-8")


@cache
def bundled_ids() -> Mapping[int, str]:
    """The table of schema ids that is used without a registry."""
    return {
        int(number): name
        for number, name in json.loads((files("schemas") / "avro" / "ids.json").read_text("utf-8")).items()
    }


@cache
def _empty_bytes(name: str) -> tuple[str, ...]:
    """The fields of bytes with an empty default: fastavro gives such a default as text."""
    fields = json.loads(source(name))["fields"]
    return tuple(field["name"] for field in fields if field["type"] == "bytes" and field.get("default") == "")


@cache
def _row_writer(name: str) -> Writer:
    return writer_of(json.loads(source(name)))


def _version_for(name: str, record: Mapping[str, Any]) -> str:
    """The first version of a schema that has a field for all that the record holds."""
    later = _LATER.get(name)
    if later is None:
        return name
    if name == RELEASED_INDICATOR:
        return release_version(record["content"])
    if record.get(AUTHENTICATED):
        return later[-1]
    return later[0] if record.get(WITHDRAWALS) else name


def release_version(content: Mapping[str, Any] | None) -> str:
    """The version that a release with this content is written as."""
    if content is None:
        return RELEASED_INDICATOR
    if content["type"] in _TYPES_OF_V3:
        return RELEASED_INDICATOR_V3
    return RELEASED_INDICATOR_V2 if content.get(TEARLINE) else RELEASED_INDICATOR


def form(name: str, *varying: str) -> Form:
    """A form of a schema's records. Raises ``ValueError`` if these are not fields of it in this order."""
    return Form(json.loads(source(name)), varying)


def form_of_items(name: str, field: str, *varying: str) -> Form:
    """A form of the records of an array in a schema."""
    [array] = [each["type"] for each in resolved(json.loads(source(name)))["fields"] if each["name"] == field]
    return Form(array["items"], varying)


class Codec:
    """Reads and writes framed records with the schema ids of one cluster."""

    def __init__(self, ids: Mapping[int, str] | None = None) -> None:
        self._names = dict(bundled_ids() if ids is None else ids)
        self._headers = {name: _HEADER.pack(0, number) for number, name in self._names.items()}
        self._schemas = {name: schema(name) for name in self._headers}

    def encode(self, name: str, record: Mapping[str, Any]) -> bytes:
        """The framed bytes of a record. Raises if the record does not fit its schema: that is our defect.

        A record with a tearline, a later type, a withdrawal or an authenticated report is written as a later version,
        all others as v1.
        """
        name = _version_for(name, record)
        if name == RELEASED_INDICATOR_V3:
            record = {**record, "content": {TEARLINE: "", **record["content"]}}
        if name not in COLUMNAR:
            return _row_writer(name)(record, self._headers[name])
        body = io.BytesIO()
        body.write(self._headers[name])
        fastavro.schemaless_writer(body, self._schemas[name], record)
        return body.getvalue()

    def head_of(self, name: str) -> bytes:
        """The first bytes of a framed record of this schema."""
        return self._headers[name]

    def reframe(self, name: str, data: bytes) -> bytes:
        """A framed record of another cluster, which has schema ``name``, with the schema id of this one."""
        return self._headers[name] + data[_HEADER.size :]

    def knows(self, name: str) -> bool:
        """Whether this cluster has an id for a schema."""
        return name in self._headers

    def schema_of(self, data: bytes | None) -> str | None:
        """The name of the schema that a framed record's id stands for; None if this cluster does not know the id."""
        if data is None or len(data) < _HEADER.size:
            return None
        magic, number = _HEADER.unpack_from(data)
        return self._names.get(number) if magic == 0 else None

    def decode(self, name: str, data: bytes | None) -> dict[str, Any] | Undecodable:
        """The record in ``data`` if it is exactly one record of schema ``name``, or why it is not.

        An earlier version of the record is read as ``name``, with the defaults; a later version unchanged.
        """
        if data is None or len(data) < _HEADER.size:
            return Undecodable(RejectReason.TRUNCATED, f"{len(data or b'')} bytes are not a framed record")
        if len(data) > MAX_BYTES:
            return Undecodable(RejectReason.TOO_LARGE, f"{len(data)} bytes; a record has at most {MAX_BYTES}")
        magic, number = _HEADER.unpack_from(data)
        found = self._names.get(number)
        if magic != 0 or found is None:
            return Undecodable(
                RejectReason.UNKNOWN_SCHEMA,
                f"begins with byte {magic} and schema id {number}; this cluster's ids are {sorted(self._names)}",
            )
        if found != name and found not in _EARLIER.get(name, ()) and found not in _LATER.get(name, ()):
            return Undecodable(RejectReason.UNKNOWN_SCHEMA, f"holds a {found}, expected a {name}")
        body = io.BytesIO(data)
        body.seek(_HEADER.size)
        try:
            reader = self._schemas[name] if found in _EARLIER.get(name, ()) else None
            record = cast("dict[str, Any]", fastavro.schemaless_reader(body, self._schemas[found], reader))
            if reader is not None:
                record |= {field: b"" for field in _empty_bytes(name) if record[field] == ""}
        except EOFError:
            return Undecodable(RejectReason.TRUNCATED, f"ends after {len(data)} bytes, in the middle of a {found}")
        except _DAMAGE as error:
            return Undecodable(RejectReason.UNDECODABLE, f"is no {found}: {type(error).__name__}: {error}")
        if body.tell() != len(data):
            return Undecodable(RejectReason.UNDECODABLE, f"has {len(data) - body.tell()} bytes after the record")
        return record
