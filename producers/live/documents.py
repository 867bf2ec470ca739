"""The documents of a live input: each is durable, with the position behind it, before it is read (docs/adr/0057).

The state file names the document and the position behind it, and is renamed into place. A run that was killed reads the
same document on; how much of it was read is in the spool, committed with the reports.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from exchange.errors import ConfigurationError
from producers.disk import write, writing
from producers.markings.marked import NOTHING, Marked
from producers.stop import Stop

_STATE: Final = "state.json"
_ASIDE: Final = ".aside"


class LiveInput(NamedTuple):
    """A live input. ``authorities`` is a file with the certificates to be trusted, ``folder`` keeps its documents.
    ``reviewed`` is the list of values of reports in prose that a person agrees to.

    ``is_rehearsal`` is a dry run: nothing outside of ``folder`` is changed. ``is_followed`` goes on until ``stop``.
    ``agreed`` lets most of a source end.
    """

    address: str
    folder: Path
    credentials: Path | None = None
    authorities: Path | None = None
    reviewed: Path | None = None
    is_rehearsal: bool = False
    is_followed: bool = False
    agreed: bool = False
    stop: Stop = Stop()

    @property
    def is_stopping(self) -> bool:
        """Whether an end was asked for."""
        return self.stop.requested


class Document(NamedTuple):
    """A file to be read, and what its transport states about the sharing of all of it.

    ``reviewed`` are the values of a report in prose that a person agrees to, if they are known for it alone.
    ``version`` is of a document that each poll finds again: one that was read is not read again.
    """

    path: Path
    around: Marked = NOTHING
    reviewed: frozenset[str] | None = None
    version: tuple[int, ...] = ()


class Gap(NamedTuple):
    """Content of the input that is not available any more."""

    text: str


class Position(msgspec.Struct):
    """The state behind a document. Each kind of input adds its own fields; ``stated`` is of the document."""

    document: str = ""
    number: int = 0
    stated: Marked = NOTHING


State = TypeVar("State", bound=Position)


class Documents(Generic[State]):
    """The documents of one input, one at a time."""

    def __init__(self, folder: Path, address: str, empty: State) -> None:
        """Raises ConfigurationError if the state is damaged, and TransientError, as all here, if the disk fails."""
        self.place = folder / sha256(address.encode()).hexdigest()[:16]
        with writing(self.place):
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.state = self._kept(empty)

    def unread(self) -> Iterator[Document]:
        """The document of an earlier run, which may not have been read whole; none at the very first."""
        if self.state.document:
            yield Document(self.place / self.state.document, self.state.stated)

    def put(self, content: Iterable[bytes], behind: State, suffix: str = ".json", aside: bytes = b"") -> Document:
        """Make the next document durable with the position behind it, and what is set ``aside`` for the one after it.

        The one before was read.
        """
        before = self.state
        number = before.number + 1
        path = self.place / f"{number}{suffix}"
        write(path, content)
        if aside:
            write(self.place / f"{number}{_ASIDE}", [aside])
        self.state = msgspec.structs.replace(behind, document=path.name, number=number)
        write(self.place / _STATE, [msgspec.json.encode(self.state)])
        with writing(self.place):
            for old in (before.document, f"{before.number}{_ASIDE}"):
                if old:
                    (self.place / old).unlink(missing_ok=True)
        return Document(path, self.state.stated)

    def set_aside(self, content: bytes) -> None:
        """Make content of the next document durable, while the present one is not read yet."""
        write(self.place / f"{self.state.number}{_ASIDE}", [content])

    def aside(self) -> bytes:
        """The content that an earlier run has set aside for the next document."""
        path = self.place / f"{self.state.number}{_ASIDE}"
        with writing(path):
            return path.read_bytes() if path.exists() else b""

    def _kept(self, empty: State) -> State:
        try:
            state = msgspec.json.decode((self.place / _STATE).read_bytes(), type=type(empty))
        except FileNotFoundError:
            state = empty
        except msgspec.DecodeError as error:
            raise ConfigurationError(
                f"{self.place / _STATE} is damaged: {error}. Remove it, and all of the input is read again"
            ) from error
        for each in self.place.iterdir():
            if each.name not in (_STATE, state.document, f"{state.number}{_ASIDE}"):
                each.unlink()  # it was written, and never was part of the state
        return state
