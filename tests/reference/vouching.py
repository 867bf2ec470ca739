"""Who vouches for a report: its sensor's key, an officer who redrives it, or no one. A plain reading of the rules."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.authority.roster import Role, Roster
from exchange.protocol.record import Headers
from schemas.codec import Codec
from schemas.records import SensorReport
from schemas.signing import key_id
from schemas.vocabulary import RejectReason


def vouched(report: SensorReport, value: bytes, headers: Headers, at_ms: int, roster: Roster) -> bool | RejectReason:
    """Whether its sensor has signed it; or why it may not count."""
    signatures = [found for name, found in headers if name == "signature"]
    key = signatures[0][:16].hex() if len(signatures) == 1 and len(signatures[0]) == 80 else ""
    if report["redrive_of"]:
        if not signatures:
            return RejectReason.UNSIGNED
        officer = roster.officers.get(key)
        if officer is None:
            return RejectReason.UNKNOWN_KEY
        if Role.REDRIVE not in officer.roles or 0 < officer.until_ms <= at_ms:
            return RejectReason.NOT_AUTHORISED
        return False if _is_valid(officer.key, value, signatures[0][16:]) else RejectReason.BAD_SIGNATURE
    keys = [each for each in roster.sensors.by_sensor.get(report["sensor"], ()) if each.from_ms <= at_ms]
    everyone = 0 < roster.sensors.required_from_ms <= at_ms
    if not keys and not everyone:
        return False
    if not signatures:
        return RejectReason.UNSIGNED
    of_all = roster.sensors.by_sensor.get(report["sensor"], ())
    if any(key_id(each.key) == key and 0 < each.revoked_ms <= at_ms for each in of_all):
        return RejectReason.REVOKED_KEY
    valid = [each.key for each in keys if (not each.until_ms or at_ms < each.until_ms) and key_id(each.key) == key]
    if not valid:
        return RejectReason.UNKNOWN_KEY
    return True if _is_valid(valid[0], value, signatures[0][16:]) else RejectReason.BAD_SIGNATURE


def _is_valid(public: bytes, value: bytes, signature: bytes) -> bool:
    name = (Codec().schema_of(value) or "").encode()
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            signature, b"\0\x17kakehashi:sensor-report" + name + b"\0" + sha256(value[5:]).digest()
        )
    except InvalidSignature:
        return False
    return True
