"""The output of ``kakehashi produce``: a progress bar on a terminal, lines in a pipe, and the closing summary."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from kakehashi.terminal import printable
from producers.readers.formats import on_request
from producers.readers.reading import LeftOut
from producers.spool.publisher import Publisher
from producers.spool.refusal import place_name
from producers.spool.spool import Spool
from producers.summary import FileRead, Summary
from schemas.counting import counted

_SAY_AGAIN_S: Final = 30.0
_REFRESH_S: Final = 0.1


class Watcher:
    """A view of ``producers.produce``. On a terminal it draws; elsewhere it prints only trouble.

    With ``explain_skips`` it prints each piece of input that is left out, too.
    """

    def __init__(
        self, console: Console, progress: Progress | None, where: str, total: int | None, *, explain_skips: bool = False
    ) -> None:
        self._console, self._progress, self._where, self._total = console, progress, where, total
        self._explain_skips = explain_skips
        self._task: TaskID | None = None
        self._done_before = self._done_here = 0
        self._drawn_at = self._said_at = -_SAY_AGAIN_S
        self._has_waited = False

    def opened(self, name: str, _size: int | None) -> None:
        """A next input begins."""
        self._done_before, self._done_here = self._done_before + self._done_here, 0
        if self._progress is not None:
            if self._task is None:
                self._task = self._progress.add_task("", total=self._total, state="")
            self._progress.update(self._task, description=Path(name).name)

    def left_out(self, piece: LeftOut) -> None:
        """A piece of input was left out by a rule."""
        if self._explain_skips:
            detail = f": {printable(piece.detail)}" if piece.detail else ""
            text = f"{place_name(piece.place)}: left out: {piece.rule}{detail}"
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def gap(self, text: str) -> None:
        """Something that was written could not be read."""
        self._console.print(f"gap: {printable(text)}", markup=False, highlight=False, soft_wrap=True)

    def failed(self, text: str) -> None:
        """A live input could not be read for now."""
        self._console.print(f"trouble: {printable(text)}", markup=False, highlight=False, soft_wrap=True)

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher) -> None:
        """Something continued, or still does not."""
        now = time.monotonic()
        self._done_here = max(self._done_here, bytes_read)
        if self._progress is not None:
            if now - self._drawn_at >= _REFRESH_S:
                self._drawn_at = now
                self._draw(summary, spool, publisher)
        elif _is_waiting(spool, publisher):
            if now - self._said_at >= _SAY_AGAIN_S:
                self._said_at, self._has_waited = now, True
                self._console.print(_trouble(self._where, spool, publisher), markup=False, highlight=False)
        elif self._has_waited and not spool.pending_records:
            self._said_at, self._has_waited = -_SAY_AGAIN_S, False
            self._console.print(f"{self._where} has acknowledged all that waited", markup=False, highlight=False)

    def _draw(self, summary: Summary, spool: Spool, publisher: Publisher) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("spool", total=self._total, state="")
        state = f"{counted(summary.observations, 'observation')} · {counted(publisher.reports, 'report')} sent"
        if spool.pending_reports:
            state += f" · {spool.pending_reports:,} waiting"
        if _is_waiting(spool, publisher):
            waiting = f"{waiting_in(spool)} on disk, stopping loses nothing"
            state = f"[yellow]no answer; {waiting}[/yellow]"
        self._progress.update(self._task, completed=self._done_before + self._done_here, state=state)


@contextmanager
def watching(console: Console, where: str, total: int | None, *, explain_skips: bool = False) -> Iterator[Watcher]:
    """A view for one run. ``total`` is how many bytes the inputs have; ``None`` if it is unknown."""
    if not console.is_terminal:
        yield Watcher(console, None, where, total, explain_skips=explain_skips)
        return
    columns = (
        TextColumn("{task.description}", markup=False),  # a file's name is neither markup nor an emoji code
        BarColumn(bar_width=12),  # all of it in one line of 80 columns
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Watcher(console, progress, where, total, explain_skips=explain_skips)


def _is_waiting(spool: Spool, publisher: Publisher) -> bool:
    """Whether something waits for a cluster that does not answer. With nothing to send, its state is not known."""
    return bool(publisher.trouble and spool.pending_records)


def _trouble(where: str, spool: Spool, publisher: Publisher) -> str:
    return f"waiting for {where} ({publisher.trouble}); {waiting_in(spool)} in {spool.folder}: stopping loses nothing"


def waiting_in(spool: Spool) -> str:
    """What waits in the spool: reports, or, if there is none, refusals for quarantine."""
    reports, records = spool.pending_reports, spool.pending_records
    return counted(records, "refusal") if records and not reports else counted(reports, "report")


def show_summary(
    out: Console, summary: Summary, publisher: Publisher, where: str, *, json: bool, has_again: bool
) -> None:
    """Print the closing summary, for people or for programs; ``has_again`` if the command has the option --again."""
    lines = [as_json(summary, publisher)] if json else closing_lines(summary, publisher, where, has_again=has_again)
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def closing_lines(summary: Summary, publisher: Publisher, where: str, *, has_again: bool = True) -> Iterator[str]:
    """The closing summary, line by line; ``has_again`` if the command has the option --again."""
    yield from _each_file(summary)
    if summary.files or summary.withdrawn or publisher.reports or not (summary.skipped or summary.unreviewed):
        yield from _what_was_read(summary, publisher, where)
    for name in summary.skipped:
        advice = "; use --again if it should count once more" if has_again else ""
        yield f"{name}: read before, so not again{advice}"
    for gap in summary.gaps:
        yield f"gap: {gap}"
    if (kept := summary.kept) is not None:
        yield (
            f"{kept.gone:,} of {counted(kept.before, 'value')} of a snapshot or event are not named any more, and none "
            f"was withdrawn: {kept.reason}. If that is right, run it again with --accept-removals"
        )
    yield from summary.unreviewed
    yield from summary.marked.lines()
    yield from _not_for_detection(summary)
    if summary.left_out:
        yield f"left out: {', '.join(f'{count:,} {rule}' for rule, count in summary.left_out.most_common())}"
        asked = " ".join(f"--include {rule}" for rule in on_request() if rule in summary.left_out)
        if asked:
            yield f"  taken, without a confidence, if you ask for it: {asked}"
    if summary.rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in summary.rejected.most_common())
        yield f"refused and kept in quarantine: {reasons}"
        if summary.not_carried:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in summary.not_carried.most_common())
            yield f"  of kinds that the exchange does not carry: {kinds}"
        for refused in summary.first_rejected:
            yield f"  {place_name(refused.place)}: {refused.reason}: {refused.detail}"
        if summary.rejected.total() > len(summary.first_rejected):
            yield f"  and {summary.rejected.total() - len(summary.first_rejected):,} more"


def _each_file(summary: Summary) -> Iterator[str]:
    """A line for each file, if there are several; the others are named by the lines that follow."""
    if len(summary.by_file) + len(summary.skipped) + len(summary.unreviewed) < 2:
        return
    for each in summary.by_file:
        found = each.found
        counts = ((found.withdrawn, "withdrawn"), (found.left_out, "left out"), (found.refused, "refused"))
        rest = "".join(f", {count:,} {what}" for count, what in counts if count)
        reader = f"{each.reader}, " if each.reader else ""
        read = f"{reader}{counted(each.records, each.unit)}"
        yield f"{printable(each.name)}: {read}: {counted(found.observations, 'observation')}{rest}"


def _not_for_detection(summary: Summary) -> Iterator[str]:
    """MISP's attributes that their author did not mark for detection: of a whole event there may be no other."""
    attributes, kept = summary.records["attribute"], summary.left_out["not-to-ids"]
    if attributes and kept:
        share = "none" if kept == attributes else f"{kept:,} not"
        yield f"{counted(attributes, 'attribute')}, {share} for detection: --misp-context takes them as unrated"


def _what_was_read(summary: Summary, publisher: Publisher, where: str) -> Iterator[str]:
    read = " and ".join(counted(count, unit) for unit, count in sorted(summary.records.items())) or "no lines"
    found = counted(summary.observations, "observation")
    if summary.withdrawn:  # the source does not assert the value any more
        found += f" and {counted(summary.withdrawn, 'withdrawal')}"
    files = f"{counted(summary.files, 'file')}, " if summary.files else ""  # one that is followed has not ended
    yield f"{files}{read}: {found} in {counted(summary.reports, 'report')}"
    sent = f"{counted(publisher.reports, 'report')} with {counted(publisher.observations, 'observation')}"
    yield f"acknowledged by {where}: {sent}{', withdrawals included' if summary.withdrawn else ''}"


def as_json(summary: Summary, publisher: Publisher) -> str:
    """The closing summary for programs."""
    return json.dumps(
        {
            "files": summary.files,
            "skipped": summary.skipped,
            "gaps": summary.gaps,
            "records": summary.records.total(),
            "observations": summary.observations,
            "reports": summary.reports,
            "rejected": {str(reason): count for reason, count in summary.rejected.most_common()},
            "withdrawn": summary.withdrawn,
            "kept": 0 if summary.kept is None else summary.kept.gone,
            "not_carried": dict(summary.not_carried.most_common()),
            "left_out": dict(summary.left_out.most_common()),
            "marking_applied": summary.marked.applied,
            "marking_joined": summary.marked.joined,
            "marking_not_needed": summary.marked.read - summary.marked.applied,
            "by_file": [_file_as_json(each) for each in summary.by_file],
            "unreviewed": summary.unreviewed,
            "acknowledged_reports": publisher.reports,
            "acknowledged_observations": publisher.observations,
        },
        ensure_ascii=False,
    )


def _file_as_json(read: FileRead) -> dict[str, object]:
    found = read.found
    return {
        "file": read.name,
        "format": read.reader,
        "records": read.records,
        "observations": found.observations,
        "withdrawn": found.withdrawn,
        "left_out": found.left_out,
        "rejected": found.refused,
    }
