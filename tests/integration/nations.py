"""Two nations, or more, with all their processes on real clusters: started, fed, watched, and audited."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import KafkaError, Message, Producer

from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.settings import Settings
from localkafka.broker import Broker
from localkafka.provider import clusters
from localkafka.settings import BrokerSettings, Provider
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.records import SensorReport
from streams.enrichment.installed import installed_enricher
from tests.integration.role import Role
from tests.link.faulty import FaultyLink, linked_clusters
from tests.officers import ROSTER, SIGNING, roster_text, signed_by
from tests.reference.audit import Audit
from tests.reference.direction import Direction

NATIONS: Final = ("GBR", "JPN")
SHARDS: Final = 2
ROLL_UP_MS: Final = 300
START_S: Final = 60.0
_AGAIN_S: Final = 0.2
_AT_MOST_S: Final = 1.0  # an audit takes processor time that the roles need, too


class Nations:
    """Nations by ``names``. ``roles`` are by name; whoever makes them states which there are."""

    def __init__(
        self,
        folder: Path,
        brokers: Mapping[str, Broker],
        shards: int = SHARDS,
        more: Mapping[str, str] | None = None,
        links: Mapping[str, FaultyLink] | None = None,
        names: Sequence[str] = NATIONS,
    ) -> None:
        """``links`` are the ways to these clusters by which bridges go; without, they go as everybody else."""
        self.names = tuple(names)
        self.folder, self.brokers, self.shards = folder, brokers, shards
        self.links = links or {}
        self.clusters = {nation: Cluster(nation, brokers[nation].bootstrap) for nation in names}
        self.roles: dict[str, Role] = {}
        self.settings = dict(more or {})  # of roles that are added from now on
        self.enricher = installed_enricher()
        self._codec = Codec()
        self._producers: dict[str, Producer] = {}
        self._refused: list[str] = []
        self._directions: dict[str, Direction] = {}
        rosters = folder / "officers"
        rosters.mkdir(exist_ok=True)
        for nation in names:
            (rosters / f"{nation}.toml").write_text(roster_text(), "utf-8")
        settings = Settings.from_env(self.environ)
        for nation, cluster in self.clusters.items():
            ensure_topics(cluster, topics.topics_of(nation, settings.partners(nation), shards))

    @property
    def environ(self) -> dict[str, str]:
        """What every role is given."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KAKEHASHI_", "KAFKA_"))},
            **{f"KAKEHASHI_{nation}_BOOTSTRAP": cluster.bootstrap for nation, cluster in self.clusters.items()},
            "KAKEHASHI_NATIONS": ",".join(self.names),
            "KAKEHASHI_HOME": str(self.folder / "home"),
            "KAKEHASHI_OFFICERS": str(self.folder / "officers"),
            "KAKEHASHI_STATE": str(self.folder / "state"),
            "KAKEHASHI_SHARDS": str(self.shards),
            "KAKEHASHI_ROLL_UP_MS": str(ROLL_UP_MS),
            **self.settings,
        }

    def add(self, name: str, *arguments: str) -> Role:
        """A role, not started yet."""
        role = self.roles[name] = Role(name, arguments, self.environ, self.folder)
        return role

    def add_wrong(self, like: Role, launcher: Sequence[str]) -> Role:
        """A role like this one behind a launcher, not started yet."""
        role = self.roles[f"{like.name}-wrong"] = like.behind(launcher, f"{like.name}-wrong", self.folder)
        return role

    def add_worker(self, nation: str, number: int = 1, *, lasting: bool = False) -> Role:
        """A worker of a nation's streams. With a lasting name it gets its shards back when it comes back in time."""
        name = f"streams-{nation}-{number}"
        return self.add(name, "streams", "--nation", nation, *(("--instance", name) if lasting else ()))

    def add_bridge(self, home: str, number: int = 1, *, to: str = "") -> Role:
        """The bridge out of a nation, to the other one of two; a second one fences the first."""
        partner = to or partner_of(home)
        name, arguments = (
            f"bridge-{home}{f'-{to}' if to else ''}-{number}",
            ("bridge", "--nation", home, "--partner", partner),
        )
        link = self.links.get(partner)
        if link is None:
            return self.add(name, *arguments)
        environ = {**self.environ, f"KAKEHASHI_{partner}_BOOTSTRAP": link.bootstrap}
        role = self.roles[name] = Role(name, arguments, environ, self.folder, link.launcher)
        return role

    def start(self, names: Sequence[str] = ()) -> None:
        """Start these roles, or all, and wait until each has stated that it has its shards. A spare worker has none."""
        roles = [self.roles[name] for name in names or self.roles]
        since = {role.name: role.logged_bytes for role in roles}
        for role in roles:
            role.start()
        for role in roles:
            words = "shards.assigned" if role.name.startswith("streams") else "shard.running"
            role.await_logged(words, START_S, since[role.name])

    def send(self, nation: str, reports: Iterable[SensorReport]) -> None:
        """What sensors publish, each report on its sensor's partition, signed if the roster has the sensor's key. It is
        on its way; ``flush`` waits for it."""
        for report in reports:
            sensor, value = report["sensor"], self._codec.encode(SENSOR_REPORT, report)
            headers = signed_by(sensor, value) if sensor in SIGNING else ()
            self.send_bytes(nation, sensor, value, shard_of_sensor(sensor, self.shards), headers)

    def send_bytes(
        self, nation: str, sensor: str, value: bytes | None, partition: int, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Any bytes onto a partition of the sensors' topic."""
        producer = self._producers.get(nation)
        if producer is None:
            # A sensor that is not ours may send what packs well: the topic's limit is on what is packed.
            settings = {"message.max.bytes": 100 << 20, "queue.buffering.max.kbytes": 1 << 20}
            producer = self._producers[nation] = idempotent_producer(self.clusters[nation], **settings)
        producer.produce(
            topics.SENSOR_REPORTS,
            value,
            sensor.encode(),
            partition,
            headers=[*headers],
            on_delivery=self._delivered,
        )
        producer.poll(0)

    def flush(self, within_s: float = 60.0) -> None:
        """Wait until the brokers have acknowledged everything that was sent."""
        for nation, producer in self._producers.items():
            left = producer.flush(within_s)
            if left or self._refused:
                raise AssertionError(f"{nation}'s broker has not taken {left} reports: {self._refused[:3]}")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())

    def direction(self, home: str) -> Direction:
        """The reader of what goes out of a nation."""
        if home not in self._directions:
            partner = self.clusters[partner_of(home)]
            self._directions[home] = Direction(self.clusters[home], partner, self.shards, self.enricher, ROSTER)
        return self._directions[home]

    def settled(self, within_s: float, homes: Sequence[str] = NATIONS) -> dict[str, Audit]:
        """Wait until the audits of these directions are clean; fails with what they find when the time is over."""
        give_up = time.monotonic() + within_s
        while True:
            began = time.monotonic()
            audits = {home: self.direction(home).audit() for home in homes}
            if all(audit.clean for audit in audits.values()):
                return audits
            looked = time.monotonic()
            if looked > give_up:
                found = "\n".join(str(audit) for audit in audits.values())
                tails = "\n".join(f"--- {role.name} (exit {role.exit_code})\n{role.tail()}" for role in self.all_roles)
                raise AssertionError(f"not settled within {within_s:g} s:\n{found}\n{tails}")
            time.sleep(min(max(_AGAIN_S, looked - began), _AT_MOST_S))

    @property
    def all_roles(self) -> list[Role]:
        """Every role, running or not."""
        return list(self.roles.values())

    def close(self) -> None:
        """Stop reading, and end every process."""
        for direction in self._directions.values():
            direction.close()
        self._producers.clear()
        for role in self.all_roles:
            role.kill()


def partner_of(nation: str) -> str:
    """The other one."""
    return NATIONS[1 - NATIONS.index(nation)]


@contextmanager
def two_nations(
    folder: Path,
    shards: int = SHARDS,
    more: Mapping[str, str] | None = None,
    *,
    linked: bool = False,
    names: Sequence[str] = NATIONS,
) -> Iterator[Nations]:
    """Two nations, or those named, on clusters of their own, without any role yet; every role is given ``more``.

    With ``linked`` their bridges go by links that may be cut, held, narrowed and forgotten.

    Their topics have the exchange's own names, so a cluster that settings name, or that others use, will not do.
    """
    with ExitStack() as stack:
        settings = BrokerSettings.from_env(os.environ, tuple(names))
        forced = settings.provider if settings.provider != Provider.SETTINGS else Provider.AUTO
        settings = replace(settings, given={}, provider=forced)
        brokers: Mapping[str, Broker]
        links: Mapping[str, FaultyLink] = {}
        if linked:
            brokers, links = stack.enter_context(linked_clusters(settings, folder / "kafka"))
        else:
            brokers = stack.enter_context(clusters(settings, folder / "kafka", lambda _line: None))
        nations = Nations(folder, brokers, shards, more, links, names)
        stack.callback(nations.close)
        yield nations


@contextmanager
def working_nations(folder: Path) -> Iterator[Nations]:
    """Two nations with a worker and a bridge each, running. Without Kafka the test fails, and states why."""
    try:
        with two_nations(folder) as both:
            for nation in NATIONS:
                both.add_worker(nation)
                both.add_bridge(nation)
            both.start()
            yield both
    except ExchangeError as error:
        pytest.fail(f"No Kafka for this test: {error}", pytrace=False)
