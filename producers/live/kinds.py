"""The kinds of live inputs, by the schemes of their addresses. Adding one is a line here."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from producers.live import misp, taxii
from producers.live.documents import Place
from producers.readers.formats import AUTO
from producers.spool.batch import Kept


class Kind(NamedTuple):
    """How inputs of a kind are read. ``documents`` makes the next document once the one before was read.

    ``format`` is that of its documents, ``auto`` if the operator may state it. ``is_log`` is a source of lines, which
    may be the same in two documents: such a document is known by its name and content, not by its content alone.
    ``states_ends`` is a source whose objects state what ends, so a snapshot adds nothing.
    """

    name: str
    schemes: tuple[str, ...]
    documents: Callable[[Place], Iterator[Path | Kept]]
    format: str = AUTO
    is_log: bool = False
    states_ends: bool = False


_KINDS: Final = (
    Kind("a TAXII collection", taxii.SCHEMES, taxii.polled, "stix-bundle", states_ends=True),
    Kind("a MISP server", misp.SCHEMES, misp.polled, "misp-event", states_ends=True),
)


def kind_of(name: str) -> Kind | None:
    """The kind of the live input with this address; ``None`` if it is a file, a pipe or a feed."""
    lower = name.lower()
    return next((kind for kind in _KINDS if lower.startswith(kind.schemes)), None)
