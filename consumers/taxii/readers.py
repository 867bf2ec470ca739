"""Threads that read the picture, each with a connection of its own; one is opened again if the file was made anew."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from consumers.picture.picture import Picture
from consumers.taxii.clients import Client
from consumers.taxii.collections import Collection
from consumers.taxii.refusal import unavailable
from consumers.taxii.view import View
from exchange.errors import NotFound

_THREADS: Final = 2  # they share one processor: more would only hold more pages at once
Result = TypeVar("Result")


class Readers:
    """Opens views of a nation's picture, on threads of its own."""

    def __init__(self, path: Path, nation: str, now_ms: Callable[[], int]) -> None:
        self._path, self._nation, self._now_ms = path, nation, now_ms
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="taxii")
        self._pictures: dict[int, Picture] = {}  # by thread, which alone uses its own

    async def ask(self, client: Client, collection: Collection, question: Callable[[View], Result]) -> Result:
        """What ``question`` returns of a client's view of a collection.

        Raises a Refusal, 503, if there is no picture now.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._asked, client, collection, question
        )

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
        for picture in self._pictures.values():
            picture.close()
        self._pictures.clear()

    def _asked(self, client: Client, collection: Collection, question: Callable[[View], Result]) -> Result:
        try:
            return question(View(self._picture(), collection, client, self._now_ms))
        except NotFound as error:
            if picture := self._pictures.pop(threading.get_ident(), None):
                picture.close()
            raise unavailable("the picture is being made: try again soon") from error

    def _picture(self) -> Picture:
        thread = threading.get_ident()
        picture = self._pictures.get(thread)
        if picture is not None and not picture.is_replaced():
            return picture
        if picture is not None:
            del self._pictures[thread]
            picture.close()
        opened = self._pictures[thread] = Picture(self._path, self._nation, _as_stored)
        return opened


def _as_stored() -> int:
    """A time before all ends: states are shown as they are stored (see ``View``)."""
    return 0
