"""Officers for tests: made-up people with keys that follow from their names, and their roster."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exchange.authority.roster import Officer, Role, Roster, entry_text
from exchange.authority.sensor_keys import SensorKey, SensorKeys, sensor_entry
from exchange.protocol.record import Headers
from schemas.codec import Codec
from schemas.report_signature import signature_header
from schemas.signing import public_of


def key_of(person: str, number: int = 1) -> Ed25519PrivateKey:
    """Always the same key for the same person and number."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"{person}-{number}".encode()).digest())


def an_officer(person: str, *roles: Role, sensors: tuple[str, ...] = (), number: int = 1, until_ms: int = 0) -> Officer:
    """Someone with these roles; with all, if none are given."""
    return Officer(
        person,
        person.title(),
        public_of(key_of(person, number)),
        frozenset(roles or tuple(Role)),
        frozenset(sensors),
        until_ms,
    )


ALICE: Final = "alice"
BOB: Final = "bob"
CAROL: Final = "carol"
REVIEWER: Final = "dora"
SIGNING: Final = ("vault-1", "vault-2")
"""The sensors that sign; ``key_of`` has their keys."""
ROSTER: Final = Roster.of(
    "GBR",
    [
        an_officer(ALICE),
        an_officer(BOB),
        an_officer(CAROL, sensors=("edge",)),
        an_officer(ALICE, number=2),
        an_officer(REVIEWER, Role.REVIEW),
    ],
    SensorKeys.of(SensorKey(sensor, public_of(key_of(sensor))) for sensor in SIGNING),
)
"""Alice, with two keys; Bob; Carol, who runs the sensor ``edge``; Dora, who only reviews; and the sensors that sign."""


def signed_by(person: str, report: bytes) -> Headers:
    """The headers of a report that this person or sensor has signed."""
    return (signature_header(Codec(), report, key_of(person)),)


def roster_text(roster: Roster = ROSTER) -> str:
    """The roster's file."""
    sensors = [sensor_entry(each) for keys in roster.sensors.by_sensor.values() for each in keys]
    return "\n".join([*(entry_text(each) for each in roster.officers.values()), *sensors])


def write_key(person: str, folder: Path, number: int = 1) -> Path:
    """The person's private key in a file, as ``kakehashi officer keygen`` leaves it."""
    path = folder / f"{person}-{number}.key"
    path.write_bytes(key_of(person, number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path
