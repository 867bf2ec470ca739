"""One file that grows, from its first byte: what was read of it, and whether it is still the same content.

A file that is rotated in place (copytruncate) keeps its name and its inode. So after each read the bytes before it are
looked at again: if they have changed, or the file is shorter, what was just read is of another content and is not given
out. No more is given out than whole lines, until the file is known to have ended.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from producers.fingerprint import LONGEST_PREFIX, prefix_of

_CHUNK_BYTES: Final = 256 << 10
_LOOKED_AT: Final = 512
_LONGEST_PART: Final = 2 << 20
"""A line of more bytes is given out in parts: its reader refuses it."""


class Tail:
    """A descriptor that is read from its beginning. ``wait`` is called if there is nothing more to give out.

    The file is the one that began with ``head``: with another beginning it was overwritten before it was read.
    """

    def __init__(self, descriptor: int, wait: Callable[[], None], head: bytes = b"") -> None:
        self._descriptor, self._wait, self._expected = descriptor, wait, head[:_LOOKED_AT]
        self._offset, self._part, self._ready = 0, b"", b""
        self._digest, self._head, self._before = sha256(), b"", b""
        self.is_ending = False
        """Set by the owner if no one writes to the file any more: its last line may lack its line break."""
        self.is_overwritten = False
        """The file was truncated, or has another content: it has ended here."""
        self.is_drained = False
        """All that is in the file was given out, but for the part of a line."""

    def seekable(self) -> bool:
        """A file that grows is read like a pipe."""
        return False

    def read(self, size: int, /) -> bytes:
        """The next bytes of whole lines; empty at the end of the file's life."""
        while not self._ready and not self._fetch():
            if self.is_overwritten:
                return b""
            self.is_drained = True
            if self.is_ending:
                self._ready, self._part = self._part, b""
                break
            self._wait()
        self.is_drained = False
        got, self._ready = self._ready[:size], self._ready[size:]
        return got

    @property
    def unread(self) -> int:
        """How many bytes of the file were not read yet; 0 if it is shorter than what was read."""
        return max(0, os.fstat(self._descriptor).st_size - self._offset)

    @property
    def beginning(self) -> tuple[int, bytes, bytes]:
        """How many bytes were read, their SHA-256, and the digest of a shorter beginning (``Fingerprint.prefix``)."""
        return self._offset, self._digest.digest(), prefix_of(self._head)

    def _fetch(self) -> bool:
        """Read the file's new content; whether that gave whole lines."""
        chunk = os.pread(self._descriptor, _CHUNK_BYTES, self._offset)
        if not self._is_same(len(chunk)):
            self.is_overwritten, self._part = True, b""
            return False
        if not chunk:
            return False
        self._offset += len(chunk)
        self._digest.update(chunk)
        self._head += chunk[: LONGEST_PREFIX - len(self._head)]
        self._before = (self._before + chunk)[-_LOOKED_AT:]
        whole, line_break, part = (self._part + chunk).rpartition(b"\n")
        self._ready, self._part = whole + line_break, part
        if len(self._part) > _LONGEST_PART:
            self._ready, self._part = self._ready + self._part, b""
        return bool(self._ready) or self._fetch()

    def _is_same(self, read: int) -> bool:
        """Whether the bytes before those that were just read are still there, and the file is not shorter."""
        if os.fstat(self._descriptor).st_size < self._offset + read:
            return False
        if not self._offset:
            return os.pread(self._descriptor, len(self._expected), 0) == self._expected
        return os.pread(self._descriptor, len(self._before), self._offset - len(self._before)) == self._before
