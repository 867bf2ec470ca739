"""Japan's cluster as Britain's bridge sees it: TLS, client certificates, SCRAM users, and the authoriser on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

# Not exported to type checkers by the package.
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from exchange.errors import ConfigurationError, ExchangeError
from exchange.kafka.acls import apply_access
from exchange.kafka.clients import Cluster
from exchange.kafka.reach import reached
from exchange.kafka.topics_admin import ensure_topics
from localkafka.jars import cache_folder, fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.ports import free_ports
from schemas.access import access_of
from schemas.topics import topics_of
from tests.link.certificates import DAY, Authority, Issued
from tests.localkafka.secured import MECHANISM, SecuredListener, secured
from tests.polling import eventually

SHARDS = 2
PASSWORD = "correct horse battery staple"  # noqa: S105  # made up
USERS = ("GBR-bridge", "AUS-bridge", "JPN-bridge", "JPN-streams", "JPN-produce", "JPN-reader")


@dataclass(frozen=True, slots=True)
class Secured:
    """The cluster, its listeners by name, and who has signed what."""

    broker: LocalBroker
    listeners: dict[str, SecuredListener]
    authority: Authority
    stranger: Authority
    client: Issued
    folder: Path

    @property
    def administrator(self) -> Cluster:
        """Whoever is on the broker's own machine."""
        return Cluster("JPN", self.broker.bootstrap)

    def cluster(self, user: str, listener: str = "LINK", **changes: str | None) -> Cluster:
        """How ``user`` reaches it; ``changes`` are settings with underscores, None leaves one out."""
        settings = {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": user,
            "sasl.password": PASSWORD,
            "ssl.ca.location": str(self.authority.file),
            "ssl.certificate.location": str(self.client.certificate),
            "ssl.key.location": str(self.client.key),
        }
        for name, value in changes.items():
            if value is None:
                del settings[name.replace("_", ".")]
            else:
                settings[name.replace("_", ".")] = value
        return Cluster("JPN", self.listeners[listener].bootstrap, settings)


@pytest.fixture(scope="session")
def secured_jpn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One for the run; it takes four seconds. Tests write as users that the ACLs are about, and stop nothing."""
    folder = tmp_path_factory.mktemp("secured")
    authority, stranger = Authority(folder, "link"), Authority(folder, "stranger")
    certificates = {
        "LINK": authority.issue("broker"),
        "EXPIRED": authority.issue("expired-broker", ends=datetime.now(UTC) - DAY),
        "ELSEWHERE": authority.issue("other-broker", host="kafka.example"),
        "STRANGER": stranger.issue("strange-broker"),
    }
    ports, more = free_ports(), [free_ports() for _ in range(2)]
    numbers = iter([more[0].client, more[0].controller, more[1].client, more[1].controller])
    listeners = {
        name: SecuredListener(name, next(numbers), issued.both, authority.file) for name, issued in certificates.items()
    }
    properties = secured(ports.client, ports.controller, list(listeners.values()))
    try:
        jars = fetch_jars(cache_folder(os.environ))
        broker = LocalBroker(folder / "kafka", jars, ports=ports, settings=LocalBrokerSettings(properties=properties))
        with broker:
            found = Secured(broker, listeners, authority, stranger, authority.issue("client"), folder)
            _fill(found)
            yield found
    except ExchangeError as error:
        pytest.fail(f"No secured Kafka for this test: {error}", pytrace=False)


def _fill(secured: Secured) -> None:
    administrator = secured.administrator
    ensure_topics(administrator, topics_of("JPN", ("GBR", "AUS"), SHARDS))
    apply_access(administrator, access_of("JPN", ("GBR", "AUS")))
    iterations = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, iterations, PASSWORD.encode()) for user in USERS
    ]
    admin = AdminClient(administrator.client())  # held: its futures die with it
    for future in admin.alter_user_scram_credentials(changes).values():
        future.result(30)
    for user in USERS:  # the controller has the users now; the broker that lets them in learns of them a moment later
        eventually(partial(_may_log_in, secured.cluster(user)), 60, f"{user} can log in")


def _may_log_in(cluster: Cluster) -> bool:
    try:
        reached(cluster)
    except ConfigurationError:
        return False
    return True
