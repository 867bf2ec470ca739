"""The signature of a sensor's report: a header of its record, so that a report's bytes and schema are the same with and
without one.

It covers the SHA-256 of the report's bytes, and with it sensor, epoch and sequence, and the name of their schema; not
the schema's id, which is a cluster's own. The header is the key's name (16 bytes) and the signature (64 bytes).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from schemas.codec import Codec
from schemas.signing import FRAME_BYTES, KEY_ID_BYTES, SIGNATURE_BYTES, Signer, is_signed, key_id, public_of, sign

HEADER: Final = "signature"
PURPOSE: Final = "sensor-report"


class ReportSignature(msgspec.Struct, frozen=True, gc=False):
    """A signature as a record carries it: the name of the key, and the signature's bytes."""

    key: str
    value: bytes


def signature_header(codec: Codec, report: bytes, private: Signer) -> tuple[str, bytes]:
    """The header for a framed report, by this key."""
    signature = sign(private, PURPOSE, _body(codec, report))
    return HEADER, bytes.fromhex(key_id(public_of(private))) + signature


def signature_in(headers: Iterable[tuple[str, bytes | None]]) -> ReportSignature | None:
    """The signature among a record's headers, None if there is none.

    Bytes of another length, or several signatures, are one of no key.
    """
    found = [value or b"" for name, value in headers if name == HEADER]
    if not found:
        return None
    [value, *others] = found
    if others or len(value) != KEY_ID_BYTES + SIGNATURE_BYTES:
        return ReportSignature("", b"")
    return ReportSignature(value[:KEY_ID_BYTES].hex(), value[KEY_ID_BYTES:])


def is_signed_by(public: bytes, codec: Codec, report: bytes, signature: ReportSignature) -> bool:
    """Whether this key has signed the framed report."""
    return is_signed(public, PURPOSE, _body(codec, report), signature.value)


def _body(codec: Codec, report: bytes) -> bytes:
    digest = sha256(memoryview(report)[FRAME_BYTES:]).digest()  # Ed25519 itself would read a long report twice
    return (codec.schema_of(report) or "").encode() + b"\0" + digest
