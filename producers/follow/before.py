"""What was read of a file earlier, by its content: under another name, compressed, or as a copy of a followed one."""

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from producers.fingerprint import Fingerprint, prefixes_of
from producers.follow.beside import Beside, Held
from producers.follow.places import Identity, siblings_of
from producers.inputs import Plain, Seekable, name_in_utf8
from producers.known import compared, covers, grown_from, stated_by
from producers.markings.understanding import of_file_name
from producers.produce import Options
from producers.spool.spool import InputState, Spool

FEWEST_COMPARED: Final = 1024
"""A file of fewer bytes is too small to be called a copy of a longer one that begins like it."""
_CHUNK_BYTES: Final = 1 << 20


class Before:
    """The inputs that the spool knows. ``used`` are the ids of the inputs that are followed now."""

    def __init__(self, spool: Spool, options: Options, now_ms: Callable[[], int]) -> None:
        self._spool, self._options, self._now_ms = spool, options, now_ms
        self._noted: dict[str, set[int]] = {}

    def _compared(self, path: Path, stream: Seekable) -> tuple[list[InputState], Fingerprint]:
        return compared(str(path), stream, self._spool, self._options.defaults.encoding)

    def covers(self, path: Path, state: InputState) -> bool:
        """Whether what was read of an input has the marking that this name states. Options count from now on."""
        return covers(state, of_file_name(str(path)).marking)

    def _covering(self, path: Path, earlier: Iterable[InputState]) -> list[InputState]:
        return [each for each in earlier if self.covers(path, each)]

    def _new_state(self, path: Path, now: Fingerprint, line: int = 0, item: int = 0) -> InputState:
        """The state of a file of which nothing was read, or only as part of another input. It is known from here on."""
        sensor = self._options.sensor
        marking = msgspec.json.encode(stated_by((str(path),), self._options.defaults)).decode()
        state = self._spool.open_input(
            place_of(path),
            now.size,
            now.digest,
            self._now_ms(),
            line=line,
            item=item,
            prefix=now.prefix,
            marking=marking,
        )
        # Refusals are named by it: two files may begin alike.
        unique = f"{sensor.nation}/{sensor.name}/{self._spool.epoch}/{state.id}"
        return replace(state, digest=sha256(unique.encode()).digest())

    def known_state(
        self,
        path: Path,
        descriptor: int,
        used: Collection[int],
        *,
        is_named: bool,
        is_reused: bool,
        replaced: Collection[int] = (),
    ) -> InputState | None:
        """The state of a file at its first sight; ``None`` if it is a copy. A file that the operator names is not one.

        ``is_reused`` is a name that another file had before: then a few lines that are alike do not make it that one.
        ``replaced`` are followed inputs whose name this file has taken: it continues the one that it begins with.
        """
        with open(os.dup(descriptor), "rb", buffering=0) as stream:  # another file may have the name by now
            stream.seek(0)
            earlier, now = self._compared(path, stream)
            earlier = self._covering(path, earlier)
            gone_on = grown_from((each for each in earlier if each.id in replaced), now)
            if gone_on is not None:
                return self._new_state(path, now, gone_on.line, gone_on.item)
            if not is_named and _is_copy(earlier, now, used, path, stream):
                return None
        fewest = FEWEST_COMPARED if is_reused else 0
        left = (state for state in earlier if state.id not in used and state.size >= fewest)
        state = grown_from(left, now) or self._new_state(path, now)
        begun = {each.id for each in earlier if grown_from((each,), now)}
        self._replace_noted(path, begun - {state.id, *used})
        return state

    def note(self, path: Path, descriptor: int) -> None:
        """Keep that a file was seen, of which nothing can be read yet: so it is found if it is rotated before."""
        with open(os.dup(descriptor), "rb", buffering=0) as stream:
            stream.seek(0)
            earlier, now = self._compared(path, stream)
        begun = [each for each in earlier if grown_from((each,), now)] or [self._new_state(path, now)]
        self._noted[place_of(path)] = {each.id for each in begun if not (each.line or each.item)}

    def read_whole(self, path: Path, used: Collection[int]) -> None:
        """A file that was noted was read to its end."""
        if place_of(path) in self._noted:
            self._replace_noted(path, self.begun_in(path) - set(used))

    def _replace_noted(self, path: Path, begun: Collection[int]) -> None:
        """What was noted of a file is over if the input that is read begins with it."""
        noted = self._noted.pop(place_of(path), set())
        for state in self._spool.unfinished() if noted else ():
            if state.path == place_of(path) and state.id in noted and state.id in begun:
                self._spool.finish(state)

    def is_to_wait(self, path: Path, used: Collection[int], *, is_young: bool) -> bool:
        """Whether a file is not to be read now: it is a copy, or is still being compressed."""
        with path.open("rb", buffering=0) as stream:
            earlier, now = self._compared(path, stream)
            earlier = self._covering(path, earlier)
            return _is_copy(earlier, now, used, path, stream) or (is_young and bool(now.damage))

    def begun_in(self, path: Path, stream: Seekable | None = None) -> set[int]:
        """The ids of the inputs of which a file has all that was read. It is that of the stream, if there is one.

        Raises OSError if it is there, and cannot be read.
        """
        if stream is None:
            with suppress(FileNotFoundError, NotADirectoryError), path.open("rb", buffering=0) as opened:
                return self.begun_in(path, opened)
            return set()
        if not self._spool.earlier_states(place_of(path), prefixes_of(stream)):
            return set()  # found without a pass over all of it
        earlier, now = self._compared(path, stream)
        return {each.id for each in earlier if grown_from((each,), now) is not None}

    def rest_of(self, state: InputState, path: Path) -> Beside:
        """The file beside a path that continues where the input was left, and those that were written since, in order.

        Empty if there is none. The first one may be cut off (``cut_off``).
        """

        def is_it(each: Held) -> bool:
            return state.id in self.begun_in(each.path, each.stream) or self._cut(state, each) is not None

        return Beside(path, is_it)

    def cut_off(self, state: InputState, file: Held) -> bool:
        """Whether a copy has less than was read of an input: its writer went on after the copy was made.

        Not all that was read need be spooled: the copy is read on from the first line that is not.
        """
        now = self._cut(state, file)
        if now is not None:
            self._new_state(file.path, now, state.line, state.item)
        return now is not None

    def _cut(self, state: InputState, file: Held) -> Fingerprint | None:
        if not self._spool.earlier_states(place_of(file.path), prefixes_of(file.stream)):
            return None
        earlier, now = self._compared(file.path, file.stream)
        is_shorter = FEWEST_COMPARED <= now.size < state.size and any(each.id == state.id for each in earlier)
        return now if is_shorter and _begins(state, file.path, file.stream) else None

    def written_since(self, state: InputState, path: Path, used: Collection[int]) -> Beside:
        """The files beside a path that were written since an input was opened of which no copy is left, in order.

        Without what was read to its end.
        """
        since_s = self._spool.opened_at_ms(state) / 1000

        def is_older(each: Held) -> bool:
            return os.fstat(each.stream.fileno()).st_mtime < since_s

        return Beside(
            path, is_older, lambda each: is_older(each) or self._progress(each, used) is True, needs_first=False
        )

    def unread_beside(self, path: Path, followed: Collection[Identity], used: Collection[int]) -> Beside:
        """The youngest file beside a path of which something was read, and those that were written since, in order.

        Without what was read to its end, or is followed. A copy of a followed file is its rest if that was overwritten.
        """
        done = set(followed)

        def is_known(each: Held) -> bool:
            progress = True if each.identity in followed else self._progress(each, used)
            if progress:
                done.add(each.identity)
            return progress is not None

        return Beside(path, is_known, lambda each: each.identity in done)

    def _progress(self, file: Held, used: Collection[int]) -> bool | None:
        """Whether a file was read to its end; ``None`` if nothing of it was read."""
        if not self._spool.earlier_states(place_of(file.path), prefixes_of(file.stream)):
            return None
        earlier, now = self._compared(file.path, file.stream)
        state = next(iter(self._spool.same_content(now.digest)), None) or grown_from(earlier, now)
        if state.id in used if state is not None else _is_copy(earlier, now, (), file.path, file.stream):
            return True
        return None if state is None else state.complete and state.digest == now.digest


def place_of(path: Path) -> str:
    """A followed file's name as the spool keeps it: links are not resolved, since they may name another file later."""
    return name_in_utf8(os.path.abspath(path))


def _is_copy(earlier: list[InputState], now: Fingerprint, used: Collection[int], path: Path, stream: Seekable) -> bool:
    """Whether a file is the beginning of what was read, or a copy of a followed file that may be its rest."""
    if now.size < FEWEST_COMPARED:
        return False
    longer = [state for state in earlier if state.size > now.size]
    followed = [state for state in earlier if state.size <= now.size and state.id in used]
    return grown_from(followed, now) is not None or any(_begins(state, path, stream) for state in longer)


def _begins(state: InputState, path: Path, stream: Seekable) -> bool:
    """Whether a file, which has the first half or 64 KiB of an input, is a beginning of it.

    One that is named as a rotated copy is: it may be all that is left. Of others the content is compared with the file.
    """
    its_own = Path(state.path)
    rotated = siblings_of(its_own)
    if Path(os.path.abspath(path)) in rotated:
        return True
    for each in (its_own, *rotated):
        with suppress(OSError), each.open("rb", buffering=0) as other:
            if _is_beginning(stream, other):
                return True
    return False


def _is_beginning(stream: Seekable, other: Seekable) -> bool:
    """Whether a file is a beginning of another one, and shorter, by their uncompressed content."""
    stream.seek(0)
    mine, others = Plain(stream), Plain(other)
    try:
        while chunk := mine.read(_CHUNK_BYTES):
            while chunk and (part := others.read(len(chunk))):
                if not chunk.startswith(part):
                    return False
                chunk = chunk[len(part) :]
            if chunk:
                return False
        return bool(others.read(1))
    finally:
        stream.seek(0)
