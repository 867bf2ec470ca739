"""The report of a conformance check: one JSON document, complete in both languages, signed as a whole.

The signature covers the report's own encoding (``body_of``), so a copy that was indented is still the same report, and
one in which anything was changed, added or repeated is not.
"""

import base64
import binascii
import json
from typing import Any, Final

import msgspec

from producers.conformance.judge import Counts, Outcome, Result
from producers.conformance.profile import Bounds, Clock
from producers.conformance.standard import Shown, Status, Text
from producers.json_schema import json_schema_of
from schemas.signing import Signer, is_signed, key_id, public_of, sign

FORMAT: Final = "kakehashi-conformance-report"
FORMAT_VERSION: Final = 2
PURPOSE: Final = "conformance-report.v1"
SCHEMA_NAME: Final = "report.schema.json"
MOST_BYTES: Final = 16 << 20


class Of(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version of the standard or of a profile; ``sha256`` is that of its text, in hex."""

    name: str
    version: str
    status: Status
    owner: Text
    sha256: str


class Fed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One input: a file; or the sensor's records among the offsets ``begin`` up to ``end`` of a partition.

    ``sha256`` is in hex. ``size`` is in bytes, as the file is on disk; of records that of their keys and values.
    """

    name: str
    sha256: str
    size: int
    records: int = 0
    partition: int = -1
    begin: int = 0
    end: int = 0


class Due(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A clock of the law beside the results; ``due_ms`` is when its notifications are due, if its start is known."""

    clock: Clock
    due_ms: tuple[int, ...] = ()


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was checked, by what, and the result. Times are milliseconds since 1970, UTC; 0 is not stated.

    ``settings`` are the sensor's own that the inputs were read with: a default marking counts as the feed's.
    """

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    software: str
    made_at_ms: int
    standard: Of
    profile: Of
    profile_title: Text
    incident: str
    incident_title: Text
    bounds: Bounds
    nation: str = ""
    sensor: str = ""
    aware_at_ms: int = 0
    shown: tuple[Shown, ...]
    settings: dict[str, str] = {}
    feed: tuple[Fed, ...]
    feed_sha256: str
    counts: Counts
    outcome: Outcome
    results: tuple[Result, ...]
    clocks: tuple[Due, ...] = ()


class ReportSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An Ed25519 signature (RFC 8032): the name of its key, and the bytes in base64."""

    key: str
    value: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A report as it is written; without a signature it proves nothing."""

    report: Report
    signature: ReportSignature | None = None


class _Version(msgspec.Struct, frozen=True):
    format: str
    format_version: int
    software: str = ""


class _Versioned(msgspec.Struct, frozen=True):
    """What all versions of the format have."""

    report: _Version


class Unreadable(msgspec.Struct, frozen=True):
    """Why some bytes are not a report."""

    detail: str


def body_of(report: Report) -> bytes:
    """The signed bytes of a report: its encoding after a reading, so that 1 and 1.0 of a bound are the same."""
    as_read = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    return msgspec.json.encode(as_read, order="deterministic")


def signed(report: Report, private: Signer | None) -> Signed:
    """The report with a signature by this key, if there is one."""
    if private is None:
        return Signed(report=report)
    value = base64.b64encode(sign(private, PURPOSE, body_of(report))).decode()
    return Signed(report=report, signature=ReportSignature(key=key_id(public_of(private)), value=value))


def is_signed_by(public: bytes, found: Signed) -> bool:
    """Whether this key has signed the report."""
    signature = found.signature
    if signature is None or signature.key != key_id(public):
        return False
    try:
        value = base64.b64decode(signature.value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return is_signed(public, PURPOSE, body_of(found.report), value)


def encoded(found: Signed) -> bytes:
    """The report as one line of JSON."""
    return msgspec.json.encode(found, order="deterministic")


def decoded(content: bytes) -> Signed | Unreadable:
    """The report in these bytes. A key that is there twice, or that is unknown, makes it invalid."""
    if len(content) > MOST_BYTES:
        return Unreadable(f"it has more than {MOST_BYTES} bytes")
    try:
        plain = json.loads(content, object_pairs_hook=_once)
        stated = msgspec.convert(plain, _Versioned).report
        if (stated.format, stated.format_version) != (FORMAT, FORMAT_VERSION):
            return Unreadable(
                f"it is {stated.format} of version {stated.format_version}, and this software reads version "
                f"{FORMAT_VERSION}: verify it with {stated.software or 'the software that has made it'}"
            )
        return msgspec.convert(plain, Signed)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        return Unreadable(" ".join(str(error).split())[:200])


def json_schema() -> str:
    """The JSON Schema of a report."""
    return json_schema_of(Signed)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
