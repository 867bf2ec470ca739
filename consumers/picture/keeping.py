"""Keeps the picture current for as long as a process lives, whenever no other process does."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from consumers.picture.answer_feed import Answers
from consumers.picture.keep import Keeper, Origin, take
from exchange.errors import TransientError
from schemas.codec import Codec

_log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
_TICK_S: Final = 0.5
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 30.0


class Keeping:
    """A thread that takes the picture when it is free, and follows its topics. ``trouble`` is why it does not; empty if
    it does, or if another process does. ``on_error`` receives errors that a retry cannot fix."""

    def __init__(
        self,
        path: Path,
        nation: str,
        origins: Mapping[str, Origin],
        codec: Codec,
        clock_ms: Callable[[], int],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._path, self._nation, self._origins, self._codec = path, nation, origins, codec
        self._clock_ms, self._on_error = clock_ms, on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture", daemon=True)
        self.trouble = ""
        self.made_anew = 0

    def start(self) -> "Keeping":
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, and give the picture back."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                keeper = take(self._path, self._nation, self._clock_ms)
                if keeper is None:
                    self.trouble = ""
                    self._stopping.wait(_LOOK_S)
                    continue
                with keeper:
                    self.made_anew += bool(keeper.made_anew)
                    self._keep(keeper)
            except (TransientError, sqlite3.Error) as error:
                # A damaged file is found again when it is taken, and made anew; a disk may have room later.
                self._say(error)
                self._stopping.wait(_LOOK_S)
            except Exception as error:  # the thread's outermost frame
                self._on_error(error)
                return

    def _keep(self, keeper: Keeper) -> None:
        """Follow every topic until the process stops. While the cluster does not answer, what is due is still done."""
        retry_s = _FIRST_RETRY_S
        while not self._stopping.is_set():
            try:
                self._follow(keeper)
            except TransientError as error:
                self._say(error)
                give_up_s = time.monotonic() + retry_s
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
                while time.monotonic() < give_up_s and not self._stopping.wait(_TICK_S):
                    keeper.tick()

    def _follow(self, keeper: Keeper) -> None:
        """Follow every topic until one fails or the process stops; raises what failed first."""
        ending, failed = threading.Event(), list[Exception]()

        def ends() -> bool:
            return ending.is_set() or self._stopping.is_set()

        def follow(feed: Callable[..., None], *topic: Origin | Answers) -> None:
            try:
                feed(*topic, self._codec, follow=True, stopping=ends)
            except Exception as error:  # the thread's outermost frame: it is raised in the keeping thread
                failed.append(error)
                ending.set()

        threads = [
            threading.Thread(target=follow, args=(keeper.feed, origin), name=f"picture-{origin.name}", daemon=True)
            for origin in self._origins.values()
        ]
        threads += [
            threading.Thread(target=follow, args=(keeper.feed_answers, origin, each), name="answers", daemon=True)
            for origin in self._origins.values()
            for each in origin.answers
        ]
        for thread in threads:
            thread.start()
        self.trouble = ""
        try:
            while not ends():
                keeper.tick()
                ending.wait(_TICK_S)
        finally:
            ending.set()
            for thread in threads:
                thread.join()
        if failed:
            raise failed[0]

    def _say(self, error: Exception) -> None:
        _log.warning("picture.stopped nation=%s: %s", self._nation, error)
        self.trouble = str(error)
