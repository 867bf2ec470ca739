"""Made-up traffic of a nation's sensors, seeded: few indicators many times over, marked in every way, some bad."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import md5, sha256
from random import Random
from typing import Final

import msgspec

from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType, Withdrawal
from tests.builders import DAY_MS, HOUR_MS, a_report

# Nearly all of what may leave is a hash: names and addresses that tests may make up never may (RFC 6761, RFC 6890).
MARKINGS: Final = (
    SourceMarking("TLP:CLEAR"),
    SourceMarking("tlp:green"),
    SourceMarking("TLP:GREEN", "PAP:AMBER"),
    SourceMarking("TLP:GREEN", releasable_to=("GBR", "JPN")),
    SourceMarking("TLP:GREEN", releasable_to=("FRA",)),
    SourceMarking("TLP:AMBER", releasable_to=("GBR", "JPN")),
    SourceMarking("TLP:AMBER"),
    SourceMarking("TLP:AMBER+STRICT", "PAP:GREEN", ("GBR", "JPN")),
    SourceMarking("TLP:RED", releasable_to=("JPN",)),
    SourceMarking("TLP:GREEN", caveats=("UK EYES ONLY",)),
    SourceMarking("TLP:GREEN", caveats=("OFFICIAL-SENSITIVE",)),
    SourceMarking("TLP:CLEAR", caveats=("what is this",)),
    SourceMarking("TLP:GREEN", "PAP:RED"),
    SourceMarking("TLP:PURPLE"),
    SourceMarking(),
)
_WEIGHTS: Final = (12, 30, 4, 6, 2, 10, 2, 3, 3, 1, 2, 1, 1, 1, 3)
AT_HOME: Final = "客先: example"  # of no vocabulary: it does not leave
LABELS: Final = ("malicious-activity", "スミッシング", "botnet", "c2", "scanner", "ransomware", AT_HOME)
KINDS: Final = (
    *(IndicatorType.FILE_SHA256,) * 10,
    *(IndicatorType.FILE_MD5, IndicatorType.FILE_NAME, IndicatorType.JA3) * 2,
    IndicatorType.DOMAIN_NAME,
    IndicatorType.URL,
    IndicatorType.IPV4_ADDR,
    IndicatorType.IPV4_NET,
    IndicatorType.IPV6_ADDR,
    IndicatorType.EMAIL_ADDR,
    IndicatorType.AUTONOMOUS_SYSTEM,
    IndicatorType.X509_SHA256,
    IndicatorType.REGISTRY_KEY,
)
AZ: Final = "ABCDEFGHI"
NOT_VALUES: Final = ("", "198.51.100.999", "not a hash", "\x00", "a b c", "http://[", "ｅｘａｍｐｌｅ" * 2000)


@dataclass(slots=True)
class Sensor:
    """One sensor: its marking habits, and how far it has numbered its reports."""

    name: str
    epoch: int
    sequence: int = 0
    markings: Sequence[SourceMarking] = field(default=MARKINGS)


class Traffic:
    """Reports of one nation's sensors. The same seed and the same ``now_ms`` make the same reports."""

    def __init__(
        self, random: Random, nation: str, now_ms: int, *, sensors: int = 8, indicators: int = 200, bad: float = 0.02
    ) -> None:
        self._random, self._nation, self._now_ms, self._bad = random, nation, now_ms, bad
        self._indicators = indicators
        self.sensors = [
            Sensor(
                f"sensor-{number}",
                now_ms - DAY_MS - number,
                markings=random.choices(MARKINGS, _WEIGHTS, k=1 + number % 3),
            )
            for number in range(sensors)
        ]

    def reports(self, count: int, observations: int = 20) -> Iterator[SensorReport]:
        """So many reports, each of up to ``observations``, now and then a repeated one or one out of order."""
        late: list[SensorReport] = []
        made: list[SensorReport] = []
        for _ in range(count):
            report = self._report(observations)
            made.append(report)
            if self._random.random() < 0.05:
                late.append(report)
                continue
            yield report
            if self._random.random() < 0.05:
                yield self._random.choice(made)
            if late and self._random.random() < 0.2:
                yield late.pop(0)
        yield from late

    def _report(self, observations: int) -> SensorReport:
        sensor = self._random.choice(self.sensors)
        if self._random.random() < 0.02:  # its spool was lost: a later numbering begins
            sensor.epoch += HOUR_MS
            sensor.sequence = 0
        if self._random.random() < 0.02:
            sensor.sequence += 1  # a report that never comes
        report = a_report(
            [self._observation(sensor) for _ in range(self._random.randint(0, observations))],
            nation=self._nation,
            sensor=sensor.name,
            epoch=sensor.epoch,
            sequence=sensor.sequence,
            produced_at_ms=self._now_ms,
        )
        sensor.sequence += 1
        return report

    def _observation(self, sensor: Sensor) -> Observation:
        random = self._random
        number = min(int(random.expovariate(5 / self._indicators)), self._indicators - 1)
        kind = KINDS[number % len(KINDS)]
        last_ms = random.choice(
            [0, self._now_ms - random.randrange(10 * DAY_MS), self._now_ms + random.randrange(1000)]
        )
        marking = random.choice(sensor.markings) if random.random() < 0.98 else random.choice(MARKINGS)
        seen = Observation(
            kind=kind,
            value=value_of(kind, number),
            first_seen_ms=random.choice([0, max(0, last_ms - random.randrange(DAY_MS))]),
            last_seen_ms=last_ms,
            count=random.choice([1, 1, 1, 2, 17, 1 << 40]),
            confidence=random.choice([-1, 80, 80, 80, 50, 10]) if number % 7 == 0 else random.choice([-1, 80, 70]),
            valid_until_ms=random.choice([0, 0, 0, self._now_ms + 30 * DAY_MS, self._now_ms - DAY_MS]),
            marking=marking,
            labels=tuple(random.sample(LABELS, random.randint(0, 2))),
            description=random.choice(["", f"seen by {sensor.name}"]),
            context=random.choice([(), (("dest_ip", "192.0.2.7"),), self._with_tearline(sensor)]),
            withdrawal=random.choice(list(Withdrawal)) if random.random() < 0.05 else None,
        )
        return seen if random.random() >= self._bad else self._spoilt(seen)

    def _with_tearline(self, sensor: Sensor) -> tuple[tuple[str, str], ...]:
        """A context with what the sensor wrote for release; now and then over two lines, or as long as it may be."""
        text = self._random.choice(
            [f"公開要旨 {sensor.name}", "Seen in mail.\nBlock it.", f"{sensor.name} ".ljust(1024, "x")]
        )
        return (("dest_ip", "192.0.2.7"), ("tearline", text))

    def _spoilt(self, seen: Observation) -> Observation:
        random = self._random
        changes: dict[str, object] = random.choice(
            [
                {"value": random.choice(NOT_VALUES)},
                {"first_seen_ms": -1},
                {"last_seen_ms": self._now_ms + 3 * DAY_MS},
                {"first_seen_ms": self._now_ms, "last_seen_ms": self._now_ms - DAY_MS},
                {"valid_until_ms": 1 << 60},
                {"count": 0},
                {"count": (1 << 40) + 1},
                {"confidence": 101},
                {"labels": tuple(f"label-{number}" for number in range(1000))},
                {"labels": ("bell \x07",)},
                {"description": "長" * 10_000},
                {"context": (("tearline", "bell \x07"),)},
                {"context": (("tearline", "長" * 342),)},
                {"marking": SourceMarking("TLP:CLEAR", releasable_to=tuple(f"A{a}{b}" for a in AZ for b in AZ))},
            ]
        )
        return replaced(seen, changes)


def replaced(seen: Observation, changes: dict[str, object]) -> Observation:
    """The observation with these fields changed."""
    return msgspec.structs.replace(seen, **changes)


def value_of(kind: IndicatorType, number: int) -> str:
    """The value of the indicator of this number, now and then in another spelling than the canonical one."""
    text = str(number)
    match kind:
        case IndicatorType.FILE_SHA256 | IndicatorType.X509_SHA256:
            return sha256(text.encode()).hexdigest().upper()
        case IndicatorType.FILE_MD5 | IndicatorType.JA3:
            return md5(text.encode(), usedforsecurity=False).hexdigest()
        case IndicatorType.FILE_NAME:
            return f"invoice-{text}.exe"
        case IndicatorType.DOMAIN_NAME:
            return f"C2-{text}[.]example.com"
        case IndicatorType.URL:
            return f"hxxp://host-{text}.example.org/a?b={text}"
        case IndicatorType.IPV4_ADDR:
            return f"203.0.113.{number % 256}"
        case IndicatorType.IPV4_NET:
            return f"198.51.100.{number % 16 * 16}/28"
        case IndicatorType.IPV6_ADDR:
            return f"2001:DB8::{number:x}"
        case IndicatorType.EMAIL_ADDR:
            return f"user-{text}@example.net"
        case IndicatorType.AUTONOMOUS_SYSTEM:
            return f"as{64496 + number % 16}"
        case IndicatorType.REGISTRY_KEY:
            return f"HKLM\\Software\\Made-Up-{text}"
        case _:
            raise ValueError(kind)
