"""Outputs for tests that follow a picture in memory: one that is written whole, and one that takes changes."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.carried import carried_by
from consumers.outputs.follow import Following
from consumers.outputs.known import outputs
from consumers.outputs.protocol import (
    EVERY_TYPE,
    Change,
    Difference,
    Held,
    Output,
    OutputUnavailable,
    Put,
    Remove,
    Report,
    Target,
)
from consumers.picture.entry import Entry
from consumers.picture.filters import Filter
from schemas.markings import Activity
from tests.consumers.picture.topics import NATION, World


class KeyedFile:
    """A JSON file with the value of each id, and origin unless it merges: it takes changes.

    ``handed`` is every call.
    """

    def __init__(self, path: Path, *, merges: bool) -> None:
        self.path, self.is_away, self._merges = path, False, merges
        self.handed: list[list[Change]] = []
        self.wholes = 0

    def held(self) -> Held | None:
        """From the file."""
        return msgspec.convert(self._read()["held"], Held) if self.path.exists() else None

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """All of it."""
        self._fail_if_away()
        self.wholes += 1
        return self._store({self._key(each): each.value for each in entries}, held)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Each change."""
        del whole
        self._fail_if_away()
        self.handed.append(list(changes))
        values = self.values
        for change in changes:
            if isinstance(change, Put):
                values[self._key(change.entry)] = change.entry.value
            else:
                values.pop(self._key(change), None)
        return self._store(values, held)

    def check(self, entries: Iterable[Entry]) -> list[Difference]:
        """By the values."""
        wanted = {self._key(each) for each in entries}
        return [Difference("altered", name) for name in wanted ^ self.values.keys()]

    def close(self) -> None:
        """Nothing is open."""

    @property
    def values(self) -> dict[str, str]:
        """What the target holds."""
        return dict(self._read()["values"]) if self.path.exists() else {}

    def _key(self, of: Entry | Remove) -> str:
        return of.id if self._merges else f"{of.id}/{of.origin}"

    def _store(self, values: dict[str, str], held: Held) -> Report:
        self.path.write_text(json.dumps({"held": msgspec.to_builtins(held), "values": values}))
        return Report(len(values))

    def _read(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads(self.path.read_text())
        return found

    def _fail_if_away(self) -> None:
        if self.is_away:
            raise OutputUnavailable("the receiver is away")


class Followed:
    """An output that follows a world's picture."""

    def __init__(self, world: World, target: Path, *, merges: bool = False, filters: Filter | None = None) -> None:
        self.writer = KeyedFile(target, merges=merges)
        self._world = world
        output = Output(
            name="keyed",
            writes="a JSON file",
            place="FILE",
            carries=EVERY_TYPE,
            activity=Activity.ACTIVE,
            merges=merges,
            open=lambda _: self.writer,
        )
        self.following = following(world, output, target, filters)

    def turn(self) -> bool:
        """Bring the target up to date."""
        with self._world.picture() as picture:
            return self.following.turn(picture)

    @property
    def values(self) -> list[str]:
        """What the target holds."""
        return sorted(self.writer.values.values())


def hosts_file(world: World, target: Path, filters: Filter | None = None) -> Following:
    """A hosts file that follows a world's picture."""
    return file_of(world, "hosts", target, filters)


def file_of(world: World, output: str, target: Path, filters: Filter | None = None) -> Following:
    """A file of an output that follows a world's picture."""
    return following(world, outputs()[output], target, filters)


def following(world: World, output: Output, place: Path, filters: Filter | None = None) -> Following:
    """An output on a disk that follows a world's picture."""
    target: Final = Target(NATION, str(place))
    carried = carried_by(output, target, filters or Filter())
    return Following(f"{output.name}:{place}", output, target, carried, world.path, world.clock_ms)
