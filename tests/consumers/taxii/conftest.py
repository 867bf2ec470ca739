"""A world, and a server over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import Served, client, served


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Over a world with two indicators that no test changes, for one client, ``soc``, up to TLP:AMBER."""
    world = World(tmp_path_factory.mktemp("world"))
    world.gbr.release("c2.example.com")
    world.gbr.release("198.51.100.7", "ipv4-addr")
    world.catch_up()
    with served(world, client("soc", requests_a_minute=1_000_000)) as found:
        yield found
