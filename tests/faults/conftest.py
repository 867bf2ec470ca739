"""One exchange to hurt, supervised, its bridges behind links to hurt, for all short fault tests."""

from collections.abc import Iterator

import pytest

from exchange import clock
from exchange.errors import ExchangeError
from tests.faults.feeder import Feeder
from tests.faults.kinds import WITHIN_S, World
from tests.faults.supervisor import Supervisor
from tests.integration.nations import NATIONS, Nations, two_nations


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both nations, running: GBR with two workers that stand by for each other, JPN with a lasting one."""
    try:
        with two_nations(tmp_path_factory.mktemp("faults"), linked=True) as both:
            both.add_worker("GBR", 1)
            both.add_worker("GBR", 2)
            both.add_worker("JPN", lasting=True)
            for nation in NATIONS:
                both.add_bridge(nation)
            both.start()
            supervisor = Supervisor(both)
            supervisor.start()
            yield World(both, supervisor)
            supervisor.stop()
    except ExchangeError as error:
        pytest.fail(f"No Kafka for this test: {error}", pytrace=False)


@pytest.fixture
def nations(world: World) -> Nations:
    """Those of the world."""
    return world.nations


@pytest.fixture
def feeder(nations: Nations, request: pytest.FixtureRequest) -> Iterator[Feeder]:
    """Steady traffic of GBR, already flowing to JPN."""
    feeder = Feeder(nations, ["GBR"], seed=sum(map(ord, request.node.name)))
    feeder.start()
    feeder.goes_on("GBR", clock.now_ms(), WITHIN_S)
    yield feeder
    feeder.stop()
