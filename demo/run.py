"""The demo itself: start two nations, play, kill, wait until all is processed, and count."""

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from demo.direction import Direction
from demo.figures import figures
from demo.flow import Event, Flow, Sign
from demo.kills import Kills, Outage, both
from demo.live import Show
from demo.nations import NATIONS
from demo.plan import Lane, observations
from demo.sensors import Sensors
from demo.settling import Watch, stages
from exchange.errors import DeliveryTimeout
from kakehashi.local_nations import LocalNations
from schemas import topics
from streams.enrichment.installed import installed_enricher
from streams.rules.policy_set import load
from tests.reference.audit import Stand, arrivals, audited
from tests.reference.model import expected

READY_S: Final = 120.0
PUBLISH_S: Final = 600.0
SETTLE_S: Final = 180.0
_TICK_S: Final = 0.05
_ASK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Ending:
    """The result."""

    directions: tuple[Direction, ...]
    outages: tuple[Outage, ...]
    took_s: float


class Demo:
    """One run of the demo on nations that are not open yet."""

    def __init__(self, nations: LocalNations, lanes: Sequence[Lane], feeds: Path, show: Show) -> None:
        self._nations, self._lanes, self._feeds, self._show = nations, lanes, feeds, show
        self._began = time.monotonic()
        self._watches: dict[str, Watch] = {}
        self._kills: Kills | None = None
        self._planned = {nation: observations(lanes, nation) for nation in NATIONS}

    def play(self) -> Ending:
        """The whole demo. Raises ExchangeError if the environment fails."""
        with ExitStack() as closing:
            self._start(closing)
            self._publish()
            self._settle()
            gc.disable()  # millions of values and no cycles: looking for some doubles the time
            directions = self._count()
        outages = tuple(self._kills.outages) if self._kills is not None else ()
        return Ending(directions, outages, time.monotonic() - self._began)

    def note(self, words: str, sign: Sign = Sign.NOTE) -> None:
        """Show an event."""
        self._show.occurred(Event(time.monotonic() - self._began, sign, words))

    def _start(self, closing: ExitStack) -> None:
        self._tick("starting two Kafka clusters")
        self._nations.open(self.note)
        settings = self._nations.settings
        for nation, cluster in self._nations.clusters.items():
            (partner,) = settings.partners(nation)
            watch = self._watches[nation] = Watch(cluster, partner, settings.shards, settings.roll_up_ms)
            closing.callback(watch.close)
            watch.observer.start()
        addresses = ", ".join(f"{name} {cluster.bootstrap}" for name, cluster in self._nations.clusters.items())
        self.note(f"two Kafka clusters answer: {addresses}", Sign.DONE)
        self._await(lambda: "starting stream workers and bridges", self._nations.are_ready, READY_S)
        self.note("stream workers and bridges are running", Sign.DONE)

    def _publish(self) -> None:
        tallies = {nation: watch.tally for nation, watch in self._watches.items()}
        kills = self._kills = Kills(both(*NATIONS), self._nations, tallies, self._planned, self._announced)
        home, environ = self._nations.home, self._nations.environ
        sensors = Sensors(self._lanes, self._feeds, home, environ, NATIONS[0], lambda: kills.have_happened)
        total = sum(self._planned.values())
        self.note(f"the sensors begin to publish {total:,} recorded observations")

        def is_done() -> bool:
            sensors.tick()
            kills.tick(at_once=sensors.are_waiting)
            return sensors.are_done and kills.have_happened and kills.open is None

        self._await(lambda: f"publishing: {', '.join(sensors.playing) or 'the rest waits'}", is_done, PUBLISH_S)
        self.note("everything is published", Sign.DONE)

    def _announced(self, outage: Outage) -> None:
        words = outage.kill.words
        if outage.went_on_ms:
            self.note(f"{words}: processing again, {outage.went_on_ms / 1000:.1f} s after the kill", Sign.DONE)
        else:
            self.note(f"kill -9 {outage.process}: the {words} is killed", Sign.KILLED)
            self.note(f"{words} starts again under the same name, as process {outage.again_as}", Sign.AGAIN)

    def _settle(self) -> None:
        began = time.monotonic()
        for what, condition in stages(self._watches):
            self._await(partial(str, f"waiting for {what}"), condition, SETTLE_S - (time.monotonic() - began))
        self.note("all input is processed: every step is at the end of its input", Sign.DONE)

    def _count(self) -> tuple[Direction, ...]:
        enricher = installed_enricher()
        shards = self._nations.settings.shards
        counted = []
        for home, watch in self._watches.items():
            partner = watch.tally.partner
            self._tick(f"counting {home} → {partner} a second time, by a model of the exchange")
            here, there = watch.tally.records, self._watches[partner].tally.records
            stand = Stand(
                here[topics.SENSOR_REPORTS],
                here[topics.QUARANTINE],
                here[topics.NATIONAL],
                here[topics.AUDIT],
                here[topics.released(partner)],
                there[topics.inbox(home)],
                there[topics.accepted(home)],
            )
            wanted = expected(arrivals(stand.reports), home, partner, shards, enricher)
            audit = audited(stand, wanted)
            counted.append(Direction(home, partner, figures(stand, partner), audit, load(home)))
        return tuple(counted)

    def _await(self, what: Callable[[], str], condition: Callable[[], bool], timeout_s: float) -> None:
        give_up = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > give_up:
                raise DeliveryTimeout(f"{what()}: not within {timeout_s:.0f} s")
            ask_at = time.monotonic() + _ASK_EVERY_S
            while time.monotonic() < ask_at:
                self._tick(what())

    def _tick(self, doing: str) -> None:
        self._show.now(time.monotonic() - self._began, doing, self._flows())
        if self._nations.clusters:
            self._nations.check()
            time.sleep(_TICK_S)

    def _flows(self) -> list[Flow]:
        flows = []
        open_ = self._kills.open if self._kills is not None else None
        for home, partner in zip(NATIONS, reversed(NATIONS), strict=True):
            if home not in self._watches or partner not in self._watches:
                flows.append(Flow(home, partner, self._planned[home]))
                continue
            here, there = self._watches[home].tally, self._watches[partner].tally
            trouble = f"{open_.kill.words} was killed" if open_ is not None and open_.kill.nation == home else ""
            flows.append(
                Flow(
                    home,
                    partner,
                    self._planned[home],
                    here.published,
                    here.valid,
                    len(here.keys[topics.NATIONAL]),
                    len(here.keys[topics.released(partner)]),
                    len(there.keys[topics.accepted(home)]),
                    trouble,
                )
            )
        return flows
