"""A world, and a server over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import Served, served


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def server(world: World) -> Iterator[Served]:
    """Over a world with two indicators, for one client, ``soc``, up to TLP:AMBER."""
    world.gbr.release("c2.example.com")
    world.gbr.release("198.51.100.7", "ipv4-addr")
    world.catch_up()
    with served(world) as found:
        yield found
