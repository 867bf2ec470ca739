"""A feed by HTTP that is followed: it is fetched every quarter of an hour, and read once it has changed.

Its content is kept as that of a feed that is fetched once (``producers.fetch``), so the two know of each other what
was read. A run that was killed before it had read all finds the kept content again, whatever the server answers.
"""

from collections.abc import Generator

from producers.disk import writing
from producers.fetch import fetched
from producers.live.documents import Document, LiveInput


def polled(place: LiveInput) -> Generator[Document, None, None]:
    """The feed's present content: the same version until it changes. Raises the same as ``fetched``."""
    content = fetched(place.address, place.folder)
    with writing(content):
        found = content.stat()
    yield Document(content, version=(found.st_ino, found.st_mtime_ns, found.st_size))
