"""The far partner's address for the bridge leads through the relay, and nothing else does."""

from bench.far import link_listener
from exchange.brokers.local import Ports


def test_only_clients_of_the_far_address_are_told_to_come_by_the_relay() -> None:
    found = link_listener(Ports(1, 2), link=3, relay=4)
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2,LINK://127.0.0.1:3"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1,LINK://127.0.0.1:4"
