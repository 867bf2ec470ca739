"""A text file with lines of its own for each indicator, replaced whole, in the order of the ids."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Report
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.picture.entry import Entry


class LineFile:
    """The writer of such a format.

    ``lines`` gives an indicator's lines, or why it is left out; two indicators have no line in common. ``value_of``
    gives the value that a line is about, empty if it is no indicator's line. ``heading`` has the lines before all
    others, behind the stamp, which begins with ``comment``.
    """

    def __init__(
        self,
        path: Path,
        lines: Callable[[Entry], Sequence[str] | LeftOut],
        value_of: Callable[[str], str],
        *,
        heading: Callable[[], Sequence[str]] = tuple,
        comment: str = "#",
    ) -> None:
        self._path, self._lines, self._value_of, self._heading, self._comment = path, lines, value_of, heading, comment

    def held(self) -> Held | None:
        """By the comment in its first line."""
        return read_stamp(self._path, self._comment)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file."""
        written, left_out, heading = 0, Counter[LeftOut](), self._heading()
        with replaced(self._path) as file:
            file.write(stamp(held, self._comment))
            file.writelines(f"{line}\n".encode() for line in heading)
            for entry in entries:
                lines = self._lines(entry)
                if isinstance(lines, LeftOut):
                    left_out[lines] += 1
                    continue
                file.writelines(f"{line}\n".encode() for line in lines)
                written += 1
        return Report(written, left_out=left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the file: the format has no other way."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the lines in the file."""
        found = self._read()
        for entry in entries:
            lines = self._lines(entry)
            if isinstance(lines, LeftOut):
                continue
            if not found.issuperset(lines):
                yield Difference("missing", entry.id)
            found.difference_update(lines)
        for value in sorted({self._value_of(line) for line in found}):
            yield Difference("extra", "", value)

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _read(self) -> set[str]:
        try:
            text = self._path.read_bytes().decode("utf-8", "replace")
        except OSError:
            return set()
        return {line for line in text.split("\n") if self._value_of(line)}
