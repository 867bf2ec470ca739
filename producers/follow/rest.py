"""Reads what was written to followed files while no one followed them; what is not found is a declared gap."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from exchange.errors import ConfigurationError
from producers.follow.before import Before, place_of
from producers.follow.beside import Beside
from producers.follow.followed import Followed
from producers.follow.places import Identity, files_at, identity_of, is_at, is_one_file, why_none
from producers.inputs import name_in_utf8
from producers.produce import Run, View
from producers.spool.spool import InputState, Spool

_MISSED = "was rotated while no one followed it"


class Rest:
    """The rests of the inputs. ``tails`` are the files that are followed now."""

    def __init__(self, run: Run, spool: Spool, view: View, before: Before, tails: Mapping[Identity, Followed]) -> None:
        self._run, self._spool, self._view, self._before, self._tails = run, spool, view, before, tails
        self._missing = defaultdict[str, list[InputState]](list)
        """What has to be found once there is a file at the path."""

    def look_in(self, places: Sequence[str]) -> None:
        """Look for what was written since the program ended, at each path at which it followed a file."""
        missing = [each for place in places for each in self._missing_at(place)]
        if not missing:
            return
        moved = set[int]()  # they are read where they are now
        for path in (path for place in places if not is_one_file(place) for path in _files_at(place)):
            with suppress(OSError):
                moved |= self._before.begun_in(path)
        gone = defaultdict[str, list[tuple[Path, InputState]]](list)
        for place, path, state in missing:
            if state.id not in moved:
                if identity_of(path) is not None:
                    self._declare(state, path, _MISSED)
                elif is_one_file(place):
                    self._missing[place_of(path)].append(state)
                else:
                    gone[place].append((path, state))
        for place, files in gone.items():
            if any(_files_at(place)):  # else it may be a file system that is not mounted yet
                self._declare_all(place, files)

    def _missing_at(self, place: str) -> Iterator[tuple[str, Path, InputState]]:
        """What was followed at a place, and neither is there nor was read now from a copy."""
        at = Path(os.path.abspath(place))
        is_one = is_one_file(place)
        found = defaultdict[Path, list[InputState]](list)
        for state in self._spool.unfinished():
            path = Path(state.path)
            if path in (at, at.resolve()) if is_one else is_at(place, path):
                found[Path(place) if is_one else path].append(state)
        for path, states in found.items():
            try:
                begun = self._before.begun_in(path)
            except OSError:
                self._missing[place_of(path)] += states
                continue
            for state in states:
                if state.id not in begun and not self._read_copy(state, path):
                    yield place, path, state
        if is_one:
            self.read_younger(Path(place))

    def keep(self, state: InputState, path: Path) -> None:
        """An input that cannot be read now: once its path can be, it is read on, or its rest is looked for."""
        self._missing[place_of(path)].append(state)

    def came_back(self, path: Path) -> None:
        """There is a file at a path: look for what was left there."""
        if place_of(path) in self._missing:
            begun = self._before.begun_in(path)
            for state in self._missing.pop(place_of(path)):
                if state.id not in begun:
                    self.read(state, path, _MISSED)

    def read(self, state: InputState, path: Path, event: str) -> None:
        """Read the rest of an input from a copy of it, or declare the gap."""
        if not self._read_copy(state, path):
            self._declare(state, path, event)

    def read_younger(self, path: Path) -> None:
        """Read rotated copies that no one has seen under the path, also those that were made meanwhile."""
        read = set[Identity]()
        while found := self._read_all(path, self._before.unread_beside(path, self._tails, self._used()), read):
            read.update(found)

    def _used(self) -> set[int]:
        return {each.state.id for each in self._tails.values()}

    def _read_copy(self, state: InputState, path: Path) -> bool:
        """Read the rest of an input from a copy of it; whether it has all of it."""
        with self._before.rest_of(state, path) as beside:
            is_whole = bool(beside.files) and not self._before.cut_off(state, beside.files[0])
            has_found = bool(self._read_files(path, beside))
        if has_found:
            self.read_younger(path)
        if is_whole:
            self._spool.finish(state)
        return is_whole

    def _read_all(self, path: Path, beside: Beside, read: Collection[Identity] = ()) -> list[Identity]:
        with beside:
            return self._read_files(path, beside, read)

    def _read_files(self, path: Path, beside: Beside, read: Collection[Identity] = ()) -> list[Identity]:
        if not beside.is_sure:
            name = name_in_utf8(str(path))
            self._gap(f"the rotated copies of {name} had other names at each look: some may be left out")
        files = [each for each in beside.files if each.identity not in read]
        for each in files:
            try:
                self._run.read(str(each.path), descriptor=each.stream.fileno())
            except (OSError, ConfigurationError) as error:
                self._gap(f"{name_in_utf8(str(each.path))}, a rotated copy, cannot be read to its end: {error}")
        return [each.identity for each in files]

    def _declare(self, state: InputState, path: Path, event: str) -> None:
        """Nothing more of an input can be read; what was written to its path after it may be there."""
        self._read_all(path, self._before.written_since(state, path, self._used()))
        self._gap(
            f"{name_in_utf8(str(path))} {event}, and no copy of it is beside it: what was written behind the first "
            f"{state.size} bytes of it is not known"
        )
        self._spool.finish(state)

    def _declare_all(self, place: str, files: Sequence[tuple[Path, InputState]]) -> None:
        path, _ = files[0]
        self._gap(
            f"while no one followed {name_in_utf8(place)}, files of it were removed: {len(files)}, such as "
            f"{name_in_utf8(str(path))}: what was written to them since is not known"
        )
        for _, state in files:
            self._spool.finish(state)

    def _gap(self, text: str) -> None:
        self._run.summary.gaps.append(text)
        self._view.gap(text)


def _files_at(place: str) -> Iterator[Path]:
    return iter(()) if why_none(place) else files_at(place)
