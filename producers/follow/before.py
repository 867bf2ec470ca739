"""What was read of a file earlier, by its content: under another name, compressed, or as a copy of a followed one."""

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from producers.fingerprint import Fingerprint
from producers.follow.beside import Beside, Held
from producers.follow.places import Identity
from producers.known import compared, grown_from, path_of
from producers.produce import Options
from producers.spool.spool import InputState, Spool

_FEWEST_COMPARED: Final = 1024
"""A file of fewer bytes is too small to be called a copy of a longer one that begins like it."""


class Before:
    """The inputs that the spool knows. ``used`` are the ids of the inputs that are followed now."""

    def __init__(self, spool: Spool, options: Options, now_ms: Callable[[], int]) -> None:
        self._spool, self._options, self._now_ms = spool, options, now_ms

    def _new_state(self, path: Path, now: Fingerprint) -> InputState:
        """The state of a file of which nothing was read. It is known by its content from here on."""
        sensor = self._options.sensor
        marking = msgspec.json.encode(self._options.defaults.marking).decode()
        state = self._spool.open_input(
            path_of(str(path)), now.size, now.digest, self._now_ms(), prefix=now.prefix, marking=marking
        )
        # Refusals are named by it: two files may begin alike.
        unique = f"{sensor.nation}/{sensor.name}/{self._spool.epoch}/{state.id}"
        return replace(state, digest=sha256(unique.encode()).digest())

    def known_state(
        self, path: Path, descriptor: int, used: Collection[int], *, is_named: bool, is_reused: bool
    ) -> InputState | None:
        """The state of a file at its first sight; ``None`` if it is a copy. A file that the operator names is not one.

        ``is_reused`` is a name that another file had before: then a few lines that are alike do not make it that one.
        """
        with open(os.dup(descriptor), "rb", buffering=0) as stream:  # another file may have the name by now
            stream.seek(0)
            earlier, now = compared(str(path), stream, self._spool)
        if not is_named and _is_copy(earlier, now, used):
            return None
        fewest = _FEWEST_COMPARED if is_reused else 0
        left = (state for state in earlier if state.id not in used and state.size >= fewest)
        return grown_from(left, now) or self._new_state(path, now)

    def is_to_wait(self, path: Path, used: Collection[int], *, is_young: bool) -> bool:
        """Whether a file is not to be read now: it is a copy, or is still being compressed."""
        with path.open("rb", buffering=0) as stream:
            earlier, now = compared(str(path), stream, self._spool)
        return _is_copy(earlier, now, used) or (is_young and bool(now.damage))

    def continues(self, path: Path, state: InputState) -> bool:
        """Whether a file begins with all that was read of an input."""
        try:
            with path.open("rb", buffering=0) as stream:
                earlier, now = compared(str(path), stream, self._spool)
        except OSError:
            return False
        return grown_from((each for each in earlier if each.id == state.id), now) is not None

    def rest_of(self, state: InputState, path: Path) -> Beside:
        """The file beside a path that continues where the input was left, and those that were written since, in order.

        Empty if there is none.
        """

        def continues(each: Held) -> bool:
            earlier, now = compared(str(each.path), each.stream, self._spool)
            return grown_from((known for known in earlier if known.id == state.id), now) is not None

        return Beside(path, continues)

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
        earlier, now = compared(str(file.path), file.stream, self._spool)
        state = self._spool.same_content(now.digest) or grown_from(earlier, now)
        if state.id in used if state is not None else _is_copy(earlier, now, ()):
            return True
        return None if state is None else state.complete and state.digest == now.digest


def _is_copy(earlier: list[InputState], now: Fingerprint, used: Collection[int]) -> bool:
    return now.size >= _FEWEST_COMPARED and any(state.id in used or state.size > now.size for state in earlier)
