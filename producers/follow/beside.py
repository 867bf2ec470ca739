"""The rotated copies beside a path, held open: a rotation gives all of them other names while one is read."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from producers.follow.places import Identity, identity_of, siblings_of

_MOST_HELD: Final = 128
_MOST_LOOKS: Final = 20


class Held(NamedTuple):
    """A file that stays the same, whatever its name becomes."""

    path: Path
    identity: Identity
    stream: BinaryIO


class Beside:
    """The first file that matches, of those beside a path from the youngest, and all younger ones; the oldest first.

    Those that are not wanted are not among them. There are at most 128: look again after these. While it is entered
    the files are open.
    """

    def __init__(
        self, path: Path, is_first: Callable[[Held], bool], is_unwanted: Callable[[Held], bool] = lambda _: False
    ) -> None:
        self._path, self._is_first, self._is_unwanted = path, is_first, is_unwanted
        self.files = deque[Held]()

    def __enter__(self) -> Self:
        for _ in range(_MOST_LOOKS):
            names = self._names()
            if not self._has_first(names):
                self._close()
            if self._names() == names:
                break
            self._close()  # a rotation was in between: some file may be there twice, and another one not at all
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _names(self) -> dict[Path, Identity | None]:
        return {each: identity_of(each) for each in siblings_of(self._path)}

    def _has_first(self, names: Iterable[Path]) -> bool:
        """Open files until the first one that matches."""
        for path in names:
            with suppress(OSError):  # it is gone
                stream = path.open("rb")
                opened = os.fstat(stream.fileno())
                held = Held(path, (opened.st_dev, opened.st_ino), stream)
                self.files.appendleft(held)
                is_first = self._is_first(held)
                if self._is_unwanted(held):
                    self.files.popleft().stream.close()
                elif len(self.files) > _MOST_HELD:
                    self.files.pop().stream.close()
                if is_first:
                    return True
        return False

    def _close(self) -> None:
        while self.files:
            self.files.pop().stream.close()
