"""Notices when an input rests, so that readings of a live pipe are not held back until more of them come."""

import queue
import threading
from collections.abc import Iterator

from producers.readers.reading import Reading

_LIMIT = 2000


def paced(readings: Iterator[Reading], rest_s: float) -> Iterator[Reading | None]:
    """The same readings, taken by a thread, and ``None`` whenever no reading came for ``rest_s`` seconds.

    At most a few thousand readings wait between the two. An exception of the reader is raised here.
    """
    taken: queue.Queue[Reading | BaseException | None] = queue.Queue(_LIMIT)

    def take() -> None:
        try:
            for reading in readings:
                taken.put(reading)
        except Exception as error:  # raised again in the thread that asked
            taken.put(error)
        else:
            taken.put(None)

    threading.Thread(target=take, name="reader", daemon=True).start()
    while True:
        try:
            reading = taken.get(timeout=rest_s)
        except queue.Empty:
            yield None
            continue
        if reading is None:
            return
        if isinstance(reading, BaseException):
            raise reading
        yield reading
