"""The rotated copies beside a path, held open: a rotation gives all of them other names while one is read."""

import os
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from producers.follow.places import Identity, identity_of, siblings_of

_MOST_HELD: Final = 128
_MOST_LOOKS: Final = 20
_COMPRESSED: Final = frozenset({".gz", ".bz2", ".xz", ".zst"})


class Held(NamedTuple):
    """A file that stays the same, whatever its name becomes."""

    path: Path
    identity: Identity
    stream: BinaryIO


class _Judged(NamedTuple):
    """What one file is, which takes long to find out: it is not asked again after a rotation."""

    is_first: bool
    is_unwanted: bool


class Beside:
    """The first file that matches, of those beside a path from the youngest, and all younger ones; the oldest first.

    Those that are not wanted are not among them. There are at most 128: look again after these. While it is entered
    the files are open. ``is_sure`` is False if each of 20 looks met a rotation: files may be missing then. Without
    ``needs_first`` it is all of them if none matches.
    """

    def __init__(
        self,
        path: Path,
        is_first: Callable[[Held], bool],
        is_unwanted: Callable[[Held], bool] = lambda _: False,
        *,
        needs_first: bool = True,
    ) -> None:
        self._path, self._is_first, self._is_unwanted, self._needs_first = path, is_first, is_unwanted, needs_first
        self._judged: dict[tuple[Identity, int, int], _Judged] = {}
        self.files = deque[Held]()
        self.is_sure = True

    def __enter__(self) -> Self:
        for looks in range(_MOST_LOOKS):
            names = self._names()
            if not self._has_first(names) and self._needs_first:
                self._close()
            self.is_sure = self._names() == names
            if self.is_sure or looks + 1 == _MOST_LOOKS:
                break
            self._close()  # a rotation was in between: some file may be there twice, and another one not at all
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _names(self) -> dict[Path, Identity | None]:
        found = siblings_of(self._path)
        twins = {each for each in found if each.suffix in _COMPRESSED and each.with_suffix("") in found}
        return {each: identity_of(each) for each in found if each not in twins}  # those are still being written

    def _has_first(self, names: Mapping[Path, Identity | None]) -> bool:
        """Open files until the first one that matches."""
        held = set[Identity]()
        for path in names:
            with suppress(OSError):  # it is gone
                stream = path.open("rb")
                opened = os.fstat(stream.fileno())
                file = Held(path, (opened.st_dev, opened.st_ino), stream)
                self.files.appendleft(file)
                key = file.identity, opened.st_size, opened.st_mtime_ns
                if key not in self._judged:
                    is_first = self._is_first(file)  # first: it may find out what is unwanted
                    self._judged[key] = _Judged(is_first, self._is_unwanted(file))
                judged = self._judged[key]
                if judged.is_unwanted or file.identity in held:
                    self.files.popleft().stream.close()
                elif len(self.files) > _MOST_HELD:
                    self.files.pop().stream.close()
                held.add(file.identity)
                if judged.is_first:
                    return True
        return False

    def _close(self) -> None:
        while self.files:
            self.files.pop().stream.close()
