"""One exchange to hurt, supervised, for all short fault tests."""

from collections.abc import Iterator

import pytest

from exchange.errors import ExchangeError
from tests.faults.supervisor import Supervisor
from tests.integration.nations import NATIONS, Nations, two_nations


@pytest.fixture(scope="package")
def nations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nations]:
    """Both nations, running: GBR with two workers that stand by for each other, JPN with a lasting one."""
    try:
        with two_nations(tmp_path_factory.mktemp("faults")) as both:
            both.add_worker("GBR", 1)
            both.add_worker("GBR", 2)
            both.add_worker("JPN", lasting=True)
            for nation in NATIONS:
                both.add_bridge(nation)
            both.start()
            supervisor = Supervisor(both)
            supervisor.start()
            yield both
            supervisor.stop()
    except ExchangeError as error:
        pytest.fail(f"No Kafka for this test: {error}", pytrace=False)
