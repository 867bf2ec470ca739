"""The cluster that the tests of a SOC's commands share."""

from collections.abc import Iterator

import pytest

from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from schemas import topics
from tests.conftest import _running
from tests.kakehashi.soc import Soc, fill


@pytest.fixture(scope="module")
def soc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soc]:
    """JPN's cluster, and where its commands run."""
    folder = tmp_path_factory.mktemp("soc")
    with _running(("JPN",), folder) as one:
        address = one["JPN"].bootstrap
        cluster = Cluster("JPN", address)
        ensure_topics(cluster, topics.topics_of("JPN", ("GBR",), 1))
        environ = {
            "KAKEHASHI_GBR_BOOTSTRAP": address,
            "KAKEHASHI_JPN_BOOTSTRAP": address,
            "KAKEHASHI_SHARDS": "1",
            "KAKEHASHI_HOME": str(folder / ".kakehashi"),
        }
        found = Soc(folder, environ, idempotent_producer(cluster))
        fill(found)
        yield found
