"""Certificates and passwords that will not do end with a sentence that states what to do, and with nothing secret."""

import os
import socket
import subprocess
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.errors import BrokerUnavailable, ConfigurationError
from exchange.kafka.clients import Cluster
from exchange.kafka.reach import reached
from exchange.kafka.tls import not_after
from exchange.kafka.topics_admin import ensure_topics
from exchange.settings import cluster_from_env
from localkafka.broker import Broker
from schemas import topics
from tests.conftest import Brokers
from tests.link.certificates import DAY, Authority
from tests.link.conftest import PASSWORD, SHARDS, Secured


def test_the_right_certificates_and_password_get_in(secured_jpn: Secured) -> None:
    assert topics.inbox("GBR") in reached(secured_jpn.cluster("GBR-bridge"))


@pytest.mark.parametrize(
    ("listener", "stated"),
    [
        ("EXPIRED", r"JPN's Kafka at localhost:\d+ shows a certificate that has expired: JPN's administrator must"),
        ("ELSEWHERE", r"shows a certificate for another host .*KAKEHASHI_JPN_BOOTSTRAP"),
        ("STRANGER", r"shows a certificate that .*link-ca\.pem has not signed .*KAKEHASHI_JPN_KAFKA_SSL_CA_LOCATION"),
    ],
)
def test_a_brokers_certificate_that_will_not_do_is_stated(secured_jpn: Secured, listener: str, stated: str) -> None:
    with pytest.raises(ConfigurationError, match=stated):
        reached(secured_jpn.cluster("GBR-bridge", listener))


def test_our_own_expired_certificate_is_stated_with_its_date(secured_jpn: Secured) -> None:
    old = secured_jpn.authority.issue("old", ends=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    changes = {"ssl_certificate_location": str(old.certificate), "ssl_key_location": str(old.key)}
    with pytest.raises(ConfigurationError, match=r"our certificate .*old\.pem expired at 2026-01-02 03:04 UTC"):
        reached(secured_jpn.cluster("GBR-bridge", **changes))


def test_our_own_certificate_of_another_ca_is_stated(secured_jpn: Secured) -> None:
    strange = secured_jpn.stranger.issue("strange")
    changes = {"ssl_certificate_location": str(strange.certificate), "ssl_key_location": str(strange.key)}
    with pytest.raises(ConfigurationError, match=r"refuses our certificate .*strange\.pem .*CA that JPN trusts"):
        reached(secured_jpn.cluster("GBR-bridge", **changes))


def test_no_certificate_at_all_is_stated(secured_jpn: Secured) -> None:
    with pytest.raises(ConfigurationError, match="wants a client certificate: set KAKEHASHI_JPN_KAFKA_SSL"):
        reached(secured_jpn.cluster("GBR-bridge", ssl_certificate_location=None, ssl_key_location=None))


def test_a_key_that_is_not_the_certificates_is_stated(secured_jpn: Secured) -> None:
    other = secured_jpn.authority.issue("other")
    with pytest.raises(ConfigurationError, match=r"ssl\.certificate\.location|cannot be used"):
        reached(secured_jpn.cluster("GBR-bridge", ssl_key_location=str(other.key)))


@pytest.mark.parametrize("user", ["GBR-bridge", "nobody"])
def test_a_wrong_password_or_user_is_stated_without_the_password(secured_jpn: Secured, user: str) -> None:
    wrong = "wrong and secret"
    with pytest.raises(ConfigurationError, match=f"does not let user '{user}' in.*SASL_PASSWORD") as caught:
        reached(secured_jpn.cluster(user, sasl_password=wrong))
    assert wrong not in "".join(traceback.format_exception(caught.value))


def test_a_port_without_tls_is_stated(secured_jpn: Secured, brokers: Brokers) -> None:
    with pytest.raises(ConfigurationError, match="does not speak TLS there"):
        reached(replace(secured_jpn.cluster("GBR-bridge"), bootstrap=brokers.jpn))


def test_no_one_at_the_address_is_not_blamed_on_certificates(secured_jpn: Secured) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        bootstrap = f"localhost:{silent.getsockname()[1]}"
        with pytest.raises(BrokerUnavailable, match="no answer from JPN's Kafka"):
            reached(replace(secured_jpn.cluster("GBR-bridge"), bootstrap=bootstrap), within_s=1.0)


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", "utf-8")
    environ = {"KAKEHASHI_JPN_KAFKA_SASL_PASSWORD_FILE": str(file), "KAKEHASHI_JPN_KAFKA_SASL_USERNAME": "GBR-bridge"}
    cluster = cluster_from_env(environ, "JPN", "localhost:1")
    assert cluster.security == {"sasl.password": PASSWORD, "sasl.username": "GBR-bridge"}
    assert PASSWORD not in repr(cluster)
    with pytest.raises(ConfigurationError, match=r"SASL_PASSWORD_FILE=.*missing: the file cannot be read"):
        cluster_from_env({"KAKEHASHI_JPN_KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "missing")}, "JPN", "localhost:1")


def test_the_end_of_any_certificate_is_read_as_it_was_written(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    for ends in (
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime.now(UTC).replace(microsecond=0) + DAY,
        datetime(2051, 1, 1, tzinfo=UTC),  # GeneralizedTime, from 2050 on
    ):
        issued = authority.issue("any", ends=ends)
        assert not_after(issued.certificate.read_text("ascii")) == ends


def test_a_bridge_with_a_wrong_password_ends_at_once_and_shows_it_nowhere(
    secured_jpn: Secured, own_broker: Broker, tmp_path: Path
) -> None:
    """The whole process: exit code 3, and neither its output nor its command line holds the password."""
    home = Cluster("GBR", own_broker.bootstrap)
    ensure_topics(home, topics.topics_of("GBR", ("JPN",), SHARDS))
    wrong, cluster = "wrong-and-secret-4711", secured_jpn.cluster("GBR-bridge")
    settings = {
        f"KAKEHASHI_JPN_KAFKA_{name.upper().replace('.', '_')}": text for name, text in cluster.security.items()
    }
    environ = {
        **os.environ,
        **settings,
        "KAKEHASHI_JPN_KAFKA_SASL_PASSWORD": wrong,
        "KAKEHASHI_GBR_BOOTSTRAP": home.bootstrap,
        "KAKEHASHI_SHARDS": str(SHARDS),
        "KAKEHASHI_JPN_BOOTSTRAP": cluster.bootstrap,
        "KAKEHASHI_HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "kakehashi", "bridge", "--nation", "GBR", "--partner", "JPN"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        shown = Path(f"/proc/{process.pid}/cmdline")
        arguments = shown.read_bytes() if shown.exists() else b""
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    assert b"does not let user 'GBR-bridge' in" in output
    assert wrong.encode() not in output + arguments
