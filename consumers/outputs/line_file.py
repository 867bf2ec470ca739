"""A text file with lines of its own for each indicator: written in the order of the ids, and edited from then on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from consumers.outputs.edit import Edit, Named
from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Put, Remove, Report
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.picture.entry import Entry
from exchange.file_identity import Identity, identity


class LineFile:
    """The writer of such a format.

    ``lines`` gives an indicator's lines, or why it is left out. ``value_of`` gives the value that a line is about, or
    nothing if it is no indicator's line. ``heading`` has the lines after the stamp, always the same number of them; the
    stamp begins with ``comment``. If two indicators may have a line in common, the file ``is_whole``: it is never
    edited, because the line has to stay when only one of them leaves.
    """

    def __init__(
        self,
        path: Path,
        lines: Callable[[Named], Sequence[str] | LeftOut],
        value_of: Callable[[str], str],
        *,
        heading: Callable[[], Sequence[str]] = tuple,
        comment: str = "#",
        is_whole: bool = False,
    ) -> None:
        self._path, self._lines, self._value_of, self._heading, self._comment = path, lines, value_of, heading, comment
        self._is_whole = is_whole
        self._own: Identity | None = None

    def held(self) -> Held | None:
        """By the comment in its first line."""
        return read_stamp(self._path, self._comment)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file."""
        written, left_out, heading = 0, Counter[LeftOut](), self._heading()
        self._own = None
        with replaced(self._path) as file:
            file.write(self._head(held, heading))
            for entry in entries:
                lines = self._lines(entry)
                if isinstance(lines, LeftOut):
                    left_out[lines] += 1
                    continue
                file.writelines(map(_line, lines))
                written += 1
        self._own = identity(self._path)
        return Report(written, left_out=left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Edit the file if it is as this process wrote it; otherwise replace it."""
        if self._is_whole or self._own is None or self._own != identity(self._path):
            return self.write(whole(), held)
        edit, left_out, counts, heading = Edit(), Counter[LeftOut](), Counter[type[Change]](), self._heading()
        for change in changes:
            lines = self._lines(change.entry if isinstance(change, Put) else change)
            if isinstance(lines, LeftOut):
                left_out[lines] += isinstance(change, Put)
                continue
            counts[type(change)] += 1
            for line in map(_line, lines):
                if isinstance(change, Put):
                    edit.put(line, line)
                else:
                    edit.remove(line)
        self._own = None
        with replaced(self._path) as file:
            file.write(self._head(held, heading))
            edit.write(self._path, 1 + len(heading), file)
        self._own = identity(self._path)
        return Report(counts[Put], counts[Remove], left_out)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the lines in the file."""
        found = self._read()
        extra = set(found)
        for entry in entries:
            lines = self._lines(entry)
            if isinstance(lines, LeftOut):
                continue
            if not found.issuperset(lines):
                yield Difference("missing", entry.id)
            extra.difference_update(lines)
        for value in sorted({self._value_of(line) for line in extra}):
            yield Difference("extra", "", value)

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _head(self, held: Held, heading: Sequence[str]) -> bytes:
        return stamp(held, self._comment) + b"".join(map(_line, heading))

    def _read(self) -> set[str]:
        try:
            text = self._path.read_bytes().decode("utf-8", "replace")
        except OSError:
            return set()
        return {line for line in text.split("\n") if self._value_of(line)}


def _line(text: str) -> bytes:
    return f"{text}\n".encode()
