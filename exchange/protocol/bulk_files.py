"""Writes a state in bulk: entries are gathered in memory, sorted, and become a file that RocksDB takes over whole.

RocksDB takes a file over or not, and syncs it before it counts. So entries that belong together are there together,
whenever the process is killed, and none of them needs a log.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rocksdict import IngestExternalFileOptions, Options, Rdict, SstFileWriter

GATHERED_BYTES: Final = 32 << 20  # of keys and values; objects take as much again
_UNFINISHED: Final = "unfinished.rows"


def remove_unfinished(folder: Path) -> None:
    """Delete the file that a killed process was writing. Only the holder of the folder's lock may do this."""
    (folder / _UNFINISHED).unlink(missing_ok=True)


class BulkFiles:
    """Entries on their way into a database. The last value of a key counts; None deletes it."""

    def __init__(self, database: Rdict, folder: Path, options: Options) -> None:
        self._database, self._folder, self._options = database, folder, options
        self._taking_over = IngestExternalFileOptions()
        self._taking_over.set_move_files(True)
        self._entries: dict[bytes, bytes | None] = {}
        self._bytes = 0

    def gather(self, entries: Mapping[bytes, bytes | None]) -> bool:
        """Take these entries, too; whether it is time to write."""
        self._entries.update(entries)
        self._bytes += sum(map(len, entries)) + sum(map(len, filter(None, entries.values())))
        return self._bytes >= GATHERED_BYTES

    def write(self) -> None:
        """Have the database take over all that was gathered, at once. Raises rocksdict's bare Exception."""
        if not self._entries:
            return
        remove_unfinished(self._folder)  # not overwritten: it may be a second name of a file that RocksDB has by now
        path, entries = str(self._folder / _UNFINISHED), self._entries
        file = SstFileWriter(self._options)
        file.open(path)
        for key in sorted(entries):
            value = entries[key]
            if value is None:
                del file[key]
            else:
                file[key] = value
        file.finish()
        self._database.ingest_external_file([path], self._taking_over)
        self._entries, self._bytes = {}, 0
