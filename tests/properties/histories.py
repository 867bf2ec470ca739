"""Made-up histories of sensors' reports, with and without what a partner may not have. Seeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Final

from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType, Withdrawal
from tests.builders import HOUR_MS, NOW_MS, a_report
from tests.properties.two_partners import PARTNERS, ROLL_UP_MS, Nation, Received

MINUTE_MS: Final = 60_000
HASHES: Final = [sha256(bytes([number])).hexdigest() for number in range(2)]
SOON_MS: Final = NOW_MS + 30 * MINUTE_MS
LATER_MS: Final = NOW_MS + 100 * HOUR_MS
LABELS: Final = ("phishing", "malicious-activity", "ransomware", "T1566", "T1059.001", "botnet", "客先: example")
SHARED: Final = (
    SourceMarking("TLP:GREEN"),
    SourceMarking("TLP:GREEN"),
    SourceMarking("TLP:CLEAR"),
    SourceMarking("TLP:AMBER", releasable_to=("AUS", "GBR", "JPN")),
    SourceMarking(),
    SourceMarking("TLP:GREEN", caveats=("OFFICIAL-SENSITIVE",)),
)
WITHHELD: Final = (
    SourceMarking("TLP:RED"),
    SourceMarking("TLP:GREEN", caveats=("UK EYES ONLY",)),
    SourceMarking("TLP:AMBER"),
    SourceMarking("TLP:RED", caveats=("OFFICIAL-SENSITIVE",)),
)
HELD: Final = (
    SourceMarking("TLP:AMBER", "PAP:RED", ("AUS", "GBR", "JPN")),
    SourceMarking("TLP:CLEAR", caveats=("no one knows this",)),
    SourceMarking("", "PAP:AMBER"),
    SourceMarking("TLP:GREEN", caveats=("PERSONAL DATA",)),
)
Event = Callable[[Nation], None]


@dataclass(frozen=True)
class Theme:
    """What the shared part of a history is about: how many sensors with which markings, and how their words end."""

    sensors: int = 14
    crowds: Sequence[int] = (1, 1, 1, 2, 12)
    markings: Sequence[SourceMarking] = SHARED
    ends_ms: Sequence[int] = (0, 0, SOON_MS, LATER_MS)
    withdraws: float = 0.15


THEMES: Final = (
    Theme(),
    Theme(sensors=2, crowds=(1,), markings=SHARED[4:], ends_ms=(0,), withdraws=0.05),  # what officers approve
    Theme(sensors=2, crowds=(1,), markings=SHARED[:1], ends_ms=(0,), withdraws=0.5),
    Theme(sensors=1, crowds=(1,), markings=SHARED[:1], ends_ms=(SOON_MS, LATER_MS), withdraws=0),
)


@dataclass(frozen=True)
class History:
    """What happens, in its order; ``secret`` is the place of each event that ``partner`` must not learn of."""

    partner: str
    events: Sequence[Event]
    secret: frozenset[int]

    def received(self, *, with_secrets: bool) -> Sequence[Received]:
        """All that the partner's cluster receives, with or without what it must not learn of."""
        nation = Nation()
        for place, event in enumerate(self.events):
            if with_secrets or place not in self.secret:
                event(nation)
        nation.waits(2 * ROLL_UP_MS)
        return nation.received(self.partner)


class Sensors:
    """Numbers the reports of each sensor."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._sequences: dict[str, int] = {}

    def report(self, sensor: str, theme: Theme) -> SensorReport:
        """The sensor's next report, of one or two indicators."""
        random = self._random
        sequence = self._sequences[sensor] = self._sequences.get(sensor, -1) + 1
        observations = [
            Observation(
                kind=IndicatorType.FILE_SHA256,
                value=value,
                first_seen_ms=0,
                last_seen_ms=NOW_MS - random.randrange(5) * HOUR_MS,
                count=random.randint(1, 3),
                confidence=random.choice([-1, 50, 80, 90]),
                valid_until_ms=random.choice(theme.ends_ms),
                marking=random.choice(theme.markings),
                labels=tuple(random.sample(LABELS, random.randrange(3))),
                description="seen at 客先",
                context=(("tearline", f"For release, by {sensor}."),) if random.random() < 0.5 else (),
                withdrawal=random.choice(list(Withdrawal)) if random.random() < theme.withdraws else None,
            )
            for value in random.sample(HASHES, random.randint(1, 2))
        ]
        return a_report(observations, sensor=sensor, epoch=NOW_MS - HOUR_MS, sequence=sequence)


def history(seed: int) -> History:
    """The history of this seed."""
    random = Random(seed)
    partner = random.choice(PARTNERS)
    [other] = {*PARTNERS} - {partner}
    withheld = (*WITHHELD, SourceMarking("TLP:GREEN", releasable_to=(other,)))
    sensors = Sensors(random)
    theme = random.choice(THEMES)
    shared = [_shared(random, sensors, theme) for _ in range(random.randint(3, 10))]
    last_approval = max((place for place, (_, approves) in enumerate(shared) if approves), default=-1)
    events: list[Event] = []
    secret: set[int] = set()
    for place, (event, _) in enumerate(shared):
        events.append(event)
        while random.random() < 0.5:
            if random.random() < 0.3:
                events.append(_pause(random))
            markings = (*withheld, *HELD) if place >= last_approval else withheld
            secret.add(len(events))
            events.append(_secret(random, sensors, markings))
    return History(partner, events, frozenset(secret))


def _shared(random: Random, sensors: Sensors, theme: Theme) -> tuple[Event, bool]:
    """An event that the partner may learn of, and whether it is an approval."""
    choice = random.random()
    if choice < 0.15:
        return _approval, True
    if choice < 0.4:
        return _pause(random), False
    crowd = random.choice(theme.crowds)
    reports = [sensors.report(f"shared-{random.randrange(theme.sensors)}", theme) for _ in range(crowd)]
    return lambda nation: nation.observes(*reports), False


def _approval(nation: Nation) -> None:
    for partner in PARTNERS:
        nation.approves(partner)


def _pause(random: Random) -> Event:
    pause_ms = random.choice([1, ROLL_UP_MS // 2, ROLL_UP_MS, 10 * MINUTE_MS, 45 * MINUTE_MS])
    return lambda nation: nation.waits(pause_ms)


def _secret(random: Random, sensors: Sensors, markings: Sequence[SourceMarking]) -> Event:
    """Reports that the partner must not learn of: a few, or of more sources than a row keeps in full."""
    crowd = random.choice([1, 1, 2, 6, 45])
    first = random.randrange(3)
    theme = Theme(markings=markings)
    reports = [sensors.report(f"secret-{number}", theme) for number in range(first, first + crowd)]
    return lambda nation: nation.observes(*reports)
