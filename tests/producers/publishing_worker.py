"""Follows places and publishes, in a process that may be killed: ``bootstrap sensor folder quiet_s place…``."""

import sys

from exchange.kafka.clients import Cluster
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from tests.producers.following_worker import followed


def main(bootstrap: str, name: str, *given: str) -> None:
    """Follow until SIGTERM."""
    sensor = Sensor("GBR", name)
    followed(sensor, lambda spool: Publisher(Cluster(sensor.nation, bootstrap), spool, name), *given)


if __name__ == "__main__":
    main(*sys.argv[1:])
