"""A shard's rows in RocksDB: the cache of its committed changelog, never more than that.

A row is written with its offset in the changelog in one write batch, so that a crash at any moment leaves a cache
that knows exactly how far it has come. A cache that is damaged or of another changelog is deleted and rebuilt:
nothing is in here that is not in Kafka. A disk that is full or read-only is no damage: it is reported, and nothing is
deleted.
"""

import logging
import shutil
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast

import msgspec
from rocksdict import DbClosedError, Rdict, RdictIter, ReadOptions, WriteBatch, WriteOptions

from exchange.errors import TransientError
from exchange.protocol.record import RowChange
from exchange.protocol.rocks_options import BULK, REFUSALS, USUAL, options, unlogged
from exchange.protocol.rows import Footprint

_log = logging.getLogger(__name__)


_ROW: Final = b"r"
_DUE: Final = b"t"
_PLACE: Final = b"place"
_TIME: Final = struct.Struct(">q")
_NEVER: Final = (1 << 63) - 1
_SPARES: Final = 4


def _time_of(entry: bytes) -> int:
    """The time of an entry of the index of times; behind the last one there is none."""
    return int(_TIME.unpack_from(entry, len(_DUE))[0]) if entry.startswith(_DUE) else _NEVER


class CacheHead(msgspec.Struct, frozen=True):
    """Which changelog this cache is of, and how far."""

    changelog_id: str
    state_format: int
    next_offset: int = 0
    batch: int = 0


class StateInUse(TransientError):
    """Another process has this folder open."""


class StateRefused(TransientError):
    """The disk does not take or give the state: it is full, read-only, or not ours."""


class StateDamaged(TransientError):
    """The state on disk was damaged and has been removed: it is rebuilt from its changelog when taken again."""


def open_state(folder: Path, changelog_id: str, state_format: int) -> "RocksState":
    """The state in ``folder``, or in a folder beside it if another process holds the first.

    A paused predecessor on the same machine keeps its lock, and so does the owner of a shard that we keep a copy of:
    neither can be waited for. Of the folders that are free, the one that has come furthest is taken; the others stay.
    """
    places = [folder, *(folder.with_name(f"{folder.name}.{spare}") for spare in range(1, _SPARES))]
    furthest: RocksState | None = None
    for place in filter(Path.exists, places):
        found = _if_free(place, changelog_id, state_format)
        if found is None:
            continue
        if furthest is None or found.start() > furthest.start():
            furthest, found = found, furthest
        if found is not None:
            found.close()
    if furthest is not None:
        return furthest
    for place in places:
        found = _if_free(place, changelog_id, state_format)
        if found is not None:
            return found
    raise StateInUse(f"{folder} and {_SPARES - 1} folders beside it are in use: stop the workers that are left over")


def _if_free(folder: Path, changelog_id: str, state_format: int) -> "RocksState | None":
    try:
        return RocksState(folder, changelog_id, state_format)
    except StateInUse:
        return None


class RocksState:
    """A ``State`` in a folder of its own.

    Every call raises StateRefused if the disk refuses, StateDamaged if the folder could not be read, and was
    removed. Opening raises StateInUse, and rebuilds a damaged folder.
    """

    def __init__(self, folder: Path, changelog_id: str, state_format: int, *, cache_mib: int = 16) -> None:
        self._folder = folder
        self._cache_mib = cache_mib
        self._place = CacheHead(changelog_id, state_format)
        self._writing = WriteOptions()
        self.due_from_ms = 0
        self._db = self._open()
        found = self._read_place()
        if found is None or (found.changelog_id, found.state_format) != (changelog_id, state_format):
            if found is not None:
                _log.warning("state.rebuild folder=%s reason=another-changelog", folder)
            self._wipe()
        else:
            self._place = found

    def _open(self) -> Rdict:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateRefused(f"{self._folder} cannot be made: {error}") from error
        try:
            return Rdict(str(self._folder), options(self._cache_mib))
        except Exception as error:  # rocksdict raises a bare Exception for damage and for a held lock alike
            if f"{self._folder / 'LOCK'}: " in str(error):
                raise StateInUse(
                    f"{self._folder} is in use by another process: give each worker its own folder"
                ) from error
            self._raise_refusal(error)
            _log.warning("state.rebuild folder=%s reason=damaged detail=%s", self._folder, error)
            shutil.rmtree(self._folder)
            self._folder.mkdir(parents=True)
            return Rdict(str(self._folder), options(self._cache_mib))

    def _raise_refusal(self, error: Exception) -> None:
        if any(refusal in str(error) for refusal in REFUSALS):
            raise StateRefused(
                f"{self._folder}: {error}: make room, or correct its permissions, and start again"
            ) from error

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Translate rocksdict's bare exceptions. A process that met damage would meet it again: remove it."""
        try:
            yield
        except Exception as error:
            self._raise_refusal(error)
            if "Corruption" not in str(error):
                raise
            self.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise StateDamaged(f"{self._folder} was damaged and has been removed: {error}") from error

    def _read_place(self) -> CacheHead | None:
        try:
            found = self._db.get(_PLACE)
            return None if found is None else msgspec.msgpack.decode(found, type=CacheHead)
        except Exception as error:  # damage shows when a block is read, again as a bare Exception
            _log.warning("state.rebuild folder=%s reason=damaged detail=%s", self._folder, error)
            return CacheHead("", -1)

    def _wipe(self) -> None:
        self._db.close()
        shutil.rmtree(self._folder)
        self._db = self._open()
        self.due_from_ms = 0

    def clear(self) -> None:
        """Forget everything."""
        _log.warning("state.rebuild folder=%s reason=too-old", self._folder)
        self._wipe()
        self._place = CacheHead(self._place.changelog_id, self._place.state_format)

    def start(self) -> tuple[int, int]:
        """The changelog's next offset and the last batch that this cache holds."""
        return self._place.next_offset, self._place.batch

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key; None if there is none."""
        if not keys:
            return []
        with self._judged():
            found = cast("list[bytes | None]", self._db.get([_ROW + key for key in keys]))
        return [None if value is None else value[_TIME.size :] for value in found]

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows behind ``after`` by key, at most ``limit``: fewer only at the end."""
        found: list[tuple[bytes, bytes]] = []
        with self._judged():
            entries = self._db.iter(ReadOptions())
            try:
                entries.seek(_ROW + after)
                while entries.valid() and len(found) < limit and (key := entries.key()).startswith(_ROW):
                    if key != _ROW + after:
                        found.append((key[len(_ROW) :], entries.value()[_TIME.size :]))
                    entries.next()
                entries.status()  # an iterator that meets damage just ends
            finally:
                del entries  # a live iterator pins the database's lock
        return found

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Write without RocksDB's own log, and merge files rarely. Rows only in memory are written at the end, before
        any write that is logged: behind a log that knows the later ones alone, the earlier ones would be lost."""
        self._writing = unlogged()
        self._db.set_options(BULK)
        try:
            yield
        finally:
            self._writing = WriteOptions()
            with self._judged(), suppress(DbClosedError):
                self._db.flush()
                self._db.set_options(USUAL)

    def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
        """Take over a committed batch, atomically with its offset in the changelog."""
        place = CacheHead(self._place.changelog_id, self._place.state_format, next_offset, batch)
        write = WriteBatch(raw_mode=True)
        put, pack = write.put, _TIME.pack
        for row in rows:
            if row.value is None:
                write.delete(_ROW + row.key)
            else:
                due = pack(row.due_ms)
                put(_ROW + row.key, due + row.value)
                if row.due_ms:
                    put(_DUE + due + row.key, b"")
                    self.due_from_ms = min(self.due_from_ms, row.due_ms)
        put(_PLACE, msgspec.msgpack.encode(place))
        with self._judged():
            self._db.write(write, self._writing)
        self._place = place

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """Keys of rows whose due time has come, the longest due first, at most ``limit``.

        ``apply`` only adds to the index of times; an entry whose row has another due time by now is dropped here. Where
        the index begins is remembered: most of the time nothing is due, and nothing is read.
        """
        if now_ms < self.due_from_ms:
            return []
        with self._judged():
            return self._due(now_ms, limit)

    def _due(self, now_ms: int, limit: int) -> list[bytes]:
        keys: list[bytes] = []
        stale = WriteBatch(raw_mode=True)
        entries = self._db.iter(ReadOptions())
        try:
            self._scan(entries, now_ms, limit, keys, stale)
            entries.status()  # an iterator that meets damage just ends
            if not keys:
                self.due_from_ms = _time_of(entries.key()) if entries.valid() else _NEVER
        finally:
            del entries  # a live iterator pins the database's lock
        if not stale.is_empty():
            self._db.write(stale)
        return keys

    def _scan(self, entries: RdictIter, now_ms: int, limit: int, keys: list[bytes], stale: WriteBatch) -> None:
        entries.seek(_DUE)
        bound = _DUE + _TIME.pack(now_ms + 1)
        while entries.valid() and len(keys) < limit:
            entry = entries.key()
            if not entry.startswith(_DUE) or entry >= bound:
                break
            key = entry[len(_DUE) + _TIME.size :]
            row = self._db.get(_ROW + key)
            if row is not None and row[: _TIME.size] == entry[len(_DUE) : len(_DUE) + _TIME.size]:
                keys.append(key)
            else:
                stale.delete(entry)
            entries.next()

    def size(self) -> int:
        """How many rows there are, roughly: RocksDB's own estimate, which counts the index of times too."""
        return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    def footprint(self) -> Footprint:
        """The disk usage of the folder. Files that RocksDB drops meanwhile are not counted."""
        used = 0
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                used += path.stat().st_size
        return Footprint(used, shutil.disk_usage(self._folder).free)

    def close(self) -> None:
        """Close the database, so that another owner on this machine may open it. A second time does nothing.

        Raises StateRefused if the disk does not take the remaining writes.
        """
        try:
            self._db.close()
        except DbClosedError:
            pass
        except Exception as error:  # a full disk is met here first, when writes are flushed
            self._raise_refusal(error)
            raise
