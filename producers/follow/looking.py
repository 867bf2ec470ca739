"""Looks for files to follow, and for those that are read whole."""

import os
import resource
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationError, Refused
from producers.follow.before import Before, place_of
from producers.follow.followed import Followed, Surroundings
from producers.follow.places import Identity, cannot_be_read, files_at, identity_of, is_one_file, size_of, why_none
from producers.follow.rest import Rest
from producers.follow.sights import Seen, Sight, Sights, seen_of
from producers.follow.troubles import Troubles
from producers.inputs import HEAD_BYTES
from producers.produce import Options, Run, View
from producers.readers.formats import AUTO, readers, recognised
from producers.readers.reader import Head, Reader
from producers.unpacking import is_packed

_MOST_FOLLOWED: Final = min(200, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
"""So many files are open at once. One that is quiet is closed for another, and opened again when it has changed."""


class Looking:
    """The files at the places of a run. It opens those that are followed, and puts them among ``tails``."""

    def __init__(
        self,
        run: Run,
        options: Options,
        view: View,
        tails: MutableMapping[Identity, Followed],
        shared: Surroundings,
        before: Before,
        rest: Rest,
        troubles: Troubles,
    ) -> None:
        self._run, self._options, self._view, self._tails, self._shared = run, options, view, tails, shared
        self._before, self._rest, self._troubles = before, rest, troubles
        self._sights = Sights()
        self._begun = set[str]()  # paths at which a file was followed
        self._resting = set[Identity]()  # files that were closed before their end
        self._left: dict[Identity, Seen] = {}
        self._read: dict[Path, Seen] = {}
        self._copies: dict[Path, tuple[Seen, bool]] = {}

    def look(self) -> None:
        """Look at all places once."""
        paths = set[Path]()
        for place in self._options.files:
            trouble, is_named = why_none(place), is_one_file(place)
            if trouble:
                self._troubles.tell(place, trouble)
                continue
            if not is_named:
                self._troubles.is_over(place)
            for path in list(files_at(place)):
                paths.add(path)
                self._consider(path, is_named=is_named)
        self._sights.forget_all_but(paths)

    def closed(self, followed: Followed) -> None:
        """A file is not followed any more: it is left alone until it changes."""
        self._left[followed.identity] = followed.seen
        self.forget_copies()

    def interrupted(self, followed: Followed) -> None:
        """A file was closed that could not be read: it is the same one if it is opened again, however small."""
        self._resting.add(followed.identity)
        self.forget_copies()

    def forget_copies(self) -> None:
        """Look again at copies: they may be the rest of a file that has ended."""
        self._copies.clear()

    def _consider(self, path: Path, *, is_named: bool) -> None:
        """Follow a file, read it whole, or leave it alone for now."""
        try:
            stated = path.stat()
            seen, now = seen_of(stated), time.monotonic()
            if seen[0] in self._tails or not stated.st_size:
                return
            sight = self._sights.look(path, seen, now)
            if not self._is_left(path, seen, is_young=sight.is_young(now)):
                self._open(path, sight, is_named=is_named)
            self._troubles.is_over(path)
        except (FileNotFoundError, NotADirectoryError):
            pass  # it is gone again
        except ConfigurationError as error:
            self._troubles.tell(path, f"is tried again: {error}")
        except OSError as error:
            self._troubles.tell(path, cannot_be_read(error))

    def _is_left(self, path: Path, seen: Seen, *, is_young: bool) -> bool:
        """Whether it was decided before that a file is left alone, or it was read."""
        is_copy = self._copies.get(path) == (seen, is_young)
        return is_copy or seen in (self._read.get(path), self._left.get(seen[0]))

    def _open(self, path: Path, sight: Sight, *, is_named: bool) -> None:
        now = time.monotonic()
        is_young = sight.is_young(now)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            opened = os.fstat(descriptor)
            if (opened.st_dev, opened.st_ino) != sight.seen[0]:
                return  # another one has the name by now
            head = os.pread(descriptor, HEAD_BYTES, 0)
            reader = self._growing(path, head)
            if self._is_copy_of_followed(path, descriptor, is_named=is_named):
                self._copies[path] = (sight.seen, is_young)
                return
            if is_named and b"\n" not in head:
                self._before.note(path, descriptor)
            if reader is not None and (is_named or is_young):
                if b"\n" in head:
                    self._follow(path, descriptor, head, reader, sight, is_named=is_named)
                return
        finally:
            os.close(descriptor)
        if sight.is_stable(now):
            self._read_whole(path, sight.seen, is_young=is_young)

    def _is_copy_of_followed(self, path: Path, descriptor: int, *, is_named: bool) -> bool:
        """Whether a file is a beginning of one that is followed; of a named one, of that which had its name."""
        others = (each for each in self._tails.values() if not is_named or each.path == path)
        return any(self._before.covers(path, each.state) and each.begins_like(descriptor) for each in others)

    def _follow(
        self, path: Path, descriptor: int, head: bytes, reader: Reader, sight: Sight, *, is_named: bool
    ) -> None:
        replaced = [each for each in self._tails.values() if each.path == path and each.goes_on_in(descriptor)]
        if any(not each.is_quiet for each in replaced) or not self._has_room():
            return
        for each in self._tails.values():  # so that copies of them are known as such
            if not each.is_durable:
                self._run.stepped(each.commit())
        identity = sight.seen[0]
        is_reused = place_of(path) in self._begun and identity not in self._resting
        state = self._before.known_state(
            path,
            descriptor,
            {each.state.id for each in self._tails.values()},
            is_named=is_named,
            is_reused=is_reused,
            replaced={each.state.id for each in replaced},
        )
        if state is None:
            self._copies[path] = (sight.seen, sight.is_young(time.monotonic()))
            return
        self._begun.add(place_of(path))
        self._left.pop(identity, None)
        self._resting.discard(identity)
        self._view.opened(str(path), None)
        self._tails[identity] = Followed(path, os.dup(descriptor), identity, head, reader, state, self._shared)
        self._rest.came_back(path)
        if is_named or is_reused:
            self._rest.read_younger(path)

    def _has_room(self) -> bool:
        """Whether one more file can be followed; the one that is quiet the longest is closed for it."""
        if len(self._tails) < _MOST_FOLLOWED:
            return True
        quiet = [each for each in self._tails.values() if each.is_quiet and identity_of(each.path) == each.identity]
        if not quiet:
            return False
        followed = min(quiet, key=lambda each: each.read_at)
        self._run.stepped(followed.commit())
        del self._tails[followed.identity]
        self.closed(followed)
        self._resting.add(followed.identity)
        followed.close()
        return True

    def _read_whole(self, path: Path, seen: Seen, *, is_young: bool) -> None:
        """Read a file that no one writes to now, unless it is a copy."""
        used = {each.state.id for each in self._tails.values()}
        if self._before.is_to_wait(path, used, is_young=is_young):
            self._copies[path] = (seen, is_young)
        else:
            self._read[path] = seen
            try:
                self._run.read(str(path))
                self._before.read_whole(path, used)
            except Refused as error:  # a report that a person has to review first
                self._view.gap(str(error))

    def _growing(self, path: Path, head: bytes) -> Reader | None:
        """The reader of a file that grows line by line; ``None`` if it is to be read whole."""
        if is_packed(head) or head.lstrip().startswith(b"["):
            return None
        stated = self._options.format
        if stated == AUTO:
            stated = recognised(Head(head, path.name, self._options.defaults.encoding)) or AUTO
        reader = stated if isinstance(stated, Reader) else readers().get(stated)
        return reader if reader is not None and reader.grows else None


def is_over(followed: Followed, now: float, quiet_s: float, *, is_named: bool) -> bool:
    """Whether no one writes to a file any more: it has lost its name, and was quiet since for ``quiet_s``.

    Another file has the name. One that was removed, and that the operator has not named, is not waited for so.
    """
    there = identity_of(followed.path)
    if there == followed.identity:
        followed.rotated_at = None
        return False
    if followed.rotated_at is None:
        followed.rotated_at = now
    has_successor = there is not None and size_of(followed.path) > 0
    if not has_successor and (is_named or not followed.is_removed):
        return False
    is_quiet = followed.is_quiet and followed.quiet_s(now) >= quiet_s
    return is_quiet and now - followed.rotated_at >= quiet_s
