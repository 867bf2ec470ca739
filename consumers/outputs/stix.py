"""STIX 2.1 bundles: one file, or in a folder 256 of them, so that a change rewrites a small one.

An indicator's bundle in a folder follows from its id: ``kakehashi-3f.json``. The position is in a file beside.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from consumers.outputs.beside import move_note, read_note, replaced_with_note
from consumers.outputs.places import file_of, hours_of
from consumers.outputs.protocol import (
    EVERY_TYPE,
    LONGEST_VALUE,
    Change,
    Difference,
    Held,
    LeftOut,
    Output,
    OutputUnavailable,
    Put,
    Report,
    Target,
)
from consumers.outputs.replace_file import replaced_together
from consumers.outputs.stix_part import Key, Part
from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from exchange.clock import now_ms
from schemas.markings import Activity

_NAME: Final = "stix"
_KEEP_HOURS: Final = 168
_POSITION: Final = ".kakehashi-position"
_PARTS: Final = tuple(f"{number:02x}" for number in range(256))
_PREFIX: Final = len("indicator--")
_Opened = Callable[[Path], AbstractContextManager[BinaryIO]]


class StixBundles:
    """Bundles in one file, or in a folder. ``keep_ms`` is how long removed objects stay as revoked."""

    def __init__(self, path: Path, nation: str, keep_ms: int, clock_ms: Callable[[], int] = now_ms) -> None:
        self._path, self._nation, self._keep_ms, self._clock_ms = path, nation, keep_ms, clock_ms
        self._is_folder = path.is_dir()

    def held(self) -> Held | None:
        """By the note beside a file; by a file in a folder."""
        if not self._is_folder:
            return read_note(self._path)
        try:
            return msgspec.json.decode((self._path / _POSITION).read_bytes(), type=Held)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace every bundle. Earlier objects that are not among these become revoked."""
        left_out, written, removed = Counter[LeftOut](), 0, 0
        waiting = groupby(_fitting(entries, left_out), key=lambda entry: self._part_of(entry.id))
        name, group = next(waiting, ("", iter(())))
        with self._opened(held) as opened:
            for part in _PARTS if self._is_folder else ("",):
                here: Iterable[Entry] = group if part == name else ()
                counts = self._rewrite(opened, part, here, None)
                written, removed = written + counts[0], removed + counts[1]
                if part == name:
                    name, group = next(waiting, ("", iter(())))
        return Report(written, removed, left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the bundles that the changes are about."""
        del whole
        left_out, removed = Counter[LeftOut](), 0
        puts, ends = defaultdict[str, dict[Key, Entry]](dict), defaultdict[str, dict[Key, State]](dict)
        for change in changes:
            if isinstance(change, Put):
                puts[self._part_of(change.entry.id)][change.entry.id, change.entry.origin] = change.entry
            else:
                ends[self._part_of(change.id)][change.id, change.origin] = change.state
        with self._opened(held) as opened:
            for part in sorted(puts.keys() | ends.keys()):
                there = [puts[part][key] for key in sorted(puts[part])]
                ends[part] |= {(each.id, each.origin): State.REMOVED for each in there}  # if it is too long now
                fitting = list(_fitting(there, left_out))
                removed += self._rewrite(opened, part, fitting, ends[part])[1]
        return Report(0, removed, left_out)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the objects in the bundles that are not revoked."""
        waiting = groupby(_fitting(entries, Counter()), key=lambda entry: self._part_of(entry.id))
        name, group = next(waiting, ("", iter(())))
        for part in _PARTS if self._is_folder else ("",):
            yield from self._part(part).differences(group if part == name else ())
            if part == name:
                name, group = next(waiting, ("", iter(())))

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _rewrite(
        self, opened: _Opened, part: str, entries: Iterable[Entry], ends: Mapping[Key, State] | None
    ) -> tuple[int, int]:
        bundle = self._part(part)
        with opened(bundle.path) as file:
            return bundle.write(file, entries, ends, self._clock_ms())

    @contextmanager
    def _opened(self, held: Held) -> Iterator[_Opened]:
        """What opens a bundle to write. At the end the position is stored, also if no bundle was opened."""
        if self._is_folder:
            with replaced_together() as opened:
                yield opened
                with opened(self._path / _POSITION) as file:
                    file.write(msgspec.json.encode(held))
            return
        yield lambda path: replaced_with_note(path, held)
        if read_note(self._path) != held:
            if not self._path.exists():
                raise OutputUnavailable(f"{self._path} is gone: it will be written whole")
            move_note(self._path, held)

    def _part(self, part: str) -> Part:
        path = self._path / f"kakehashi-{part}.json" if self._is_folder else self._path
        return Part(path, self._nation, self._keep_ms)

    def _part_of(self, indicator: str) -> str:
        return indicator[_PREFIX : _PREFIX + 2] if self._is_folder else ""


def _fitting(entries: Iterable[Entry], left_out: Counter[LeftOut]) -> Iterator[Entry]:
    for entry in entries:
        if len(entry.value) > LONGEST_VALUE:
            left_out[LeftOut.LIMIT] += 1
        else:
            yield entry


def _open(target: Target) -> StixBundles:
    keep_ms = hours_of(target, _NAME, "keep", _KEEP_HOURS) * 3_600_000
    path = Path(target.place)
    return StixBundles(path if path.is_dir() else file_of(target, _NAME), target.nation, keep_ms)


OUTPUT: Final = Output(
    name=_NAME,
    writes="STIX 2.1 bundle; in a folder, 256 small ones",
    place="FILE",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={"keep": f"hours that what left stays as revoked, `{_KEEP_HOURS}` if not given"},
)
