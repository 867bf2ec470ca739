"""The thread that makes the documents of a live input: it can be ended at any moment."""

from collections.abc import Generator
from pathlib import Path
from threading import Event

from producers.live.documents import Gap, LiveInput
from producers.live.feed import Feed, Feeds, Live
from producers.live.kinds import Kind
from producers.produce import Options, Run
from producers.spool.spool import Spool
from producers.stop import Stop
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched


def test_a_feed_that_is_closed_while_it_makes_a_document_ends_and_its_input_is_closed(
    sensor_spool: Spool, tmp_path: Path
) -> None:
    is_there, is_closed = Event(), Event()

    def documents(_: LiveInput) -> Generator[Gap, None, None]:
        try:
            is_there.wait(20)
            feed._taken.wait(20)  # until the feed is being closed
            yield Gap("made meanwhile")
        finally:
            is_closed.set()

    options = Options(SENSOR, ())
    publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    run = Run(options, sensor_spool, publisher, Unwatched(), CODEC, lambda: NOW_MS, Stop())
    feed = Feed(Live(Kind("a made-up input", (), documents), LiveInput("made-up:", tmp_path), options), run)
    is_there.set()
    Feeds([feed], Unwatched()).close()
    assert is_closed.is_set()
