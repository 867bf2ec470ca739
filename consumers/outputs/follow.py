"""Keeps one target current: the whole picture first, then every change; removals come first after downtime.

The position is in the target itself, stored with its content. So a crash between the target and anything else only
repeats changes, which changes nothing.
"""

import logging
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.carried import BATCH, Carried, batches, left_between, merged, portions
from consumers.outputs.counting import Counting, counted
from consumers.outputs.foreign import ON_A_DISK, foreign, mark
from consumers.outputs.only_writer import take
from consumers.outputs.protocol import (
    Change,
    Difference,
    Held,
    LeftOut,
    Output,
    OutputUnavailable,
    Report,
    Target,
    Writer,
)
from consumers.picture.followers import advance, applied_by, register
from consumers.picture.picture import Picture
from consumers.picture.tables import connect
from exchange.errors import NotFound, Refused

_log = logging.getLogger(__name__)
_LOOK_S: Final = 0.5
_BEHIND_S: Final = 0.02  # how often an output looks whether the files that it waits for are there
_AUDIT_EVERY_S: Final = 3_600.0
_AUDITED: Final = 10_000
_AUDIT_AGAIN_S: Final = 60.0  # after a repair
_EDITED: Final = 50_000  # changes that are held at once; with more, a target that is replaced is written whole
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0


class OutputStatus(msgspec.Struct, frozen=True):
    """The status of an output. ``trouble`` is why it is not current; empty if nothing is wrong. ``indicators`` are
    those that it holds, by the last count; ``through_us`` is the last change that it has applied. ``differences`` are
    those that an audit has found; None without one."""

    indicators: int | None = None
    left_out: dict[LeftOut, int] = {}
    through_us: int = 0
    trouble: str = "has not begun"
    differences: int | None = None


class Following:
    """One output on one target. One thread uses it; ``standing`` may be read by others."""

    def __init__(
        self,
        name: str,
        output: Output,
        target: Target,
        carried: Carried,
        path: Path,
        clock_ms: Callable[[], int],
        files: "Following | None" = None,
    ) -> None:
        """``name`` is the target as the user wrote it; ``path`` is the picture's file.

        ``files``, if given, come first: this output is never ahead of them, and is audited.
        """
        self.name, self.standing, self._files = name, OutputStatus(), files
        self._output, self._carried, self._path, self._clock_ms = output, carried, path, clock_ms
        self._nation, self._target = target.nation, target
        self._writer: Writer = output.open(target)
        self._held: Held | None = None
        self._lock: int | None = None
        self._rests_until_s, self._whole_us, self._audit_s = 0.0, 0, 0.0
        self._unfit: dict[LeftOut, int] = {}  # what the format could not carry since it was last written whole

    def take(self) -> None:
        """Be the only one that writes this target from this picture.

        Raises Refused if another process does, and if somebody else wrote the target.
        """
        self.must_be_own()
        self._lock = take(self._path, self.name, self._clock_ms())
        mark(self._output, self._target)

    def must_be_own(self) -> None:
        """Raises Refused if the target has what this output did not write."""
        why = foreign(self._output, self._target, self._writer)
        if why:
            raise Refused(f"{self.name}: {why}")

    def close(self) -> None:
        """Close what is open. The target stays, and so does its position in the picture."""
        self._writer.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def run(self, stopping: threading.Event, written: Callable[["Following", bool], None] = lambda *_: None) -> None:
        """Keep it current until ``stopping``. ``written`` is called for each turn that wrote, or failed to.

        A target that cannot be written is tried again without end, at growing intervals.
        """
        retry_s = _FIRST_RETRY_S
        while not stopping.is_set():
            try:
                with Picture(self._path, self._nation, self._clock_ms) as picture:
                    counting = Counting(self._carried, picture)
                    while not stopping.is_set() and not picture.is_replaced():
                        if self.turn(picture):
                            written(self, True)
                        self._audit(picture)
                        retry_s = _FIRST_RETRY_S
                        self._note_count(counting.some(self._whole_us))
                        self._wait(picture, stopping)
            except NotFound as error:  # it is being made, or made anew
                self._say(f"{error}")
                stopping.wait(_LOOK_S)
            except (OutputUnavailable, sqlite3.OperationalError) as error:  # the picture's disk may be the full one
                _log.warning("output.unavailable output=%s retry_s=%.0f: %s", self.name, retry_s, error)
                self._say(f"{error}")
                written(self, False)
                stopping.wait(retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)

    def turn(self, picture: Picture) -> bool:
        """Bring the target up to date with the picture. Returns whether there was something to do.

        Raises OutputUnavailable.
        """
        head_us = picture.head_us() if self._files is None else self._files.holds(picture)
        if self._files is not None and not head_us:
            self._say(f"waits for {self._files.name}")
            return False
        if self._held is not None and self._held.picture == picture.id and self._held.added_us == head_us:
            return False
        if time.monotonic() < self._rests_until_s:
            return False
        database = connect(self._path, writes=True)
        try:
            return self._turn(picture, head_us, database)
        except OutputUnavailable:
            self._held = None  # to be read from the target again
            raise
        finally:
            database.close()

    def holds(self, picture: Picture) -> int:
        """The change of this picture up to which the target certainly holds everything; 0 if that is not known."""
        held = self._held
        return held.added_us if held is not None and held.picture == picture.id else 0

    def check(self, picture: Picture) -> list[Difference]:
        """Compare the target with the picture; both may change meanwhile."""
        why = foreign(self._output, self._target, self._writer)
        if why:
            return [Difference("foreign", "", why)]
        return list(self._writer.check(self._carried.entries(picture, Counter())))

    def altered(self, picture: Picture) -> list[Difference]:
        """What other programs have changed in files that are current. A receiver may show a change only later: `check`
        is for those."""
        is_file = self._output.place in ON_A_DISK
        return self.check(picture) if is_file and not self.standing.trouble else []

    def would_write(self, picture: Picture) -> Report:
        """What a whole write would carry, without writing."""
        return counted(self._carried, picture)

    def count(self, picture: Picture) -> None:
        """Count what the target holds, if that is not known from a whole write."""
        if self.standing.indicators is None:
            self._note_count(self.would_write(picture))

    def _turn(self, picture: Picture, head_us: int, database: sqlite3.Connection) -> bool:
        held, trouble = self._held or self._writer.held(), self.standing.trouble
        if self._held is None or held is None or held.picture != picture.id:
            wanted = self._carried.origins or [each.origin for each in picture.origins()]
            register(database, self.name, wanted, head_us, self._clock_ms())
        if held is None or not self._continues(held, picture, applied_by(database, self.name), head_us):
            if not self._carried.is_whole(picture):  # half a picture would unblock the other half
                self._say("waits until the picture is whole")
                return False
            self._write(picture, head_us)
        elif self._output.rewrites:
            self._rewrite(picture, held.added_us, head_us, database)
        else:
            self._apply(picture, held.added_us, head_us, database)
        self._held = self._holds(picture, head_us)
        advance(database, self.name, head_us, head_us, self._clock_ms())
        self.standing = msgspec.structs.replace(self.standing, through_us=head_us, trouble="")
        if trouble:
            _log.info("output.current output=%s indicators=%s", self.name, self.standing.indicators)
        return True

    def _continues(self, held: Held, picture: Picture, applied_us: int, head_us: int) -> bool:
        """Whether the changes that the target lacks are all there. A target that was restored from an older copy lacks
        some whose values the picture has forgotten."""
        return (
            held.picture == picture.id
            and held.selection == self._carried.selection
            and applied_us <= held.added_us <= head_us
        )

    def _rewrite(self, picture: Picture, after_us: int, head_us: int, database: sqlite3.Connection) -> None:
        """Replace files once for all waiting changes; not at all if none makes a difference."""
        began_s, held = time.monotonic(), self._holds(picture, head_us)
        changes = self._carried.changes(picture, database, (after_us, head_us), _EDITED)
        if changes is None:
            self._write(picture, head_us)
        elif changes:
            report = self._writer.apply(changes, held, lambda: self._carried.entries(picture, Counter()))
            self._unfit = merged(self._unfit, report.left_out)
            self._rests_until_s = 2 * time.monotonic() - began_s

    def _write(self, picture: Picture, head_us: int) -> None:
        """Replace the target's content. Changes made meanwhile come again after it."""
        began_s, left_out = time.monotonic(), Counter[LeftOut]()
        report = self._writer.write(self._carried.entries(picture, left_out), self._holds(picture, head_us))
        self._unfit, self._whole_us = dict(report.left_out), head_us
        differences = self.standing.differences
        self.standing = OutputStatus(report.written, merged(left_out, self._unfit), head_us, "", differences)
        ended_s = time.monotonic()
        self._rests_until_s = ended_s + (ended_s - began_s) if self._output.rewrites else 0.0

    def _apply(self, picture: Picture, after_us: int, head_us: int, database: sqlite3.Connection) -> None:
        """The removals among the waiting changes first, then all changes in their order."""
        for left in left_between(database, after_us, head_us):
            self._hand_on(picture, self._carried.removals(picture, (), left), after_us)
        for changed in portions(picture, after_us, head_us):
            self._hand_on(picture, self._carried.removals(picture, changed, ()), after_us)
        advance(database, self.name, head_us, after_us, self._clock_ms())
        for changed in portions(picture, after_us, head_us):
            self._hand_on(picture, self._carried.puts(picture, changed), changed[-1].added_us)
        self._hand_on(picture, [], head_us, always=True)

    def _hand_on(self, picture: Picture, changes: Sequence[Change], through_us: int, *, always: bool = False) -> None:
        held = self._holds(picture, through_us)
        for portion in batches(changes, BATCH) if changes else ([()] if always else []):
            report = self._writer.apply(portion, held, lambda: self._carried.entries(picture, Counter()))
            self._unfit = merged(self._unfit, report.left_out)

    def _audit(self, picture: Picture) -> None:
        """Check a tool's memory now and then, and let it load its files again if something is missing."""
        if self._files is None or self._held is None or time.monotonic() < self._audit_s:
            return
        sample = self._carried.sample(picture, _AUDITED)
        found, before = sum(1 for _ in self._writer.check(sample)), self.standing.differences
        self.standing = msgspec.structs.replace(self.standing, differences=found)
        if found:
            _log.warning("output.differs output=%s differences=%d", self.name, found)
        if found and not before:  # if that does not help, the next load would not either
            self._write(picture, self._held.added_us)
        self._audit_s = time.monotonic() + (_AUDIT_AGAIN_S if found and not before else _AUDIT_EVERY_S)

    def _wait(self, picture: Picture, stopping: threading.Event) -> None:
        """Wait until there may be something to do."""
        if self._files is None:
            picture.wait(self.standing.through_us, _LOOK_S, stopping)
        else:
            stopping.wait(_BEHIND_S)

    def _note_count(self, report: Report | None) -> None:
        if report is not None:
            indicators = max(0, report.written - sum(self._unfit.values()))
            left_out = merged(report.left_out, self._unfit)
            self.standing = msgspec.structs.replace(self.standing, indicators=indicators, left_out=left_out)

    def _holds(self, picture: Picture, through_us: int) -> Held:
        return Held(picture.id, self._carried.selection, through_us, self._output.name)

    def _say(self, trouble: str) -> None:
        self.standing = msgspec.structs.replace(self.standing, trouble=trouble)
