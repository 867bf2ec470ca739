"""Overwrites the unused parts of pages in a picture's file, a portion at a time.

``secure_delete`` overwrites what is deleted where it is. But SQLite copies cells to other pages when it balances its
trees, and leaves the old copies in the space between a page's cell pointers and its cells (SQLite file format, 1.6).
That space has no meaning for SQLite: any content is valid there, and no reader looks at it. So it is overwritten in the
file itself, while no one else can write to the file: within a write transaction, with an empty write-ahead log.
"""

import os
import sqlite3
import struct
from pathlib import Path
from typing import Final

_PORTION: Final = 8 << 20
_HEADERS: Final = {2: 12, 5: 12, 10: 8, 13: 8}  # the length of a page's header by its type; other types have no cells
_HEADER: Final = struct.Struct(">BHHH")  # type, first free block, cells, where their content begins
_FILE_HEADER: Final = 100
_MOST_PAGES: Final = 1 << 25  # up to here no overflow page begins like a page with cells
_opened: Final = dict[tuple[int, int], int]()


class Scrub:
    """One pass through a file. ``is_done`` behind its last page."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database, self._path, self._file = database, path, _descriptor(path)
        self._size = int(database.execute("PRAGMA page_size").fetchone()[0])
        self._next = 0
        self.is_done = False

    def some(self) -> bool:
        """Go through the next portion. False if a reader needs the log: then nothing was done."""
        if not _log_is_emptied(self._database):
            return False
        self._database.execute("BEGIN IMMEDIATE")
        try:
            log = self._path.with_name(self._path.name + "-wal")
            if log.exists() and log.stat().st_size:  # written between the two
                return False
            data = os.pread(self._file, _PORTION, self._next)
            for at in range(0, len(data), self._size):
                self._clean(data[at : at + self._size], self._next + at)
            self._next += len(data)
            self.is_done = len(data) < _PORTION
            if self.is_done:
                os.fdatasync(self._file)
        finally:
            self._database.execute("ROLLBACK")
            self._database.execute("PRAGMA shrink_memory")  # its copies of the pages have the former bytes
        return True

    def _clean(self, page: bytes, place: int) -> None:
        begin = 0 if place else _FILE_HEADER
        kind, _, cells, content = _HEADER.unpack_from(page, begin)
        if kind not in _HEADERS or place // self._size >= _MOST_PAGES:
            return
        first, last = begin + _HEADERS[kind] + 2 * cells, content or 1 << 16
        unused = page[first:last]
        if unused.count(0) != len(unused):
            os.pwrite(self._file, bytes(len(unused)), place + first)


def _log_is_emptied(database: sqlite3.Connection) -> bool:
    """Whether no reader needs the log any more, so that it could be written into the file and cut to nothing."""
    return not database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


def _descriptor(path: Path) -> int:
    """The file, opened once for each process and never closed while it exists: closing it would end the locks that
    SQLite has on it in this process (POSIX, fcntl)."""
    for key, file in list(_opened.items()):
        if not os.fstat(file).st_nlink:
            os.close(_opened.pop(key))
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    if key not in _opened:
        _opened[key] = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    return _opened[key]
