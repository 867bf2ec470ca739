"""Follows files: reads what is written to them, through rotation, until an end is asked for.

=====================================  ==============================================================================
what happens to a file                 what is done
=====================================  ==============================================================================
it grows                               whole lines are read
it is renamed, or removed              it is read on; it ends when another file has its name, and it was quiet for
                                       ``QUIET_S``: a writer goes on with it until it learns of the rotation
it is truncated, or overwritten        it has ended; the rest of it is read from its copy beside it; without one that
                                       is a gap
its name is taken by another file      that one is read from its start
the program was stopped meanwhile      what was read is found by its content, under any name, compressed or not; what
                                       is missing is a gap
a copy of it appears                   it is left alone while the file is followed: nothing counts twice
=====================================  ==============================================================================

Documents, compressed files, and files of a folder that no one writes to any more are read whole.
"""

import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationError, DeliveryTimeout, Refused
from producers.follow.before import Before
from producers.follow.beside import Beside
from producers.follow.followed import Followed, Surroundings
from producers.follow.places import Identity, files_at, identity_of, is_one_file, size_of
from producers.inputs import HEAD_BYTES, name_in_utf8
from producers.known import path_of
from producers.live.feed import Feed, Feeds, Live
from producers.produce import Options, Run, View
from producers.readers.formats import AUTO, readers, recognised
from producers.readers.reader import Head, Reader
from producers.spool.publisher import Publisher
from producers.spool.spool import InputState, Spool
from producers.stop import Stop, Stopped
from producers.summary import Summary
from producers.unpacking import is_packed
from schemas.codec import Codec

QUIET_S: Final = 60.0
"""A rotated file is read for this long after its last line: its writer may not know of the rotation yet."""
_SCAN_S: Final = 0.2
_SLEEP_S: Final = 0.05
_STABLE_S: Final = 2.0
_LAST_S: Final = 2.0
_OLD_S: Final = 60.0

_Seen = tuple[Identity, int, int]


def follow(
    options: Options,
    spool: Spool,
    publisher: Publisher,
    view: View,
    *,
    codec: Codec,
    now_ms: Callable[[], int],
    stop: Stop,
    quiet_s: float = QUIET_S,
    summary: Summary | None = None,
    live: Sequence[Live] = (),
) -> Summary:
    """Follow the places that ``options.files`` names, and live inputs; ``summary`` is counted on, if it is given.

    Raises Stopped once ``stop`` is requested: all is kept then.
    """

    def run_of(options: Options) -> Run:
        return Run(options, spool, publisher, view, codec, now_ms, stop, summary)

    summary = Summary() if summary is None else summary
    run = run_of(options)
    run.is_live = True
    feeds = Feeds([Feed(each, run_of(each.options)) for each in live], view)
    following = _Following(run, options, spool, view, codec, now_ms, stop, quiet_s, feeds)
    try:
        following.go()
    except Stopped:
        if not publisher.trouble:
            with suppress(DeliveryTimeout):
                publisher.drain(_LAST_S)
        raise
    finally:
        following.close()
        feeds.close()
    return run.summary


class _Following:
    """The files that are followed now."""

    def __init__(
        self,
        run: Run,
        options: Options,
        spool: Spool,
        view: View,
        codec: Codec,
        now_ms: Callable[[], int],
        stop: Stop,
        quiet_s: float,
        feeds: Feeds,
    ) -> None:
        self._run, self._options, self._spool, self._view = run, options, spool, view
        self._now_ms, self._stop, self._quiet_s, self._feeds = now_ms, stop, quiet_s, feeds
        self._before = Before(spool, options, now_ms)
        self._shared = Surroundings(
            options.sensor,
            spool,
            codec,
            now_ms,
            options.defaults,
            options.report_size,
            view.left_out,
            run.summary.marked,
        )
        self._tails: dict[Identity, Followed] = {}
        self._begun = set[Path]()  # paths at which a file was followed
        self._ended: dict[Identity, int] = {}
        self._seen: dict[Path, _Seen] = {}
        self._copies: dict[Path, tuple[_Seen, bool]] = {}

    def go(self) -> None:
        """Follow until an end is asked for."""
        for place in self._options.files:
            if is_one_file(place):
                self._look_for_rest(Path(place))
        scan_at = 0.0
        while not self._stop.requested:
            now = time.monotonic()
            if now >= scan_at:
                self._scan(now)
                scan_at = time.monotonic() + _SCAN_S
            read = [self._advance(each) for each in list(self._tails.values())]
            read.append(self._feeds.turn())
            self._run.turn()
            if not any(read):
                time.sleep(_SLEEP_S)
        for each in self._tails.values():
            self._run.stepped(each.commit())
        raise Stopped

    def close(self) -> None:
        """End all readers."""
        for each in self._tails.values():
            each.close()

    def _advance(self, followed: Followed) -> bool:
        """Take a file's new content; whether there was any."""
        found = False
        for step in followed.steps():
            found = True
            self._run.stepped(step)
            self._run.hold_back()
        lines = followed.newly_read()
        self._run.summary.records["line"] += max(0, lines)
        if followed.has_ended:
            self._end(followed)
        return found or lines > 0

    def _end(self, followed: Followed) -> None:
        for step in followed.finish():
            self._run.stepped(step)
        self._run.summary.files += 1
        del self._tails[followed.identity]
        self._copies.clear()
        size, digest, _ = followed.tail.beginning
        if followed.tail.is_overwritten:
            read = replace(followed.state, size=size, digest=digest, complete=False)
            self._read_rest(read, followed.path, "was truncated or overwritten")
        else:
            self._ended[followed.identity] = size
        followed.close()

    # -- rotation -----------------------------------------------------------------------------------------------

    def _scan(self, now: float) -> None:
        """Look for files that were rotated, and for new ones."""
        for followed in self._tails.values():
            there = identity_of(followed.path)
            if there == followed.identity:
                followed.rotated_at = None
            elif followed.rotated_at is None:
                followed.rotated_at = now
            has_successor = there is not None and there != followed.identity and size_of(followed.path) > 0
            is_over = has_successor and followed.is_quiet and followed.quiet_s(now) >= self._quiet_s
            if is_over and now - (followed.rotated_at or now) >= self._quiet_s:
                followed.tail.is_ending = True
        for place in self._options.files:
            one = is_one_file(place)
            for path in list(files_at(place)):
                self._consider(path, is_named=one)

    def _consider(self, path: Path, *, is_named: bool) -> None:
        """Follow a file, read it whole, or leave it alone for now."""
        with suppress(OSError, ConfigurationError):  # it is gone again, or not for us to read
            stated = path.stat()
            identity, age_s = (stated.st_dev, stated.st_ino), time.time() - stated.st_mtime
            seen = (identity, stated.st_size, stated.st_mtime_ns)
            is_left = (seen, age_s < _OLD_S) == self._copies.get(path) or seen == self._seen.get(path)
            if identity in self._tails or is_left or not stated.st_size or self._ended.get(identity) == stated.st_size:
                return
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                opened = os.fstat(descriptor)
                head, is_same = os.pread(descriptor, HEAD_BYTES, 0), (opened.st_dev, opened.st_ino) == identity
                reader = self._growing(path, head)
                if not is_named and any(each.begins_like(descriptor) for each in self._tails.values()):
                    self._copies[path] = (seen, age_s < _OLD_S)
                    return
                state = None
                if is_same and reader is not None and b"\n" in head and (is_named or age_s <= _OLD_S):
                    for each in self._tails.values():  # so that copies of them are known as such
                        self._run.stepped(each.commit())
                    is_reused = path in self._begun
                    state = self._before.known_state(
                        path, descriptor, self._used(), is_named=is_named, is_reused=is_reused
                    )
                    if state is None:
                        self._copies[path] = (seen, age_s < _OLD_S)
                if state is not None and reader is not None:
                    self._begun.add(path)
                    self._ended.pop(identity, None)
                    self._view.opened(str(path), None)
                    self._tails[identity] = Followed(
                        path, os.dup(descriptor), identity, head, reader, state, self._shared
                    )
            finally:
                os.close(descriptor)
            if state is not None and is_named:
                self._read_younger(path)
            if is_same and age_s >= _STABLE_S and (reader is None or not (is_named or age_s <= _OLD_S)):
                self._read_whole(path, seen, is_young=age_s < _OLD_S)

    def _read_whole(self, path: Path, seen: _Seen, *, is_young: bool) -> None:
        """Read a file that no one writes to now, unless it is a copy."""
        if self._before.is_to_wait(path, self._used(), is_young=is_young):
            self._copies[path] = (seen, is_young)
        else:
            self._seen[path] = seen
            try:
                self._run.read(str(path))
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

    # -- what was read before -----------------------------------------------------------------------------------

    def _used(self) -> set[int]:
        return {each.state.id for each in self._tails.values()}

    def _look_for_rest(self, path: Path) -> None:
        """Read files that were written to a path, and rotated, since the program ended."""
        for state in self._spool.unfinished(path_of(str(path))):
            if not self._before.continues(path, state):
                self._read_rest(state, path, "was rotated while no one followed it")
        self._read_younger(path)

    def _read_younger(self, path: Path) -> None:
        """Read rotated copies that no one has seen under the path, also those that were made meanwhile."""
        read = set[Identity]()
        while found := self._read_all(self._before.unread_beside(path, self._tails, self._used()), read):
            read.update(found)

    def _read_all(self, beside: Beside, read: Collection[Identity] = ()) -> list[Identity]:
        with beside:
            files = [each for each in beside.files if each.identity not in read]
            for each in files:
                self._run.read(str(each.path), descriptor=each.stream.fileno())
        return [each.identity for each in files]

    def _read_rest(self, state: InputState, path: Path, event: str) -> None:
        """Read the rest of an input from a copy of it, or declare the gap."""
        if self._read_all(self._before.rest_of(state, path)):
            self._read_younger(path)
        else:
            text = (
                f"{name_in_utf8(str(path))} {event}, and no copy of it is beside it: what was written behind the first "
                f"{state.size} bytes of it is not known"
            )
            self._run.summary.gaps.append(text)
            self._view.gap(text)
        self._spool.finish(state)
