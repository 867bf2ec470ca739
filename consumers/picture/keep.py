"""Keeps a nation's picture current: the one process that has its lock does; all others read what it writes."""

import fcntl
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from consumers.picture import tables
from consumers.picture.answer_feed import AnswerFeed, Answers
from consumers.picture.erase import Erasing, is_due
from consumers.picture.feed import OriginFeed, Progress
from consumers.picture.write import PictureWriter
from consumers.subscription.subscription import Source
from exchange.errors import ConfigurationError, TransientError
from schemas.codec import Codec

_log = logging.getLogger(__name__)
_TICK_S: Final = 0.25
_SETTLES_S: Final = 5.0
_REST: Final = 3  # erasing goes on for at most a quarter of the time
_READERS_S: Final = 1.0


class Origin:
    """A topic of the picture: whose it is, its name, how it is opened, and the topics of the answers on it."""

    def __init__(
        self,
        name: str,
        topic: str,
        opened: Callable[[], AbstractContextManager[Source]],
        answers: Sequence[Answers] = (),
    ) -> None:
        self.name, self.topic, self.opened, self.answers = name, topic, opened, answers


class Keeper:
    """The writer of a nation's picture. Made by ``take``; ``close`` gives it back.

    ``made_anew`` is why the file had to be made anew; empty if it was good, or if there was none.
    """

    def __init__(self, lock: int, path: Path, nation: str, clock_ms: Callable[[], int], *, deep: bool) -> None:
        self._lock_file, self._path, self._nation, self._clock_ms = lock, path, nation, clock_ms
        self._guard = threading.RLock()
        self._erased_s = self._erase_took_s = 0.0
        self._due_since_s: float | None = None
        self._erasing: Erasing | None = None
        self._database, self.made_anew = _usable(path, nation, clock_ms(), deep=deep)
        self._writer = PictureWriter(self._database, lambda: time.time_ns() // 1000)

    def close(self) -> None:
        """Give the picture back."""
        self._database.close()
        os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def catch_up(self, origins: Mapping[str, Origin], codec: Codec, progress: Progress = lambda *_: None) -> None:
        """Bring in the present content of the topics, one after the other, and end what is due.

        Raises NotFound, BrokerUnavailable.
        """
        for origin in origins.values():
            self.feed(origin, codec, follow=False, progress=progress)
            for answers in origin.answers:
                self.feed_answers(origin, answers, codec, follow=False)
        self.tick(may_wait=False)

    def feed(
        self,
        origin: Origin,
        codec: Codec,
        *,
        follow: bool,
        stopping: Callable[[], bool] = lambda: False,
        progress: Progress = lambda *_: None,
    ) -> None:
        """Bring in one topic, to its end or until ``stopping``. Several threads may, each for its own."""
        with origin.opened() as source:
            OriginFeed(
                self._writer,
                self._guard,
                source,
                codec,
                nation=self._nation,
                origin=origin.name,
                topic=origin.topic,
                clock_ms=self._clock_ms,
                progress=progress,
            ).run(follow=follow, stopping=stopping)

    def feed_answers(
        self,
        origin: Origin,
        answers: Answers,
        codec: Codec,
        *,
        follow: bool,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """The same of one topic with the answers on an origin's indicators."""
        with self._guard:
            number = self._writer.origin(origin.name, origin.topic)
        with answers.opened() as source:
            AnswerFeed(
                self._writer,
                self._guard,
                source,
                codec,
                origin=number,
                nation=answers.nation,
                clock_ms=self._clock_ms,
            ).run(follow=follow, stopping=stopping)

    def tick(self, *, may_wait: bool = True) -> None:
        """End what is due, forget what outputs have removed, and erase what may not be kept.

        With ``may_wait`` records come in between, the erasing waits for outputs for a moment, goes on in the next
        ``tick``, and rests between two passes: one costs as much as the picture is large.
        """
        with self._guard:
            if tables.mark_of(self._path).exists():
                raise tables.Damaged(f"a reader has found {self._path} damaged")
            until_s, is_left = time.monotonic() + _TICK_S, True
            while is_left and (not may_wait or time.monotonic() < until_s):  # records come in between
                with self._writer.transaction():
                    is_left = self._writer.end_due(self._clock_ms()) > 0
            with self._writer.transaction():
                self._writer.settle()
                self._writer.forget_removed()
            if self._erasing is None and self._may_erase(may_wait=may_wait):
                self._erasing, self._erase_took_s = Erasing(self._database, self._path), 0.0
        if self._erasing is not None:
            self._erase(self._erasing, time.monotonic() + (_TICK_S if may_wait else _READERS_S), may_wait=may_wait)

    def _may_erase(self, *, may_wait: bool) -> bool:
        if not is_due(self._database):
            self._due_since_s = None
            return False
        now_s = time.monotonic()
        self._due_since_s = now_s if self._due_since_s is None else self._due_since_s
        return not (
            may_wait and (self._outputs_may_settle(now_s) or now_s - self._erased_s < _REST * self._erase_took_s)
        )

    def _erase(self, erasing: Erasing, until_s: float, *, may_wait: bool) -> None:
        """Some steps, or all that a reader does not stop for long."""
        while not erasing.is_done and (time.monotonic() < until_s or not may_wait):
            began_s = time.monotonic()
            with self._guard:
                is_free = erasing.step()
            took_s = time.monotonic() - began_s
            self._erase_took_s += took_s
            if may_wait:
                time.sleep(took_s)  # so that the threads that wait for the guard get it
            elif is_free:
                until_s = time.monotonic() + _READERS_S
            elif time.monotonic() >= until_s:
                break
        if erasing.is_done or not may_wait:
            self._erasing, self._due_since_s, self._erased_s = None, None, time.monotonic()

    def _outputs_may_settle(self, now_s: float) -> bool:
        (waits,) = self._database.execute("SELECT EXISTS (SELECT 1 FROM leaving)").fetchone()
        return bool(waits) and self._due_since_s is not None and now_s - self._due_since_s < _SETTLES_S


def take(path: Path, nation: str, clock_ms: Callable[[], int], *, deep: bool = True) -> Keeper | None:
    """Take the picture to write it; None if another process has it.

    The file is made if there is none, and made anew if it is damaged, of another layout or another nation. ``deep``
    reads all of it to find damage. Raises ConfigurationError if the folder cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"the picture {path} cannot be kept: {error.strerror or error}: check the rights of its folder"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    try:
        return Keeper(lock, path, nation, clock_ms, deep=deep)
    except BaseException:
        os.close(lock)
        raise


def _usable(path: Path, nation: str, now_ms: int, *, deep: bool) -> tuple[sqlite3.Connection, str]:
    """The file, and why it was made anew if it was."""
    is_new = not path.exists() or not path.stat().st_size
    if is_new:
        _delete(path)
    try:
        if tables.mark_of(path).exists():
            raise tables.Unusable(f"{path} is damaged: a reader has found it so")
        return _checked(path, nation, now_ms, deep=deep, is_new=is_new), ""
    except tables.Unusable as error:
        _log.warning("picture.made_anew nation=%s: %s", nation, error)
        _delete(path)
        return _checked(path, nation, now_ms, deep=False, is_new=True), str(error)


def _delete(path: Path) -> None:
    for file in (*tables.files_of(path), tables.mark_of(path)):
        file.unlink(missing_ok=True)


def _checked(path: Path, nation: str, now_ms: int, *, deep: bool, is_new: bool) -> sqlite3.Connection:
    if is_new:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        database = tables.connect(path, writes=True)
    except sqlite3.Error as error:
        raise _meaning(error, path) from error
    try:
        if database.execute("PRAGMA user_version").fetchone()[0] == 0 and is_new:
            tables.create(database, nation, uuid.uuid4().hex, now_ms)
        tables.check(database, path, nation)
        if tables.begin_again_with_new_types(database, now_ms):
            _log.warning("picture.read_anew nation=%s: this version knows more types than the one before", nation)
        if deep and (found := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise tables.Unusable(f"{path} is damaged: {found}")
    except sqlite3.Error as error:
        database.close()
        raise _meaning(error, path) from error
    except tables.Unusable:
        database.close()
        raise
    return database


def _meaning(error: sqlite3.Error, path: Path) -> Exception:
    if tables.is_damage(error):
        return tables.Unusable(f"{path} is damaged: {error}")
    return TransientError(f"the picture {path} cannot be opened: {error}: is the disk full, or its folder read-only?")
