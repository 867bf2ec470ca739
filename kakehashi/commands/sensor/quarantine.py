"""``kakehashi quarantine``: shows what was refused and why, and sends it again once it is corrected."""

import difflib
import json
import os
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.clock import now_ms
from exchange.errors import NotFound, Refused
from kakehashi import terminal
from kakehashi.examples import examples
from kakehashi.terminal import printable, utc
from schemas.counting import counted
from schemas.vocabulary import RejectReason

if TYPE_CHECKING:
    from consumers.queries.quarantine import Summary
    from consumers.queries.redriven import States
    from consumers.subscription.topic_reader import TopicReader
    from exchange.kafka.clients import Cluster
    from schemas.codec import Codec
    from schemas.records import Quarantined

_LIST_EXAMPLES = examples(
    ("kakehashi quarantine list --nation GBR", "how much of what, and the newest"),
    ("kakehashi quarantine list --nation GBR --reason invalid-value | cut -f1", "the newest keys of one reason"),
)
_SHOW_EXAMPLES = examples(
    ("kakehashi quarantine show sensor.reports.v1-0-41-3 --nation GBR", "why, and the original"),
    ("kakehashi quarantine show KEY --nation GBR --raw > original", "the original bytes, as they came"),
)
_REDRIVE_EXAMPLES = examples(
    ("kakehashi quarantine redrive KEY --nation GBR --set value=192.0.2.9", "one observation, corrected"),
    ("kakehashi quarantine redrive --nation GBR --reason unknown-schema", "all of one reason, after an upgrade"),
    ("kakehashi quarantine redrive --nation GBR --reason unknown-schema --dry-run", "only show what would be sent"),
)
_EXCERPT_BYTES: Final = 2000


def _known_reason(reason: str | None) -> str | None:
    """Raise BadParameter, exit code 2, for a reason that no entry can have."""
    known = [str(each) for each in RejectReason]
    if reason is not None and reason not in known:
        close = difflib.get_close_matches(reason, known, 1, 0.5)
        raise typer.BadParameter(f"{reason}: no such reason" + (f"; did you mean `{close[0]}`?" if close else ""))
    return reason


_Nation = Annotated[str, typer.Option(help="Whose quarantine, for example GBR.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    quarantine = typer.Typer(help="See what was refused, and why; correct it and send it again.", no_args_is_help=True)
    app.add_typer(quarantine, name="quarantine", rich_help_panel="Looking")

    @quarantine.command("list", epilog=_LIST_EXAMPLES)
    def list_(
        nation: _Nation,
        reason: Annotated[str | None, typer.Option(callback=_known_reason, help="Only this reason.")] = None,
        limit: Annotated[int, typer.Option(min=0, help="How many of the newest entries to show.")] = 20,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Count what was refused by reason, and show the newest: a table, or tab-separated lines in a pipe.

        The state of an entry is `open`, `redriven` (on its way to intake), `accepted`, or `refused-again`.
        """
        from consumers.queries.quarantine import entries, summarise
        from consumers.queries.redriven import states

        cluster = _cluster(nation)
        codec = cluster.codec()
        with _reader(nation) as reader:
            known = states(cluster, entries(reader, codec), codec)
            found = (entry for entry in entries(reader, codec) if reason in (None, entry["reason"]))
            summary = summarise(found, limit)
        _list(summary, [_plain(entry, known, codec) for entry in summary.newest], as_json=as_json)

    @quarantine.command(epilog=_SHOW_EXAMPLES)
    def show(
        key: Annotated[str, typer.Argument(help="The entry's key, as `list` shows it.")],
        nation: _Nation,
        raw: Annotated[bool, typer.Option("--raw", help="Only the original bytes, as they came.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Show one entry: why it was refused, where it came from, and the original."""
        from consumers.queries.quarantine import entries
        from consumers.queries.redriven import states

        cluster = _cluster(nation)
        codec = cluster.codec()
        with _reader(nation) as reader:
            entry = next((found for found in entries(reader, codec) if found["key"] == key), None)
            known = states(cluster, entries(reader, codec), codec) if entry is not None and not raw else None
        if entry is None:
            raise NotFound(f"{nation}'s quarantine has no entry {key}: `kakehashi quarantine list` has the keys")
        if known is None:
            _write_original(entry)
        elif as_json:
            typer.echo(json.dumps(_plain(entry, known, codec), ensure_ascii=False, indent=2))
        else:
            _show(_plain(entry, known, codec))

    @quarantine.command(epilog=_REDRIVE_EXAMPLES)
    def redrive(
        nation: _Nation,
        keys: Annotated[list[str] | None, typer.Argument(help="The entries' keys.")] = None,
        reason: Annotated[str | None, typer.Option(callback=_known_reason, help="All entries of this reason.")] = None,
        changes: Annotated[
            list[str] | None, typer.Option("--set", help="FIELD=NEW: correct the one observation that KEY names.")
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    ) -> None:
        """Send refused reports and observations again. Sent twice, they count once.

        An entry is counted under its quarantine key, so it is safe to repeat the command. An entry can be corrected
        until it is accepted; `list` shows its state. Exit code 4 if any of the entries could not be sent again; the
        others were.
        """
        if bool(keys) == bool(reason):
            raise typer.BadParameter("name the entries: either KEYs or --reason")
        if changes and (keys is None or len(keys) != 1):
            raise typer.BadParameter("--set corrects one observation: name its one KEY")
        _redrive(nation, frozenset(keys or ()), reason, _parsed(changes or ()), dry_run=dry_run)


def _cluster(nation: str) -> "Cluster":
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    return cluster_of(nation, Settings.from_env(os.environ), os.environ)


def _reader(nation: str) -> "TopicReader":
    from consumers.subscription.topic_reader import TopicReader
    from schemas.topics import QUARANTINE

    return TopicReader(_cluster(nation), QUARANTINE)


def _list(summary: "Summary", newest: list[dict[str, Any]], *, as_json: bool) -> None:

    console = terminal.console()
    if as_json:
        piles = [
            {"reason": pile.reason, "stage": pile.stage, "count": pile.count, "newest_ms": pile.newest_ms}
            for pile in summary.piles
        ]
        shown = {"count": summary.count, "piles": piles, "newest": newest}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    elif not console.is_terminal:
        for entry in newest:
            cells = (
                entry["key"],
                entry["reason"],
                entry["stage"],
                utc(entry["at_ms"]),
                entry["sensor"],
                entry["detail"],
                entry["state"],
            )
            typer.echo("\t".join(printable(cell) for cell in cells))
    elif not summary.count:
        console.print("Nothing is in quarantine.")
    else:
        _tables(summary, newest, console)


def _tables(summary: "Summary", shown: list[dict[str, Any]], console: Any) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    piles = Table("reason", "refused by", "count", "newest, UTC", box=box.ROUNDED, header_style="bold")
    piles.columns[2].justify = "right"
    for pile in summary.piles:
        piles.add_row(Text(pile.reason, "yellow"), pile.stage, f"{pile.count:,}", utc(pile.newest_ms))
    console.print(piles)
    newest = Table("key", "state", "reason", "sensor", "what was wrong", box=box.ROUNDED, header_style="bold")
    newest.columns[0].overflow = "fold"
    for entry in shown:
        texts = (entry["key"], entry["state"], entry["reason"], entry["sensor"], entry["detail"])
        newest.add_row(*(Text(printable(text)) for text in texts))
    console.print(newest)
    left = summary.count - len(summary.newest)
    if left:
        console.print(Text(f"and {left:,} older: --limit shows more, --reason fewer", "dim"))
    console.print(Text("kakehashi quarantine show KEY: the original · redrive KEY: send it again", "dim"))


def _show(plain: dict[str, Any]) -> None:
    from rich.text import Text

    console = terminal.console(soft_wrap=True)
    original = plain.pop("original")
    for name, value in plain.items():
        if value not in ("", -1):
            shown = utc(value) + " UTC" if name == "at_ms" else printable(str(value))
            console.print(Text(f"{name:<13}", "bold").append(Text(shown, "yellow" if name == "reason" else "")))
    if original is None:
        console.print(Text("original     not kept: too big, or its marking does not allow it", "dim"))
        return
    console.print(Text("original", "bold"))
    text = original if isinstance(original, str) else json.dumps(original, ensure_ascii=False, indent=2)
    console.print(Text("\n".join(printable(line) for line in text.splitlines())))


def _plain(entry: "Quarantined", known: "States", codec: "Codec") -> dict[str, Any]:
    """An entry with its state as JSON can hold it: the digest in hex, the original as what it is."""
    from consumers.queries.redriven import identity_of

    original, state = _readable(entry, codec), known.of(identity_of(entry, codec))
    return {**entry, "digest": entry["digest"].hex(), "original": original, "state": str(state)}


def _readable(entry: "Quarantined", codec: "Codec") -> Any:
    """The original: JSON parsed, text as text, a report decoded if it can be, else the first bytes in hex."""
    from schemas.codec import SENSOR_REPORT, Undecodable

    original = entry["original"]
    if original is None:
        return None
    if entry["content_type"] == "json":
        try:
            return json.loads(original)
        except ValueError:
            return original.decode("utf-8", "replace")
    if entry["content_type"] == "text":
        return original.decode("utf-8", "replace")
    report = codec.decode(SENSOR_REPORT, original)
    if isinstance(report, Undecodable):
        cut = "" if len(original) <= _EXCERPT_BYTES else f" … and {len(original) - _EXCERPT_BYTES} more bytes"
        return original[:_EXCERPT_BYTES].hex(" ") + cut
    return report | {"kinds": list(report["kinds"])}


def _write_original(entry: "Quarantined") -> None:
    original = entry["original"]
    if original is None:
        raise Refused(
            f"the original of {entry['key']} was not kept: it has {entry['size']:,} bytes with SHA-256 "
            f"{entry['digest'].hex()}, and was at {printable(entry['place']) or entry['topic']}"
        )
    if sha256(original).digest() != entry["digest"]:
        typer.echo("the bytes are not those of the digest: this entry was altered", err=True)
    sys.stdout.buffer.write(original)


def _parsed(changes: "tuple[str, ...] | list[str]") -> dict[str, str]:
    fields = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {change}: write FIELD=NEW")
        fields[name.strip()] = value
    return fields


def _redrive(nation: str, keys: frozenset[str], reason: str | None, changes: dict[str, str], *, dry_run: bool) -> None:
    """Redrive the entries, and show the result of each."""
    from consumers.desk.redrive import Redrive
    from consumers.desk.redriving import redriven

    cluster, verb = _cluster(nation), "would send" if dry_run else "sent"
    sent = kept = 0
    for result in redriven(
        cluster, cluster.codec(), keys=keys, reason=reason, changes=changes, now_ms=now_ms(), dry_run=dry_run
    ):
        if isinstance(result, Redrive):
            sent += 1
            where = f"partition {result.output.partition}"
            typer.echo(f"{verb} {result.key}: {counted(result.observations, 'observation')} to {where}")
        else:
            kept += 1
            typer.echo(f"not sent {result.key}: {printable(result.why)}", err=True)
    if kept:
        raise Refused(
            f"{verb} {sent} of {counted(sent + kept, 'entry')}; the lines above have the reasons for the rest"
        )
    typer.echo(f"{verb} {counted(sent, 'entry')}; what is refused again has a new key in `kakehashi quarantine list`")
