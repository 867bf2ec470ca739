"""Live inputs that are followed: the next document of each is made in a thread of its own, while others are read.

A server that does not answer, or refuses, costs the others nothing. It is asked again later and later, up to an hour;
what it asks for itself (``Retry-After``) counts if that is longer. A listener whose port is taken tries again every
two seconds: its senders wait, or lose what they have.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from threading import Event, Thread
from typing import Final, NamedTuple

from exchange.errors import ExchangeError
from producers.fetch import AskedLater
from producers.live.documents import Document, Gap, LiveInput
from producers.live.kinds import Kind, reads
from producers.produce import Options, Run, Unreviewed, View
from producers.spool.batch import Kept

_LEAST_S: Final = 1.0
_MOST_DOUBLED: Final = 6
_JOIN_S: Final = 10.0


class Live(NamedTuple):
    """A live input that is to be followed, and how its documents are read."""

    kind: Kind
    place: LiveInput
    options: Options
    every_s: float | None = None
    """Time from one poll to the next; that of its kind if it is not stated."""


class Feed:
    """One live input. Its thread makes documents; its owner reads them, one at a time."""

    def __init__(self, live: Live, run: Run) -> None:
        """``run`` reads the documents."""
        self._options = live.options
        self._kind, self._place, self._run, self._every_s = live.kind, live.place, run, live.every_s
        self._found: Document | Kept | Gap | None = None
        self._version: tuple[int, ...] = ()  # of the document that was read last
        self._trouble = ""
        self._error: BaseException | None = None
        self._taken, self._closing = Event(), Event()
        self._thread = Thread(target=self._go, name=f"poll of {live.place.address}", daemon=True)
        self._thread.start()

    def turn(self, view: View) -> bool:
        """Read the document that is there; whether there was one. Raises any error that was not the input's."""
        self.report(view)
        if self._error is not None:
            raise self._error
        found = self._found
        if found is None:
            return False
        if isinstance(found, Kept):
            self._run.summary.keep(found)
            self._show(found, view)
        elif isinstance(found, Gap):
            self._run.summary.gaps.append(found.text)
            view.gap(found.text)
        else:
            self._read(found, view)
        self._found = None
        self._taken.set()
        return True

    def _read(self, document: Document, view: View) -> None:
        try:
            kept = self._run.read_document(str(document.path), reads(self._options, document))
        except Unreviewed as report:
            if not document.version:
                raise
            view.failed(f"{self._place.address}: {report}")  # the content may be another one at the next poll
        else:
            if kept is not None:
                self._show(kept, view)

    def _show(self, kept: Kept, view: View) -> None:
        view.failed(f"{self._place.address}: {kept.gone} of {kept.before} are missing: none is withdrawn")

    def report(self, view: View) -> None:
        """Show what has failed since the last time."""
        if self._trouble:
            trouble, self._trouble = self._trouble, ""
            view.failed(f"{self._place.address}: {trouble}")

    def end(self) -> None:
        """Ask the thread to end."""
        self._closing.set()
        self._taken.set()

    def join(self, until: float) -> None:
        """Wait for its end until then, by the monotonic clock. One that waits for a server ends with the process."""
        self._thread.join(max(0.0, until - time.monotonic()))

    def _go(self) -> None:
        failures = 0
        while not self._closing.is_set():
            wait_s = self._kind.every_s if self._every_s is None else self._every_s
            try:
                self._poll()
                failures = 0
            except (ExchangeError, OSError) as error:
                asked_s = error.after_s if isinstance(error, AskedLater) else 0
                wait_s = max(asked_s, min(self._kind.most_s, max(wait_s, _LEAST_S) * 2 ** min(failures, _MOST_DOUBLED)))
                self._trouble, failures = f"{error}", failures + 1
            except BaseException as error:  # it is raised again in the owner's thread
                self._error = error
                return
            self._closing.wait(wait_s)

    def _poll(self) -> None:
        with closing(self._kind.documents(self._place)) as documents:  # what it keeps at its end may fail, too
            for found in documents:
                version = found.version if isinstance(found, Document) else ()
                if version and version == self._version:
                    continue
                self._taken.clear()
                self._found = found
                if not self._closing.is_set():  # it is set before ``_taken``, which this may just have cleared
                    self._taken.wait()
                if self._closing.is_set():
                    return
                self._version = version


class Feeds:
    """All live inputs of a run."""

    def __init__(self, feeds: Sequence[Feed], view: View) -> None:
        self._feeds, self._view = feeds, view

    def turn(self) -> bool:
        """Read the documents that are there now; whether there were any."""
        return max([feed.turn(self._view) for feed in self._feeds], default=False)

    def close(self) -> None:
        """End all threads."""
        for feed in self._feeds:
            feed.end()
        until = time.monotonic() + _JOIN_S
        for feed in self._feeds:
            feed.join(until)
            feed.report(self._view)
