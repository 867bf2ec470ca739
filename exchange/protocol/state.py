"""A shard's rows in RocksDB: the cache of its committed changelog, never more than that.

A row is written with its offset in the changelog in one write batch, so that a crash at any moment leaves a cache
that knows exactly how far it has come. A cache that is damaged or of another changelog is deleted and rebuilt:
nothing is in here that is not in Kafka. A disk that is full or read-only is no damage: it is reported, and nothing is
deleted.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast

import msgspec
from rocksdict import DbClosedError, Rdict, RdictIter, ReadOptions, WriteBatch

from exchange.errors import TransientError
from exchange.protocol.bulk_files import BulkFiles, remove_unfinished
from exchange.protocol.entries import DUE, NEVER, PLACE, ROW, CacheHead, entries_of, time_of
from exchange.protocol.kept_rows import TIME
from exchange.protocol.record import RowChange
from exchange.protocol.rocks_options import BULK, REFUSALS, USUAL, options
from exchange.protocol.rows import Footprint

_log = logging.getLogger(__name__)


_SPARES: Final = 4
# Keys. RocksDB reads a list without the interpreter's lock, and to get the lock back takes 5 ms for each busy thread.
_FEW: Final = 16


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
        self.folder = folder
        self._cache_mib = cache_mib
        self.place = CacheHead(changelog_id, state_format)
        self._bulk: BulkFiles | None = None
        self._gathered = self.place
        self.due_from_ms = 0
        self._db = self._open()
        with suppress(OSError):  # then it takes some room, and nothing else
            remove_unfinished(folder)
        found = self._read_place()
        if found is None or (found.changelog_id, found.state_format) != (changelog_id, state_format):
            if found is not None:
                _log.warning("state.rebuild folder=%s reason=another-changelog", folder)
            self._wipe()
        else:
            self.place = found

    def _open(self) -> Rdict:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateRefused(f"{self.folder} cannot be made: {error}") from error
        try:
            return Rdict(str(self.folder), options(self._cache_mib))
        except Exception as error:  # rocksdict raises a bare Exception for damage and for a held lock alike
            if f"{self.folder / 'LOCK'}: " in str(error):
                raise StateInUse(
                    f"{self.folder} is in use by another process: give each worker its own folder"
                ) from error
            self._raise_refusal(error)
            _log.warning("state.rebuild folder=%s reason=damaged detail=%s", self.folder, error)
            shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
            return Rdict(str(self.folder), options(self._cache_mib))

    def _raise_refusal(self, error: Exception) -> None:
        if any(refusal in str(error) for refusal in REFUSALS):
            raise StateRefused(
                f"{self.folder}: {error}: make room, or correct its permissions, and start again"
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
            shutil.rmtree(self.folder, ignore_errors=True)
            raise StateDamaged(f"{self.folder} was damaged and has been removed: {error}") from error

    def _read_place(self) -> CacheHead | None:
        try:
            found = self._db.get(PLACE)
            return None if found is None else msgspec.msgpack.decode(found, type=CacheHead)
        except Exception as error:  # damage shows when a block is read, again as a bare Exception
            _log.warning("state.rebuild folder=%s reason=damaged detail=%s", self.folder, error)
            return CacheHead("", -1)

    def _wipe(self) -> None:
        self._db.close()
        shutil.rmtree(self.folder)
        self._db = self._open()
        self.due_from_ms = 0

    def clear(self) -> None:
        """Forget everything."""
        _log.warning("state.rebuild folder=%s reason=too-old", self.folder)
        self._wipe()
        self.place = CacheHead(self.place.changelog_id, self.place.state_format)

    def start(self) -> tuple[int, int]:
        """The changelog's next offset and the last batch that this cache holds."""
        return self.place.next_offset, self.place.batch

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key; None if there is none."""
        if not keys:
            return []
        with self._judged():
            if len(keys) <= _FEW:
                found = [self._db.get(ROW + key) for key in keys]
            else:
                found = cast("list[bytes | None]", self._db.get([ROW + key for key in keys]))
        return [None if value is None else value[TIME.size :] for value in found]

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows behind ``after`` by key, at most ``limit``: fewer only at the end."""
        found: list[tuple[bytes, bytes]] = []
        with self._judged():
            entries = self._db.iter(ReadOptions())
            try:
                entries.seek(ROW + after)
                while entries.valid() and len(found) < limit and (key := entries.key()).startswith(ROW):
                    if key != ROW + after:
                        found.append((key[len(ROW) :], entries.value()[TIME.size :]))
                    entries.next()
                entries.status()  # an iterator that meets damage just ends
            finally:
                del entries  # a live iterator pins the database's lock
        return found

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Gather what is applied, and write it in whole files, which are merged behind the block: ``start`` is what is
        on the disk. If the block raises, what was not written is forgotten."""
        self._gathered, self._bulk = self.place, BulkFiles(self._db, self.folder, options(self._cache_mib))
        self._db.set_options(BULK)
        try:
            yield
            self._write_gathered(self._bulk)
        finally:
            self._bulk = None
            with self._judged(), suppress(DbClosedError):
                self._db.set_options(USUAL)

    def _write_gathered(self, bulk: BulkFiles) -> None:
        with self._judged():
            bulk.write()
        self.place = self._gathered

    def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
        """Take over a committed batch, atomically with its offset in the changelog."""
        place = CacheHead(self.place.changelog_id, self.place.state_format, next_offset, batch)
        entries, first_due_ms = entries_of(rows, place)
        self.due_from_ms = min(self.due_from_ms, first_due_ms)
        if self._bulk is not None:
            self._gathered = place
            if self._bulk.gather(entries):
                self._write_gathered(self._bulk)
            return
        write = WriteBatch(raw_mode=True)
        for key, value in entries.items():
            if value is None:
                write.delete(key)
            else:
                write.put(key, value)
        with self._judged():
            self._db.write(write)
        self.place = place

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
                self.due_from_ms = time_of(entries.key()) if entries.valid() else NEVER
        finally:
            del entries  # a live iterator pins the database's lock
        if not stale.is_empty():
            self._db.write(stale)
        return keys

    def _scan(self, entries: RdictIter, now_ms: int, limit: int, keys: list[bytes], stale: WriteBatch) -> None:
        entries.seek(DUE + TIME.pack(self.due_from_ms))  # past deleted entries, which would be passed one by one
        bound = DUE + TIME.pack(now_ms + 1)
        while entries.valid() and len(keys) < limit:
            entry = entries.key()
            if not entry.startswith(DUE) or entry >= bound:
                break
            key = entry[len(DUE) + TIME.size :]
            row = self._db.get(ROW + key)
            if row is not None and row[: TIME.size] == entry[len(DUE) : len(DUE) + TIME.size]:
                if not keys:
                    self.due_from_ms = time_of(entry)
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
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                used += path.stat().st_size
        return Footprint(used, shutil.disk_usage(self.folder).free)

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
