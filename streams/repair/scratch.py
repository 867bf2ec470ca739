"""Keys and values on disk, sorted by key, for a rebuild that does not fit in memory."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

from rocksdict import Options, Rdict, ReadOptions, WriteBatch

_MANY: Final = 2_000


class Scratch:
    """A store that is deleted when it is closed. A second value of a key replaces the first."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is on a disk that has room; it is created if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(prefix="rebuild-", dir=folder, ignore_cleanup_errors=True)
        options = Options(raw_mode=True)
        options.set_write_buffer_size(32 << 20)
        options.set_max_open_files(256)
        options.set_keep_log_file_num(1)
        self._db = Rdict(self._folder.name, options)

    def put(self, items: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write them in their order; None deletes."""
        batch = WriteBatch(raw_mode=True)
        for key, value in items:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
            if batch.len() >= _MANY:
                self._db.write(batch)
                batch = WriteBatch(raw_mode=True)
        self._db.write(batch)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key, None if there is none."""
        return cast("list[bytes | None]", self._db.get(list(keys))) if keys else []

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All keys that begin with ``prefix``, without it, and their values, sorted."""
        entries = self._db.iter(ReadOptions())
        try:
            entries.seek(prefix)
            while entries.valid() and (key := entries.key()).startswith(prefix):
                yield key[len(prefix) :], entries.value()
                entries.next()
            entries.status()
        finally:
            del entries  # a live iterator pins the database

    def close(self) -> None:
        """Delete the store."""
        self._db.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
