"""Who has signed a report, and whether it may count: decided by the roster, at the time when the broker appended it.

Only a signature of the sensor's own key makes a report authenticated. Redriven input is signed by an officer: with
a quarantine key of someone else, anyone could otherwise use it up.
"""

from exchange.authority.roster import Role, Roster
from exchange.authority.sensor_keys import KeyState
from exchange.protocol.record import Record
from schemas.codec import Codec
from schemas.quarantine import Refused
from schemas.records import SensorReport
from schemas.report_signature import HEADER, ReportSignature, is_signed_by, signature_in
from schemas.vocabulary import RejectReason


def authenticated(record: Record, report: SensorReport, codec: Codec, roster: Roster) -> bool | Refused:
    """Whether the report in this record is signed by its sensor's key, or why it does not count."""
    signature, value = signature_in(record.headers), record.value or b""
    if report["redrive_of"]:
        return _redriven(signature, value, codec, roster, record.timestamp_ms)
    sensor, at_ms = report["sensor"], record.timestamp_ms
    if not roster.sensors.must_sign(sensor, at_ms):
        return False
    if signature is None:
        return Refused(
            RejectReason.UNSIGNED,
            f"is not signed: the roster has a key of {sensor!a}, or demands one of every sensor. Give its producer "
            "--sensor-key, or look for who reports under its name",
        )
    key = roster.sensors.find(sensor, signature.key)
    standing = KeyState.NOT_YET if key is None else key.standing(at_ms)
    if key is not None and standing is KeyState.REVOKED:
        return Refused(
            RejectReason.REVOKED_KEY,
            f"is signed by the key {key.key_id} of {sensor!a}, revoked since {key.revoked_since}: give its "
            "producer the new key, or look for who has the old one",
        )
    if key is None or standing is not KeyState.VALID:
        return Refused(
            RejectReason.UNKNOWN_KEY,
            f"is signed by the key {signature.key or 'of no readable ' + HEADER}, which is not a key of {sensor!a} at "
            "this time: enter the sensor's key in the roster, or look for who reports under its name",
        )
    if not is_signed_by(key.key, codec, value, signature):
        return Refused(
            RejectReason.BAD_SIGNATURE,
            f"its signature is not of its bytes: it was changed on its way, or someone reports as {sensor!a}",
        )
    return True


def _redriven(
    signature: ReportSignature | None, value: bytes, codec: Codec, roster: Roster, at_ms: int
) -> bool | Refused:
    if signature is None:
        return Refused(
            RejectReason.UNSIGNED,
            "is redriven, and not signed by an officer: send it with `kakehashi quarantine redrive --nation NATION "
            "--key KEY`",
        )
    officer = roster.find(signature.key)
    if officer is None:
        return Refused(RejectReason.UNKNOWN_KEY, f"is redriven by the key {signature.key!a}, which no officer has")
    if not officer.may(Role.REDRIVE, at_ms):
        return Refused(
            RejectReason.NOT_AUTHORISED,
            f"is redriven by {officer.person}, who does not have the role {Role.REDRIVE} on the roster at this time",
        )
    if not is_signed_by(officer.key, codec, value, signature):
        return Refused(RejectReason.BAD_SIGNATURE, f"is redriven, and its signature by {officer.person} is not valid")
    return False
