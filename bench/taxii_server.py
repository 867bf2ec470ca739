"""``python -m bench.taxii_server PICTURE NATION ORIGIN CLIENTS PORT``: our TAXII server, over a picture at rest."""

import signal
import sys
import threading
import time
from pathlib import Path

from consumers.taxii.clients import Clients
from consumers.taxii.collections import collections_of
from consumers.taxii.door import Door
from consumers.taxii.endpoints import Endpoints
from consumers.taxii.limits import Limits
from consumers.taxii.listening import ListenAddress, Listening
from consumers.taxii.readers import Readers
from exchange.clock import now_ms
from exchange.role import end_at_once


def main(picture: str, nation: str, origin: str, clients: str, port: str) -> None:
    """Serve until it is asked to stop."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    collections = collections_of(nation, (nation, origin))
    readers = Readers(Path(picture), nation, now_ms)
    inside = Endpoints(nation, collections, readers).application
    door = Door(inside, Clients(Path(clients), collections), Limits(time.monotonic))
    listening = Listening(door, ListenAddress("127.0.0.1", int(port)), end_at_once).start()
    stopping.wait()
    listening.stop()
    readers.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
