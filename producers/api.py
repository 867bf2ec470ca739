"""The Python interface of a sensor: what a program observes is durable before the call returns.

    with Publisher(Path("edge-1.yaml")) as publisher:
        publisher.observe(IndicatorType.DOMAIN_NAME, "bad.example.com", confidence=80)

One thread owns the spool. It makes each call durable, and meanwhile publishes unacknowledged reports. A program that
stops at any moment loses nothing for which a call has returned; the next run publishes the rest.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self, overload

import msgspec

from exchange.clock import now_ms
from exchange.errors import ConfigurationError, DeliveryTimeout, ExchangeError
from exchange.kafka.clients import Cluster
from exchange.settings import Settings, cluster_from_env
from producers.admission import admitted, typed
from producers.heartbeat import Heartbeat
from producers.known import unknown_state
from producers.markings.marked import UNSTATED, stricter
from producers.profile.document import valid_profile
from producers.profile.model import Profile
from producers.profile.options import defaults_of
from producers.profile.rules import problems
from producers.readers.reading import Defaults, Rejected, Seen
from producers.report import MAX_OBSERVATIONS
from producers.signing import signing
from producers.spool import publisher as spooled
from producers.spool.batch import Batch, Sensor
from producers.spool.spool import Spool, SpoolFull, folder_of
from schemas.codec import QUARANTINED, SENSOR_REPORT, SENSOR_REPORT_V2
from schemas.markings import SourceMarking
from schemas.normalise import Invalid, canonical
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, Withdrawal

MAX_PENDING_BYTES: Final = 1 << 30
_TOOL: Final = "python"
_PUMP_S: Final = 0.05
_PLACE: Final = SourcePlace(_TOOL, 1)
_Work = tuple[tuple[Observation, ...], "Future[None]"]


class Publisher:
    """Publishes observations of one sensor. A context manager; its methods may be called from any thread.

    It takes a sensor's profile (``producers.profile``) or the file of one; or nation, sensor and a few settings.
    ``marking`` joins the marking of each observation: the stricter of the two applies. ``cluster`` and ``settings`` are
    those of the environment if they are not given (docs/sensor-operator.md). On leaving, it waits up to ``deadline_s``
    seconds for the cluster; reports that are unacknowledged by then stay in the spool.

    The constructor raises ConfigurationError with every mistake of a profile. Entering raises Refused if another
    process has the spool, and ConfigurationError for a setting that is wrong.
    """

    @overload
    def __init__(
        self,
        profile: Profile | Path,
        /,
        *,
        cluster: Cluster | None = None,
        settings: Settings | None = None,
        deadline_s: float = 30.0,
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None: ...

    @overload
    def __init__(
        self,
        nation: str,
        sensor: str,
        *,
        marking: SourceMarking = UNSTATED,
        labels: tuple[str, ...] = (),
        sensor_key: Path | None = None,
        cluster: Cluster | None = None,
        settings: Settings | None = None,
        deadline_s: float = 30.0,
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None: ...

    def __init__(
        self,
        nation: str | Profile | Path,
        sensor: str = "",
        *,
        marking: SourceMarking = UNSTATED,
        labels: tuple[str, ...] = (),
        sensor_key: Path | None = None,
        cluster: Cluster | None = None,
        settings: Settings | None = None,
        deadline_s: float = 30.0,
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None:
        self._settings = Settings.from_env(os.environ) if settings is None else settings
        profile = _profile_of(nation, self._settings.nations)
        if profile is not None:
            nation, sensor = profile.nation, profile.sensor
            sensor_key = Path(profile.key) if profile.key else None
        self._defaults = Defaults(marking=marking, labels=labels) if profile is None else defaults_of(profile)
        self._sensor = Sensor(str(nation), sensor)
        self._cluster = _cluster_of(self._sensor.nation) if cluster is None else cluster
        self._key, self._deadline_s, self._most_bytes = sensor_key, deadline_s, max_pending_bytes
        self._work: Queue[_Work | None] = Queue(1)
        self._started: Future[None] = Future()
        self._leaving = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name=f"publisher of {sensor}", daemon=True)
        self.pending_reports = 0
        """Reports that are durable here and not acknowledged by the cluster yet."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._put(None)
        self._thread.join()

    def observe(
        self,
        kind: IndicatorType,
        value: str,
        *,
        first_seen_ms: int = 0,
        last_seen_ms: int = 0,
        count: int = 1,
        confidence: int = -1,
        valid_until_ms: int = 0,
        marking: SourceMarking = UNSTATED,
        labels: tuple[str, ...] = (),
        description: str = "",
        context: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Report one value. On return it is on disk. The fields are those of ``schemas.observation.Observation``.

        Raises ValueError for a value that is invalid for its type, or a field out of its range. Waits while the spool
        is full of unacknowledged reports. Raises SpoolFull if the disk does not take it.
        """
        self.observe_all(
            [
                Observation(
                    kind=kind,
                    value=value,
                    first_seen_ms=first_seen_ms,
                    last_seen_ms=last_seen_ms or first_seen_ms,
                    count=count,
                    confidence=confidence,
                    valid_until_ms=valid_until_ms,
                    marking=marking,
                    labels=labels,
                    description=description,
                    context=context,
                )
            ]
        )

    def withdraw(self, kind: IndicatorType, value: str) -> None:
        """End this sensor's own assertion of a value: it was wrong, or its source took it back."""
        self.observe_all([Observation(kind=kind, value=value, withdrawal=Withdrawal.REVOKED)])

    def observe_all(self, observations: Iterable[Observation]) -> None:
        """Report many values with one wait for the disk: all of them, or, if one is invalid, none."""
        checked = tuple(map(self._checked, observations))
        done: Future[None] = Future()
        if not self._put((checked, done)):
            raise self._error or RuntimeError("the publisher is not open: use it in a `with` statement")
        while not wait((done,), _PUMP_S).done and self._thread.is_alive():
            continue
        if not done.done():  # it was handed over while the thread ended
            raise self._error or RuntimeError("the publisher has ended")
        done.result()

    def _put(self, work: _Work | None) -> bool:
        """Hand over a call; False if no one takes it any more."""
        while self._thread.is_alive():
            try:
                self._work.put(work, timeout=_PUMP_S)
            except Full:
                continue
            return True
        return False

    def _checked(self, given: Observation) -> Observation:
        observation = typed(given)
        known = canonical(observation.kind, observation.value)
        if isinstance(known, Invalid):
            raise ValueError(f"{observation.value[:80]!r} is no {observation.kind.label}: {known.detail}")
        fitting = admitted(Seen(_PLACE, observation))
        if isinstance(fitting, Rejected):
            raise ValueError(f"{observation.value[:80]!r}: {fitting.detail}")
        if observation.confidence not in range(-1, 101):
            raise ValueError(f"a confidence of {observation.confidence}: STIX has 0 to 100, and -1 is not stated")
        defaults = self._defaults
        if defaults.types and observation.kind not in defaults.types and observation.withdrawal is None:
            raise ValueError(f"{observation.value[:80]!r}: the sensor's profile publishes no {observation.kind.label}")
        stated = observation.confidence if observation.confidence >= 0 else defaults.confidence
        return msgspec.structs.replace(
            fitting.observation,
            marking=stricter(observation.marking, defaults.marking),
            labels=tuple(dict.fromkeys((*observation.labels, *defaults.labels))),
            confidence=min(stated, defaults.confidence_ceiling),
        )

    def _run(self) -> None:
        folder = folder_of(self._settings.home, self._sensor.nation, self._sensor.name)
        try:
            codec = self._cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2, QUARANTINED)
            sign = signing(codec, self._key or self._settings.sensor_key)
            with Spool(folder, self._sensor.nation, self._sensor.name, now_ms()) as spool:

                def new_batch() -> Batch:
                    state = unknown_state(_TOOL, spool, self._sensor, now_ms())
                    return Batch(state, spool, self._sensor, _TOOL, codec, now_ms, MAX_OBSERVATIONS)

                publisher = spooled.Publisher(self._cluster, spool, self._sensor.name, sign)
                heart = Heartbeat(spool, self._sensor, codec, now_ms)
                self._started.set_result(None)
                self._serve(spool, new_batch, publisher, heart)
        except BaseException as error:  # it is raised again in the caller's thread
            if not self._started.done():
                self._started.set_exception(error)
            self._error = error
            self._refuse_waiting(error)

    def _serve(
        self, spool: Spool, new_batch: Callable[[], Batch], publisher: spooled.Publisher, heart: Heartbeat
    ) -> None:
        batch, line = new_batch(), 0
        while (work := self._next(spool, publisher, heart)) is not None:
            observations, done = work
            try:
                for observation in observations:
                    line += 1
                    batch.moves_to(line)
                    list(batch.add(observation))
                batch.commit()
            except ExchangeError as error:
                done.set_exception(error)
                batch, line = new_batch(), 0
                continue
            except BaseException as error:
                done.set_exception(error)
                raise
            done.set_result(None)
            if spool.pending_bytes > self._most_bytes:
                publisher.drain(None, keep_bytes=self._most_bytes // 2, given_up=self._leaving.is_set)
        with suppress(DeliveryTimeout):  # it is on disk, and the next run sends it
            publisher.drain(self._deadline_s)
        self.pending_reports = spool.pending_reports

    def _refuse_waiting(self, error: BaseException) -> None:
        with suppress(Empty):
            while (work := self._work.get_nowait()) is not None:
                work[1].set_exception(error)

    def _next(self, spool: Spool, publisher: spooled.Publisher, heart: Heartbeat) -> _Work | None:
        """The next call; meanwhile waiting reports and heartbeats are published."""
        while True:
            if not publisher.trouble:
                with suppress(SpoolFull):  # calls raise it themselves, and go on once the disk has room
                    heart.beat(monotonic())
            publisher.pump()
            self.pending_reports = spool.pending_reports
            try:
                return self._work.get(timeout=_PUMP_S)
            except Empty:
                continue


def _profile_of(given: str | Profile | Path, nations: tuple[str, ...]) -> Profile | None:
    if isinstance(given, Path):
        return valid_profile(given, nations)
    if isinstance(given, Profile) and (found := list(problems(given, nations))):
        listed = "; ".join(f"{'.'.join(map(str, each.path))}: {each.value}: {each.why}" for each in found)
        raise ConfigurationError(f"the profile cannot be used: {listed}")
    return given if isinstance(given, Profile) else None


def _cluster_of(nation: str) -> Cluster:
    name = f"KAKEHASHI_{nation}_BOOTSTRAP"
    bootstrap = os.environ.get(name, "")
    if not bootstrap:
        raise ConfigurationError(f"{name} is not set: it is the address of {nation}'s Kafka, as host:port")
    return cluster_from_env(os.environ, nation, bootstrap)
