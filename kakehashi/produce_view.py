"""How ``kakehashi produce`` looks: a progress bar on a terminal, lines where it is piped, and the closing summary."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from producers.produce import Summary
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.spooling import place_name

_SAY_AGAIN_S: Final = 30.0
_REFRESH_S: Final = 0.1


class Watcher:
    """A view of ``producers.produce``. On a terminal it draws; elsewhere it says only what is wrong."""

    def __init__(self, console: Console, progress: Progress | None, where: str, total: int | None) -> None:
        self._console, self._progress, self._where, self._total = console, progress, where, total
        self._task: TaskID | None = None
        self._done_before = self._done_here = 0
        self._drawn_at = self._said_at = -_SAY_AGAIN_S

    def opened(self, name: str, _size: int | None) -> None:
        """A next input begins."""
        self._done_before, self._done_here = self._done_before + self._done_here, 0
        if self._progress is not None:
            if self._task is None:
                self._task = self._progress.add_task("", total=self._total, state="")
            self._progress.update(self._task, description=escape(Path(name).name))

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher) -> None:
        """Something went on, or still does not."""
        now = time.monotonic()
        self._done_here = max(self._done_here, bytes_read)
        if self._progress is not None:
            if now - self._drawn_at >= _REFRESH_S:
                self._drawn_at = now
                self._draw(summary, spool, publisher)
        elif publisher.trouble and now - self._said_at >= _SAY_AGAIN_S:
            self._said_at = now
            self._console.print(_trouble(self._where, spool, publisher), markup=False, highlight=False)

    def _draw(self, summary: Summary, spool: Spool, publisher: Publisher) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("spool", total=self._total, state="")
        state = f"{summary.observations:,} observations · {publisher.reports:,} reports sent"
        if spool.pending_reports:
            state += f" · {spool.pending_reports:,} waiting"
        if publisher.trouble:
            waiting = f"{spool.pending_reports:,} reports are safe on disk, stopping loses nothing"
            state = f"[yellow]no answer; {waiting}[/yellow]"
        self._progress.update(self._task, completed=self._done_before + self._done_here, state=state)


@contextmanager
def watching(console: Console, where: str, total: int | None) -> Iterator[Watcher]:
    """A view for one run. ``total`` is how many bytes the inputs have; ``None`` where nobody knows."""
    if not console.is_terminal:
        yield Watcher(console, None, where, total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Watcher(console, progress, where, total)


def _trouble(where: str, spool: Spool, publisher: Publisher) -> str:
    return (
        f"waiting for {where} ({publisher.trouble}); {spool.pending_reports:,} reports are safe in {spool.folder}, "
        "and stopping loses nothing"
    )


def told(summary: Summary, publisher: Publisher, where: str) -> Iterator[str]:
    """The closing summary, line by line."""
    yield (
        f"{summary.files:,} files, {summary.records:,} lines or records: {summary.observations:,} observations in "
        f"{summary.reports:,} reports"
    )
    yield f"{publisher.reports:,} reports with {publisher.observations:,} observations are acknowledged by {where}"
    for name in summary.skipped:
        yield f"{name}: read before, so not again; if it is to count once more, say --again"
    if summary.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in summary.rejected.most_common())
        yield f"refused and kept in quarantine: {reasons}"
        for refused in summary.first_rejected:
            yield f"  {place_name(refused.place)}: {refused.reason}: {refused.detail}"
        if summary.rejected.total() > len(summary.first_rejected):
            yield f"  and {summary.rejected.total() - len(summary.first_rejected):,} more"


def as_json(summary: Summary, publisher: Publisher) -> str:
    """The same for programs."""
    return json.dumps(
        {
            "files": summary.files,
            "skipped": summary.skipped,
            "records": summary.records,
            "observations": summary.observations,
            "reports": summary.reports,
            "rejected": {str(reason): count for reason, count in summary.rejected.most_common()},
            "acknowledged_reports": publisher.reports,
            "acknowledged_observations": publisher.observations,
        },
        ensure_ascii=False,
    )
