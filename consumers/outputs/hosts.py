"""A hosts file (hosts(5)): names that resolve to nowhere on the machine that has it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Output, Report, Target
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.picture.entry import Entry
from exchange.errors import ConfigurationError
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

_SINK: Final = "0.0.0.0"  # noqa: S104  # no address is bound: the name resolves to none
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)


class HostsFile:
    """One file, replaced whole: a line for each name, in the order of the ids."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def held(self) -> Held | None:
        """By the comment in its first line."""
        return read_stamp(self._path)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file."""
        written = refused = 0
        with replaced(self._path) as file:
            file.write(stamp(held))
            for entry in entries:
                if _NAME.fullmatch(entry.value) is None:
                    refused += 1
                    continue
                file.write(f"{_SINK} {entry.value}\n".encode("ascii"))
                written += 1
        return Report(written, left_out={LeftOut.VALUE: refused} if refused else {})

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the file: the format has no other way."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the names in the file."""
        try:
            text = self._path.read_text("ascii", "replace")
        except OSError:
            text = ""
        names = {line.removeprefix(f"{_SINK} ") for line in text.splitlines() if line.startswith(f"{_SINK} ")}
        for entry in entries:
            if _NAME.fullmatch(entry.value) is None:
                continue
            if entry.value in names:
                names.discard(entry.value)
            else:
                yield Difference("missing", entry.id)
        for name in sorted(names):
            yield Difference("extra", "", name)

    def close(self) -> None:
        """Nothing is open between two writes."""


def _open(target: Target) -> HostsFile:
    path = Path(target.place)
    if not path.parent.is_dir():
        raise ConfigurationError(f"hosts:{target.place}: the folder {path.parent} does not exist: make it first")
    if path.is_dir():
        raise ConfigurationError(f"hosts:{target.place}: this is a folder: name a file in it")
    return HostsFile(path)


OUTPUT: Final = Output(
    name="hosts",
    writes="a hosts file: each name resolves to `0.0.0.0`",
    place="FILE",
    carries=frozenset({IndicatorType.DOMAIN_NAME}),
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    rewrites=True,
)
