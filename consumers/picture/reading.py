"""The file of a picture, opened to read it. Any number of processes read while one writes."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from consumers.picture import tables
from consumers.picture.answers import with_answers
from consumers.picture.entry import Ended, Entry
from consumers.picture.rows import COLUMNS, entry_of, origins_in
from exchange.errors import NotFound

_LOOK_S: Final = 0.05
_Held = TypeVar("_Held", bound=Entry | Ended)


class PictureFile:
    """Reads rows of it. It is to be opened again if the file was made anew."""

    def __init__(self, path: Path, nation: str, clock_ms: Callable[[], int]) -> None:
        """Raises NotFound if there is no usable picture yet: whoever keeps it makes it."""
        self.nation: Final = nation
        self._path, self._clock_ms = path, clock_ms
        self._open()

    def _open(self) -> None:
        if not self._path.exists():
            raise NotFound(f"there is no picture of {self.nation} at {self._path} yet")
        self._inode = self._path.stat().st_ino
        self._database = tables.connect(self._path, writes=False)
        try:
            tables.check(self._database, self._path, self.nation)
            (self.id, self.made_ms) = self._database.execute("SELECT picture, made_ms FROM about").fetchone()
            self._names = origins_in(self._database)
        except (tables.Unusable, sqlite3.Error) as error:
            self._database.close()
            raise NotFound(f"there is no usable picture of {self.nation} yet: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The database, for a query. Raises NotFound if the file turns out to be damaged, and leaves a mark: it is made
        anew."""
        try:
            yield self._database
        except (sqlite3.Error, msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
            if not tables.is_damage(error):
                raise
            tables.mark_of(self._path).touch()
            raise NotFound(f"the picture of {self.nation} is damaged, and is being made anew: {error}") from error

    def is_replaced(self) -> bool:
        """Whether the file was made anew since it was opened: it then has another ``id``. Open it again."""
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def head_us(self) -> int:
        """``added_us`` of the latest change."""
        return int(self._one("SELECT last_us FROM about", []))

    def wait(self, after_us: int, timeout_s: float, stopping: threading.Event | None = None) -> bool:
        """Wait for a change after ``after_us``, at most this long. Returns whether there is one."""
        stopping = stopping or threading.Event()
        give_up = time.monotonic() + timeout_s
        while self.head_us() <= after_us:
            if time.monotonic() >= give_up or stopping.wait(_LOOK_S) or self.is_replaced():
                return False
        return True

    def _rows(self, where: str, values: list[Any], order: str) -> list[Any]:
        with self._reading() as database:
            return database.execute(f"SELECT {COLUMNS} FROM entry WHERE {where} {order}", values).fetchall()  # noqa: S608

    def _entries(self, rows: list[Any]) -> list[Entry | Ended]:
        origins, now_ms = self._origins(), self._clock_ms()
        with self._reading():
            return self._answered([entry_of(row, origins, now_ms) for row in rows])

    def _origins(self) -> dict[int, str]:
        with self._reading() as database:
            return origins_in(database)

    def _one(self, statement: str, values: list[Any]) -> Any:
        with self._reading() as database:
            return database.execute(statement, values).fetchone()[0]

    def _answered(self, entries: list[_Held]) -> list[_Held]:
        """With what was answered on them."""
        with self._reading() as database:
            return with_answers(database, entries, {name: number for number, name in self._origins().items()})
