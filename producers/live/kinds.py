"""The kinds of live inputs, by the schemes of their addresses. Adding one is a line here."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from producers.fetch import SCHEMES
from producers.live import http_feed, maildir, misp, syslog, taxii, topic
from producers.live.documents import Document, Gap, LiveInput
from producers.produce import Options
from producers.readers.formats import AUTO
from producers.spool.batch import Kept


class Kind(NamedTuple):
    """How inputs of a kind are read. ``documents`` makes the next document once the one before was read.

    ``format`` is that of its documents, ``auto`` if the operator may state it. ``is_log`` is a source of lines, which
    may be the same in two documents: such a document is known by its name and content, not by its content alone.
    ``every_s`` is how long after a poll the next one begins, ``most_s`` after polls that have failed; ``follows_only``
    has nothing to read unless it goes on.
    """

    name: str
    schemes: tuple[str, ...]
    documents: Callable[[LiveInput], Generator[Document | Kept | Gap, None, None]]
    format: str = AUTO
    is_log: bool = False
    every_s: float = 60.0
    most_s: float = 3600.0
    follows_only: bool = False

    def options_of(self, options: Options) -> Options:
        """How the documents of an input are read, of which the operator has stated ``options``."""
        format_name = options.format if self.format == AUTO else self.format
        return replace(options, files=(), format=format_name, is_document=True, is_log=self.is_log)


def reads(options: Options, document: Document) -> Options:
    """The same for one document."""
    reviewed = options.defaults.reviewed if document.reviewed is None else document.reviewed
    defaults = msgspec.structs.replace(options.defaults, around=document.around, reviewed=reviewed)
    return replace(options, files=(str(document.path),), defaults=defaults)


_KINDS: Final = (
    Kind("a TAXII collection", taxii.SCHEMES, taxii.polled, "stix-bundle"),
    Kind("a MISP server", misp.SCHEMES, misp.polled, "misp-event"),
    Kind("a Kafka topic", topic.SCHEMES, topic.lines, is_log=True, every_s=1.0),
    Kind("a syslog listener", syslog.SCHEMES, syslog.received, is_log=True, every_s=1.0, most_s=2.0, follows_only=True),
    Kind("a Maildir", maildir.SCHEMES, maildir.delivered, "prose-report", every_s=10.0),
)
_FEED: Final = Kind("a feed by HTTP", SCHEMES, http_feed.polled, every_s=900.0)


def kind_of(name: str) -> Kind | None:
    """The kind of the live input with this address; ``None`` if it is a file, a pipe or a feed."""
    return _kind_in(_KINDS, name)


def followed_kind_of(name: str) -> Kind | None:
    """The same for what is followed: a feed, which is else fetched once, is a live input, too."""
    return _kind_in((*_KINDS, _FEED), name)


def _kind_in(kinds: Iterable[Kind], name: str) -> Kind | None:
    lower = name.lower()
    return next((kind for kind in kinds if lower.startswith(kind.schemes)), None)
