"""``kakehashi quarantine``: shows what was refused and why, and sends it again once it is corrected."""

import json
import os
import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.errors import NotFound, Refused
from kakehashi import terminal
from kakehashi.conventions import one_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, TextAsJson, lines_wanted, write_line
from kakehashi.listing import show as listing
from kakehashi.terminal import printable, utc
from schemas.spelling import suggestion
from schemas.vocabulary import NOT_AUTHENTIC, RejectReason

if TYPE_CHECKING:
    from consumers.queries.quarantine import Summary
    from consumers.queries.redriven import States
    from consumers.subscription.topic_reader import TopicReader
    from exchange.kafka.clients import Cluster
    from schemas.codec import Codec
    from schemas.records import Quarantined

_LIST_EXAMPLES = examples(
    ("kakehashi quarantine list --nation GBR", "how much of what, and the newest"),
    ("kakehashi quarantine list --nation GBR --sensor edge-1", "what one sensor has sent"),
    ("kakehashi quarantine list --nation GBR --reason invalid-value | jq -r .key", "the keys of one reason"),
)
_SHOW_EXAMPLES = examples(
    ("kakehashi quarantine show sensor.reports.v1-0-41-3 --nation GBR", "why, and the original"),
    ("kakehashi quarantine show KEY --nation GBR --raw > original", "the original bytes, as they came"),
)
_REDRIVE_EXAMPLES = examples(
    ("kakehashi quarantine redrive KEY --nation GBR --key b.key --set value=192.0.2.9", "one observation, corrected"),
    ("kakehashi quarantine redrive --nation GBR --key b.key --reason unknown-schema", "all of one reason"),
    ("kakehashi quarantine redrive --nation GBR --reason unknown-schema --dry-run", "only show what would be sent"),
)
_EXCERPT_BYTES: Final = 2000
_SHOWN: Final = 20
_PILES: Final = (
    Column("count", lambda row: f"{row['count']:,}", right=True),
    Column("of", lambda row: row["of"], main=True),
    Column("reason", lambda row: row["reason"], lambda _: "yellow", main=True),
    Column("refused by", lambda row: row["stage"]),
    Column("newest, UTC", lambda row: utc(row["newest_ms"])),
)
_NEWEST: Final = (
    Column("key", lambda row: row["key"], main=True),
    Column("of", lambda row: row["of"], main=True),
    Column("state", lambda row: row["state"], main=True),
    Column("reason", lambda row: row["reason"], lambda _: "yellow", main=True),
    Column("sensor", lambda row: row["sensor"]),
    Column("what was wrong", lambda row: row["detail"], main=True),
)


def _known_reason(reason: str | None) -> str | None:
    """Raise BadParameter, exit code 2, for a reason that no entry can have."""
    known = [str(each) for each in RejectReason]
    if reason is not None and reason not in known:
        raise typer.BadParameter(f"{reason}: no such reason{suggestion(reason, known)}")
    return reason


def _known_kind(of: str) -> str:
    """Raise BadParameter, exit code 2, for what has no quarantine."""
    from consumers.queries.quarantine import Kind

    return one_of("--of", of, Kind) if of else of


_Nation = Annotated[str, typer.Option(help="Whose quarantine, for example GBR.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    quarantine = typer.Typer(help="See what was refused, and why; correct it and send it again.", no_args_is_help=True)
    app.add_typer(quarantine, name="quarantine", rich_help_panel="Looking")

    @quarantine.command("list", epilog=_LIST_EXAMPLES)
    def list_(
        nation: _Nation,
        reason: Annotated[str | None, typer.Option(callback=_known_reason, help="Only this reason.")] = None,
        of: Annotated[
            str, typer.Option(callback=_known_kind, help="Only input of a sensor, officer, release or partner.")
        ] = "",
        sensor: Annotated[str, typer.Option(help="Only what this sensor has sent.")] = "",
        limit: Annotated[
            int | None, typer.Option(min=0, help="The newest entries only; 20 on a terminal, all in a pipe.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Count what was refused by reason, and show the newest. In a pipe: every entry, with its original.

        `of` is whose input it was: a sensor's, an officer's command, our own release that the bridge stopped, or a
        partner's record. The state of an entry is `open`, `redriven` (on its way to intake), `accepted`, or
        `refused-again`.
        """
        from consumers.queries.quarantine import entries, kind_of, summarise
        from consumers.queries.redriven import states

        cluster = _cluster(nation)
        codec = cluster.codec()
        with _reader(nation) as reader:
            known = states(cluster, entries(reader, codec), codec)
            found = (
                entry
                for entry in entries(reader, codec)
                if reason in (None, entry["reason"]) and of in ("", kind_of(entry)) and sensor in ("", entry["sensor"])
            )
            if lines_wanted(as_json) and limit is None:
                for entry in found:
                    write_line(_plain(entry, known, codec))
                return
            summary = summarise(found, _SHOWN if limit is None else limit)
        newest = [_plain(entry, known, codec) for entry in summary.newest]
        if lines_wanted(as_json):
            for each in newest:
                write_line(each)
        else:
            _tables(summary, newest)

    @quarantine.command(epilog=_SHOW_EXAMPLES)
    def show(
        key: Annotated[str, typer.Argument(help="The entry's key, as `list` shows it.")],
        nation: _Nation,
        raw: Annotated[bool, typer.Option("--raw", help="Only the original bytes, as they came.")] = False,
        as_json: TextAsJson = False,
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
            raise NotFound(
                f"{nation}'s quarantine has no entry {key}: `kakehashi quarantine list --nation {nation}` has the keys"
            )
        if known is None:
            _write_original(entry)
        elif as_json:
            write_line(_plain(entry, known, codec))
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
        key: Annotated[Path | None, typer.Option(help="The private key of an officer with the role redrive.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
        as_json: TextAsJson = False,
    ) -> None:
        """Send refused reports and observations again. Sent twice, they count once. An officer signs them.

        An entry is counted under its quarantine key, so it is safe to repeat the command. An entry can be corrected
        until it is accepted; `list` shows its state. Exit code 4 if any of the entries could not be sent again; the
        others were.
        """
        if bool(keys) == bool(reason):
            raise typer.BadParameter("name the entries: either KEYs or --reason")
        if changes and (keys is None or len(keys) != 1):
            raise typer.BadParameter("--set corrects one observation: name its one KEY")
        if reason in NOT_AUTHENTIC:
            raise typer.BadParameter(f"--reason {reason}: name each KEY, since someone else may have sent it")
        if key is None and not dry_run:
            raise typer.BadParameter("--key is needed: an officer with the role redrive signs what is sent again")
        from kakehashi.redrives import redrive as send

        send(nation, frozenset(keys or ()), reason, _parsed(changes or ()), None if dry_run else key, as_json=as_json)


def _cluster(nation: str) -> "Cluster":
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    return cluster_of(nation, Settings.from_env(os.environ), os.environ)


def _reader(nation: str) -> "TopicReader":
    from consumers.subscription.topic_reader import TopicReader
    from schemas.topics import QUARANTINE

    return TopicReader(_cluster(nation), QUARANTINE)


def _tables(summary: "Summary", newest: list[dict[str, Any]]) -> None:
    if not summary.count:
        typer.echo("Nothing is in quarantine.")
        return
    listing([asdict(pile) for pile in summary.piles], _PILES, as_json=False, empty="")
    if newest:
        typer.echo()
        listing(newest, _NEWEST, as_json=False, empty="")
    left = summary.count - len(newest)
    if left:
        typer.echo(f"and {left:,} older: --limit shows more, --reason fewer")
    typer.echo("kakehashi quarantine show KEY: the original · redrive KEY: send it again")


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
    from consumers.queries.quarantine import kind_of
    from consumers.queries.redriven import identity_of

    original, state = _readable(entry, codec), known.of(identity_of(entry, codec))
    own = {"digest": entry["digest"].hex(), "original": original, "of": str(kind_of(entry)), "state": str(state)}
    return {**entry, **own}


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
