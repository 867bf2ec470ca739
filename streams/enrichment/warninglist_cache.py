"""Keeps the compiled warninglists on disk: compiled once for a machine, then shared by all its workers.

The tries are mapped into memory, so that the workers of a machine hold them once.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import marisa_trie  # type: ignore[import-not-found]
import msgspec

from streams.enrichment.compile_warninglists import compile_index
from streams.enrichment.warninglist_index import IndexTables, WarninglistIndex
from streams.enrichment.warninglists import WarninglistError, our_categories, read_warninglists

FORMAT = 1
"""Increased with every change of the stored format."""

_TABLES, _NAMES, _HASHES, _DIGEST = "tables.msgpack", "names.marisa", "hashes.marisa", "sha256"


class WarninglistCacheError(Exception):
    """The compiled lists can be neither read nor written; the message names the file and the action."""


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder of a user's caches of this program, by the XDG Base Directory Specification."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/")) / ".cache")
    return Path(base) / "kakehashi"


def load_index(lists: Path, cache: Path) -> WarninglistIndex:
    """Open the compiled form of the lists in a folder, after compiling it if it is missing or damaged.

    Compiling takes seconds and several hundred MB, in a process of its own. Raises ``WarninglistCacheError``.
    """
    place = cache / f"warninglists-{_fingerprint(lists)}"
    found = _opened(place)
    if found is not None:
        return found
    command = [sys.executable, "-m", __name__, str(lists), str(cache)]
    compiling = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _opened(place)
    if found is None:
        reason = compiling.stderr.strip().rpartition("\n")[2]
        raise WarninglistCacheError(
            f"cannot compile the warninglists of {lists} into {place}: {reason or 'the lists changed meanwhile'}; "
            "the folder must be writable once (set XDG_CACHE_HOME to choose another)"
        )
    return found


def compile_into(lists: Path, cache: Path) -> None:
    """Compile the lists into the cache, unless someone else just did. Never leaves half a result."""
    cache.mkdir(parents=True, exist_ok=True)
    place = cache / f"warninglists-{_fingerprint(lists)}"
    with (cache / "warninglists.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _opened(place) is not None:
            return
        compiled = compile_index(read_warninglists(lists))
        draft = Path(tempfile.mkdtemp(prefix="warninglists-draft-", dir=cache))
        draft.chmod(0o755)  # a cache may be made as root and read by others, as in a container image
        try:
            (draft / _TABLES).write_bytes(msgspec.msgpack.encode(compiled.tables))
            compiled.names.save(str(draft / _NAMES))
            compiled.hashes.save(str(draft / _HASHES))
            (draft / _DIGEST).write_text(_digest(draft), encoding="ascii")
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _opened(place: Path) -> WarninglistIndex | None:
    """The index stored in a folder; None if there is none, or if its bytes were changed."""
    try:
        if (place / _DIGEST).read_text(encoding="ascii") != _digest(place):
            return None
        tables = msgspec.msgpack.decode((place / _TABLES).read_bytes(), type=IndexTables)
    except OSError:
        return None
    names, hashes = marisa_trie.Trie(), marisa_trie.Trie()
    names.mmap(str(place / _NAMES))
    hashes.mmap(str(place / _HASHES))
    return WarninglistIndex(tables, names, hashes)


def _digest(place: Path) -> str:
    whole = hashlib.sha256()
    for name in (_TABLES, _NAMES, _HASHES):
        with (place / name).open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()


def _fingerprint(lists: Path) -> str:
    """Tells one state of the lists from another without reading 70 MB."""
    parts = [f"{FORMAT} {version('marisa-trie')} {lists.resolve()}", repr(our_categories())]
    for path in sorted(lists.glob("*/list.json")):
        status = path.stat()
        parts.append(f"{path.parent.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def main(arguments: Sequence[str]) -> int:
    """Compile ``lists`` into ``cache``: what ``load_index`` runs as a process of its own."""
    try:
        compile_into(Path(arguments[0]), Path(arguments[1]))
    except (OSError, WarninglistError) as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_IOERR
    return os.EX_OK


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
