"""People among the faults: a hostile sensor that tries everything, and a crowd of honest ones on one indicator."""

import struct
from collections.abc import Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import Any, Final

from exchange.clock import now_ms
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from tests.builders import a_report
from tests.faults.kinds import Fault, Hit, World
from tests.integration.nations import NATIONS
from tests.officers import SIGNING, signed_by

HOSTILE: Final = "mallory-1"
CROWD: Final = (1_000, 10_000)  # an ordinary day, and one at national scale
_CODEC: Final = Codec()
_MANY: Final = 60


def a_hostile_sensor(world: World, random: Random) -> Hit:
    """It holds the rights to produce: other sensors' names, others' redrives, endless markings, gaps, damage."""
    nation, epoch = random.choice(NATIONS), now_ms()
    victim = random.choice(SIGNING)
    secret = _hash(f"secret {epoch} {random.random()}")
    nations = world.nations
    nations.send(nation, [_report(nation, victim, epoch, 0, [_seen(secret, "TLP:RED")])])
    nations.send(nation, [_report(nation, HOSTILE, epoch, 0, [_seen(secret, "TLP:GREEN")])])
    blows = 0
    for sensor, value, headers in _forged(nation, victim, epoch, secret):
        nations.send_bytes(nation, sensor, value, shard_of_sensor(sensor, nations.shards), headers)
        blows += 1
    reports = [_report(nation, HOSTILE, epoch, 1, [_odd(secret, number) for number in range(_MANY)])]
    reports += [_report(nation, HOSTILE, epoch, 2 * number + 3, []) for number in range(_MANY)]
    nations.send(nation, reports)
    nations.flush()
    return Hit(nation, blows + len(reports))


def _forged(
    nation: str, victim: str, epoch: int, secret: str
) -> Sequence[tuple[str, bytes, Sequence[tuple[str, bytes]]]]:
    """Reports under the victim's name, redrives that no officer has signed, and bytes that are no report."""
    newer = _encoded(_report(nation, victim, epoch + 1, 0, [_seen(secret, "TLP:CLEAR")]))
    other = _encoded(_report(nation, victim, epoch + 1, 1, [_seen(secret, "TLP:CLEAR")]))
    redrive = _encoded(
        _report(nation, HOSTILE, epoch, 1, [_seen(secret, "TLP:CLEAR")], redrive_of="sensor.reports.v1-0-7-3")
    )
    return [
        (victim, newer, ()),
        (victim, newer, signed_by(HOSTILE, newer)),
        (victim, newer, signed_by(victim, other)),
        (victim, newer, (("signature", b"\0" * 80),)),
        (HOSTILE, redrive, ()),
        (HOSTILE, redrive, signed_by(victim, redrive)),
        (HOSTILE, newer[:-3], ()),
        (HOSTILE, struct.pack(">bI", 0, 99_999) + newer[5:], ()),
    ]


def a_crowd(world: World, random: Random) -> Hit:
    """Honest sensors with ordinary context report one indicator, each once: up to ten thousand."""
    nation, epoch = random.choice(NATIONS), now_ms()
    popular, sensors = _hash(f"popular {epoch}"), random.choice(CROWD)
    context = (("signature", "ET MALWARE Observed DNS Query to Known Malware Domain"), ("src_ip", "192.0.2.17"))
    seen = Observation(
        kind=IndicatorType.FILE_SHA256,
        value=popular,
        marking=SourceMarking("TLP:GREEN"),
        confidence=80,
        context=context,
    )
    for number in range(sensors):
        world.nations.send(nation, [_report(nation, f"crowd-{number}", epoch, 0, [seen])])
    world.nations.flush()
    return Hit(nation, sensors)


def _odd(value: str, number: int) -> Observation:
    """Each with a marking that no other has."""
    letters = "".join(chr(ord("A") + number // 26**place % 26) for place in range(3))
    return _seen(value, "TLP:AMBER", releasable_to=(letters, "JPN"))


def _seen(value: str, tlp: str, **marking: Any) -> Observation:
    return Observation(kind=IndicatorType.FILE_SHA256, value=value, marking=SourceMarking(tlp, **marking))


def _report(
    nation: str, sensor: str, epoch: int, sequence: int, seen: Sequence[Observation], **changes: Any
) -> SensorReport:
    return a_report(seen, nation=nation, sensor=sensor, epoch=epoch, sequence=sequence, **changes)


def _encoded(report: SensorReport) -> bytes:
    return _CODEC.encode(SENSOR_REPORT, report)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


HOSTILE_KINDS: Final[Mapping[str, tuple[Fault, int]]] = {
    "a hostile sensor": (a_hostile_sensor, 3),
    "a crowd on one indicator": (a_crowd, 2),
}
"""Each kind with how often it comes, against all others."""
