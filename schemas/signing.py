"""Signatures of officers and sensors: Ed25519 (RFC 8032) over bytes that include their purpose.

A signature for one purpose is invalid for another, because the purpose is part of the signed bytes. Owners of keys are
in the roster (``exchange.authority.roster``).
"""

from hashlib import sha256
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.codec import AUDIT_ANCHOR, COMMAND, POLICY_RECORD, Codec
from schemas.records import Approval, AuditAnchor, Command, PolicyRecord

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
KEY_ID_BYTES: Final = 16
COMMAND_PURPOSE: Final = "command.v1"
ANCHOR_PURPOSE: Final = "audit-anchor.v1"
POLICY_PURPOSE: Final = "policy.v1"
FRAME_BYTES: Final = 5  # schema ids are a cluster's own: signed bytes must not depend on them


class Signer(Protocol):
    """A private Ed25519 key: in memory, or in a token that it never leaves."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature over ``data``."""
        ...

    def public_key(self) -> Ed25519PublicKey:
        """The public key that belongs to it."""
        ...


def key_id(public: bytes) -> str:
    """The name of a public key: the first 16 bytes of its SHA-256, in hex."""
    return sha256(public).digest()[:KEY_ID_BYTES].hex()


def public_of(private: Signer) -> bytes:
    """The 32 bytes of the public key that belongs to a private one."""
    return private.public_key().public_bytes_raw()


def sign(private: Signer, purpose: str, body: bytes) -> bytes:
    """The signature over ``body`` for ``purpose``."""
    return private.sign(_bound(purpose, body))


def is_signed(public: bytes, purpose: str, body: bytes, signature: bytes) -> bool:
    """Whether this key has signed ``body`` for ``purpose``. Never raises, whatever the bytes are."""
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _bound(purpose, body))
    except (InvalidSignature, ValueError):
        return False
    return True


def command_body(codec: Codec, command: Command) -> bytes:
    """The signed bytes of a command: all of it but the signature."""
    return codec.encode(COMMAND, {**command, "signature": b""})[FRAME_BYTES:]


def signed_command(codec: Codec, command: Command, private: Ed25519PrivateKey) -> Command:
    """The command with the name of the key and its signature filled in."""
    named: Command = {**command, "officer": key_id(public_of(private)), "signature": b""}
    return {**named, "signature": sign(private, COMMAND_PURPOSE, command_body(codec, named))}


def anchor_body(codec: Codec, anchor: AuditAnchor) -> bytes:
    """The signed bytes of an anchor: all of it but the signature."""
    return codec.encode(AUDIT_ANCHOR, {**anchor, "signature": b""})[FRAME_BYTES:]


def signed_anchor(codec: Codec, anchor: AuditAnchor, private: Ed25519PrivateKey) -> AuditAnchor:
    """The anchor with the name of the key and its signature filled in."""
    named: AuditAnchor = {**anchor, "officer": key_id(public_of(private)), "signature": b""}
    return {**named, "signature": sign(private, ANCHOR_PURPOSE, anchor_body(codec, named))}


def policy_body(codec: Codec, record: PolicyRecord) -> bytes:
    """The signed bytes of a policy record: all of it but the approvals, its texts in the order of their paths."""
    texts = dict(sorted(record["texts"].items()))
    return codec.encode(POLICY_RECORD, {**record, "texts": texts, "approvals": []})[FRAME_BYTES:]


def approved_policy(codec: Codec, record: PolicyRecord, private: Ed25519PrivateKey) -> PolicyRecord:
    """The record with one more approval; the same key again replaces its own."""
    name = key_id(public_of(private))
    others = [approval for approval in record["approvals"] if approval["officer"] != name]
    mine = Approval(officer=name, signature=sign(private, POLICY_PURPOSE, policy_body(codec, record)))
    return {**record, "approvals": [*others, mine]}


def _bound(purpose: str, body: bytes) -> bytes:
    name = f"kakehashi:{purpose}".encode()
    return len(name).to_bytes(2, "big") + name + body
