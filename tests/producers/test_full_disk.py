"""A full disk while an input is fetched: a message with what to do, what was kept stays, and nothing is passed over."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from exchange.errors import TransientError
from producers.fetch import fetched
from producers.live.documents import Document, LiveInput
from producers.live.feed import Feed, Feeds, Live
from producers.live.kinds import kind_of
from producers.produce import Options, Run
from producers.spool.spool import Spool
from producers.stop import Stop
from tests.builders import NOW_MS
from tests.consumers.outputs.full_disk import files_of_at_most
from tests.polling import eventually
from tests.producers import misp_server, taxii_collection
from tests.producers.http_server import Answering, running
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, a_secret

FULL = "Free space on its disk and run the same command again"


@pytest.fixture(params=["taxii", "misp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveInput]:
    """A server with two objects."""
    if request.param == "taxii":
        with taxii_collection.serving() as collection:
            collection.add(1, *(taxii_collection.an_indicator(number) for number in range(2)))
            yield LiveInput(collection.address, tmp_path / "fetched")
    else:
        with misp_server.serving() as server:
            server.event(1, "c0.example.com", "c1.example.com")
            yield LiveInput(server.address, tmp_path / "fetched", a_secret(tmp_path / "secret", server.key))


def test_a_live_input_states_what_to_do_and_is_read_whole_once_there_is_room(place: LiveInput) -> None:
    kind = kind_of(place.address)
    assert kind is not None
    with files_of_at_most(64), pytest.raises(TransientError, match=FULL):
        list(kind.documents(place))
    [found] = kind.documents(place)
    assert isinstance(found, Document)
    content = found.path.read_text()
    assert "c0.example.com" in content
    assert "c1.example.com" in content


def test_a_feed_keeps_what_it_has_and_is_fetched_once_there_is_room(tmp_path: Path) -> None:
    contents = [b"a.example.com\n", b"b.example.com\n" * 1000]

    class Handler(Answering):
        def do_GET(self) -> None:
            self.answer(200, {"ETag": f'"{len(contents)}"'}, contents[0])

    with running(Handler) as port:
        url = f"http://127.0.0.1:{port}/list.txt"
        kept = fetched(url, tmp_path)
        contents.pop(0)
        with files_of_at_most(64), pytest.raises(TransientError, match=FULL):
            fetched(url, tmp_path)
        assert kept.read_text() == "a.example.com\n"
        assert fetched(url, tmp_path).read_bytes() == contents[0]


def test_a_place_where_we_may_not_write_is_no_full_disk(tmp_path: Path) -> None:
    (tmp_path / "fetched").write_text("a file where a folder should be")
    with pytest.raises(TransientError, match="Check its disk"):
        fetched("http://127.0.0.1:1/list.txt", tmp_path / "fetched")


def test_what_a_live_input_cannot_keep_at_its_end_is_reported(sensor_spool: Spool, tmp_path: Path) -> None:
    shown = list[str]()

    class Watching(Unwatched):
        def failed(self, *texts: object) -> None:
            shown.extend(map(str, texts))

    kind = kind_of("taxii+http://192.0.2.1/")
    assert kind is not None

    def documents(_: LiveInput) -> Generator[Document, None, None]:
        try:
            yield Document(tmp_path / "a document")
        finally:
            raise TransientError("what waits cannot be set aside")

    options, view = Options(SENSOR, ()), Watching()
    publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    run = Run(options, sensor_spool, publisher, view, CODEC, lambda: NOW_MS, Stop())
    feed = Feed(Live(kind._replace(documents=documents), LiveInput("made-up:", tmp_path), options), run)
    eventually(lambda: feed._found is not None, 20, "there is a document")
    Feeds([feed], view).close()
    assert shown == ["made-up:: what waits cannot be set aside"]
