"""``kakehashi export``: what the nation sees, as a file for another program."""

import enum
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi import filter_options as options
from kakehashi.commands.soc.search import Local
from kakehashi.examples import examples
from schemas.counting import counted

if TYPE_CHECKING:
    from consumers.picture.entry import Entry
    from consumers.picture.filters import Filter
    from consumers.picture.picture import Picture
    from consumers.subscription.changes import Use

_EXAMPLES = examples(
    ("kakehashi export --nation JPN --format csv > all.csv", "for a spreadsheet"),
    ("kakehashi export --nation JPN --format jsonl --since yesterday", "what came since, one object a line"),
    ("kakehashi export --nation JPN --format values --type ipv4-addr --activity active", "what may be blocked"),
)


class Format(enum.StrEnum):
    """How it is written."""

    JSONL = "jsonl"
    CSV = "csv"
    VALUES = "values"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Looking")
    def export(
        nation: Annotated[str, typer.Option(help="Whose picture, for example JPN.")],
        format_: Annotated[
            Format, typer.Option("--format", help="jsonl: JSON lines. csv: for spreadsheets. values: each value once.")
        ] = Format.JSONL,
        out: Annotated[
            Path | None, typer.Option(help="A file, replaced at once; standard output if not given.")
        ] = None,
        words: Annotated[str, typer.Argument(help="Words to find; all indicators if not given.")] = "",
        partner: Annotated[str, typer.Option(help="Only this partner's indicators.")] = "",
        own: Annotated[bool, typer.Option("--own", help="Only the nation's own indicators.")] = False,
        type_: options.Types = None,
        value: options.Value = "",
        cidr: options.Cidr = "",
        label: options.Labels = None,
        technique: options.Techniques = None,
        confidence: options.Confidence = None,
        tlp_max: options.TlpMax = "",
        since: options.Since = "",
        seen_since: options.SeenSince = "",
        seen_until: options.SeenUntil = "",
        state: options.States = None,
        activity: options.Activity = "passive-local",
        unstated_pap: options.UnstatedPap = "",
        local: Local = False,
    ) -> None:
        """Write indicators for another program: once, as they are now. `kakehashi output run` keeps a file current.

        What PAP does not allow for your activity is left out, and counted on standard error.
        """
        from exchange.settings import Settings
        from kakehashi.picture_of import note_of_ended, picture_of

        filters = options.filter_of(
            partner=partner,
            own=nation if own else "",
            types=type_,
            value=value,
            cidr=cidr,
            labels=label,
            techniques=technique,
            confidence=confidence,
            tlp_max=tlp_max,
            since=since,
            seen_since=seen_since,
            seen_until=seen_until,
            text=words,
            states=state,
        )
        use = options.use_of(activity, unstated_pap)
        with picture_of(nation, Settings.from_env(os.environ), os.environ, update=not local) as picture:
            note_of_ended(picture, filters)
            allowed = _Allowed(picture, filters, use)
            _write(_lines(allowed, format_), out)
        if allowed.limited:
            typer.echo(f"left out: {counted(allowed.limited, 'indicator')}, as PAP forbids {activity} use", err=True)


class _Allowed:
    """What the reader may use; ``limited`` is how many PAP has kept back so far."""

    def __init__(self, picture: "Picture", filters: "Filter", use: "Use") -> None:
        self._found, self._use, self.limited = picture.entries(filters), use, 0

    def __iter__(self) -> "Iterator[Entry]":
        for entry in self._found:
            if self._use.allowed_by(entry.pap_code):
                yield entry
            else:
                self.limited += 1


def _lines(entries: "_Allowed", format_: Format) -> Iterator[bytes]:
    import msgspec

    from consumers.picture.as_record import csv_lines, record_of

    if format_ is Format.JSONL:
        for entry in entries:
            yield msgspec.json.encode(record_of(entry)) + b"\n"
    elif format_ is Format.CSV:
        for line in csv_lines(entries):
            yield line.encode() + b"\r\n"
    else:
        last = ""
        for entry in entries:
            if entry.id != last:
                last = entry.id
                yield entry.value.encode() + b"\n"


def _write(lines: Iterator[bytes], out: Path | None) -> None:
    from consumers.outputs.replace_file import replaced

    if out is None:
        sys.stdout.buffer.writelines(lines)
        return
    with replaced(out) as file:
        file.writelines(lines)
