"""``kakehashi audit``: verifies, shows, exports, signs and truncates the record of every decision."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange import clock
from exchange.errors import Exit
from kakehashi.conventions import one_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, write_line
from kakehashi.listing import show as listing
from kakehashi.terminal import utc
from schemas.counting import counted

if TYPE_CHECKING:
    from exchange.authority.roster import Roster
    from exchange.settings import Settings
    from streams.audit.log import AuditLog
    from streams.rules.engine import Engine

_VERIFY_EXAMPLES = examples(
    ("kakehashi audit verify --nation GBR", "exit code 4 if an entry is altered, missing, out of order or forged"),
)
_SHOW_EXAMPLES = examples(
    ("kakehashi audit show --nation GBR --hours 1", "the decisions of the last hour"),
    ("kakehashi audit show --nation GBR --outcome hold --rule tlp-unmarked", "those that one rule has held"),
)
_EXPORT_EXAMPLES = examples(
    ("kakehashi audit export --nation GBR > audit.jsonl", "all of it, for other tools, with each entry's own bytes"),
)
_ANCHOR_EXAMPLES = examples(
    ("kakehashi audit anchor --nation GBR --key me.key", "verify all chains, and sign their ends"),
)
_TRUNCATE_EXAMPLES = examples(
    ("kakehashi audit truncate --nation GBR --days 365", "delete what is older, and before a signed anchor"),
)
_RERUN_EXAMPLES = examples(
    ("kakehashi audit rerun GBR-0-291 --nation GBR", "exit code 4 if its rules decide otherwise than its record"),
)
Nation = Annotated[str, typer.Option(help="Whose audit, for example GBR.")]
Hours = Annotated[float, typer.Option(min=0, help="Only the last so many hours; all of it if not given.")]
_DAY_MS = 24 * 60 * 60 * 1000
_COLOURS: Final = {"release": "green", "hold": "yellow"}
_COLUMNS: Final = (
    Column("outcome", lambda row: row["outcome"], lambda row: _COLOURS.get(row["outcome"], "red"), main=True),
    Column("partner", lambda row: row["partner"], main=True),
    Column("decision", lambda row: row["decision_id"], main=True),
    Column("decided, UTC", lambda row: utc(row["at_ms"])),
    Column("indicator", lambda row: row["indicator_id"]),
    Column("rules", lambda row: ", ".join(row["rules"]), main=True),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="The record of every decision: verify, show, export, anchor.", no_args_is_help=True)
    audit.command(epilog=_VERIFY_EXAMPLES)(verify)
    audit.command(epilog=_RERUN_EXAMPLES)(rerun)
    audit.command(epilog=_SHOW_EXAMPLES)(show)
    audit.command(epilog=_EXPORT_EXAMPLES)(export)
    audit.command(epilog=_ANCHOR_EXAMPLES)(anchor)
    audit.command(epilog=_TRUNCATE_EXAMPLES)(truncate)
    app.add_typer(audit, name="audit", rich_help_panel="Decisions")


def verify(nation: Nation) -> None:
    """Follow every chain, compare it with its signed anchors and its shard's state, and make each decision again."""
    _, log, roster = _open(nation)
    if _verified(log, roster) is None:
        raise typer.Exit(Exit.REFUSED)


def _verified(log: "AuditLog", roster: "Roster") -> list[tuple[int, int, bytes, int]] | None:
    """Print the state of each chain; shard, length, last hash and offset of each, None if one is broken."""
    reports, wrong = log.verify(roster, _engines(roster.nation))
    for report in reports:
        typer.echo(
            f"{roster.nation}-{report.shard}: {counted(report.entries, 'entry')} from {report.first} on, "
            f"{report.rerun} decided again, {'' if report.anchored else 'not '}anchored"
            + (f" up to {report.anchored}" if report.anchored else "")
        )
        for why, count in report.not_rerun.items():
            typer.echo(f"  {count} not decided again: {why}")
        for finding in report.findings:
            typer.echo(f"  BROKEN {finding}", err=True)
    for finding in wrong:
        typer.echo(f"BROKEN {finding}", err=True)
    if wrong or any(report.findings for report in reports):
        return None
    return [(each.shard, each.end.sequence, each.end.last, each.next_offset) for each in reports if each.entries]


def _engines(nation: str) -> "dict[str, Engine]":
    """An engine for each version of the rules that is at hand: the one installed, and those that were published."""
    from kakehashi.published_rules import published_rules
    from streams.rules.engine import Engine

    return {version: Engine(each) for version, each in published_rules(nation).history.sets.items()}


def rerun(
    decision: Annotated[str, typer.Argument(help="A decision, as `kakehashi explain` names it: GBR-0-291.")],
    nation: Nation,
) -> None:
    """Make one decision again from its record alone: the facts, the verdicts and the versions are in it."""
    from exchange.errors import ConfigurationError, NotFound
    from streams.audit.rerun import engine_of
    from streams.audit.rerun import rerun as decided_again

    settings, log, _ = _open(nation)
    shard = decision.removeprefix(f"{nation}-").partition("-")[0]
    entries = log.entries(int(shard)) if shard.isdigit() and int(shard) < settings.shards else iter(())
    found = next(
        (each.decision for each in entries if each.decision and each.decision["decision_id"] == decision), None
    )
    if found is None:
        raise NotFound(f"{decision} is not in {nation}'s audit: `kakehashi audit show --nation {nation}` names what is")
    engine = engine_of(found, _engines(nation))
    if isinstance(engine, str):
        raise ConfigurationError(
            f"{decision} cannot be decided again here: {engine}. Run the version of the worker that decided "
            "it, or with KAKEHASHI_POLICY naming its rules"
        )
    wrong = decided_again(found, engine)
    if wrong:
        typer.echo(f"{decision}: decided again, {wrong}", err=True)
        raise typer.Exit(Exit.REFUSED)
    typer.echo(f"{decision}: {found['outcome']} again, by {', '.join(found['rules'])}, policy {engine.version[:12]}")


def show(
    nation: Nation,
    hours: Hours = 0,
    outcome: Annotated[str, typer.Option(help="release, hold or withhold.")] = "",
    rule: Annotated[str, typer.Option(help="Only what this rule has decided.")] = "",
    partner: Annotated[str, typer.Option(help="Only for this partner.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show decisions: when, which, of what, for whom, the outcome and the rules."""
    from schemas.vocabulary import Outcome

    if outcome:
        one_of("--outcome", outcome, Outcome)
    settings, log, _ = _open(nation)
    rows = (
        {"nation": nation, **found}
        for shard in range(settings.shards)
        for entry in log.entries(shard, _since(hours))
        if (found := entry.decision) is not None
        and outcome in ("", found["outcome"])
        and partner in ("", found["partner"])
        and (not rule or rule in found["rules"])
    )
    listing(rows, _COLUMNS, as_json=as_json, empty="no such decision")


def export(nation: Nation, hours: Hours = 0) -> None:
    """Write every entry as one line of JSON, with the hash that the next one names, and its own bytes in hex."""
    from hashlib import sha256

    settings, log, _ = _open(nation)
    for shard in range(settings.shards):
        for entry in log.entries(shard, _since(hours)):
            encoded = entry.encoded
            place = {"offset": entry.offset, "sha256": sha256(encoded).hexdigest(), "bytes": encoded}
            write_line(place | {"decision": entry.decision})


def anchor(
    nation: Nation,
    key: Annotated[Path, typer.Option(help="A private key whose owner has the role audit.")],
) -> None:
    """Verify every chain, and sign its end. After that no change before it stays unnoticed."""

    from exchange.authority.private_key import read_key
    from exchange.authority.roster import Role
    from exchange.errors import Refused
    from schemas.codec import Codec
    from schemas.records import AuditAnchor
    from schemas.signing import key_id, public_of, signed_anchor

    _, log, roster = _open(nation)
    private, now_ms = read_key(key), clock.now_ms()
    officer = roster.find(key_id(public_of(private)))
    if officer is None or not officer.may(Role.AUDIT, now_ms):
        raise Refused(f"{key}: its public key is not on {nation}'s roster in the role audit")
    ends = _verified(log, roster)
    if ends is None:
        raise Refused("nothing was signed: a chain is broken, see above")
    signed = [
        signed_anchor(
            Codec(),
            AuditAnchor(
                nation=nation,
                shard=shard,
                sequence=sequence,
                last=last,
                offset=offset,
                at_ms=now_ms,
                officer="",
                signature=b"",
            ),
            private,
        )
        for shard, sequence, last, offset in ends
    ]
    log.write(signed)
    typer.echo(f"{counted(len(signed), 'chain')} anchored by {officer.person}")


def truncate(
    nation: Nation, days: Annotated[int, typer.Option(min=1, help="How many days are kept, at least.")] = 365
) -> None:
    """Delete what is older than so many days, as far as it is before a signed anchor. Nothing else deletes entries."""

    _, log, roster = _open(nation)
    cuts = log.truncate(roster, clock.now_ms() - days * _DAY_MS)
    for shard, offset in sorted(cuts.items()):
        typer.echo(f"{nation}-{shard}: entries before offset {offset} are deleted")
    if not cuts:
        typer.echo(
            f"no entry is both that old and before a signed anchor: `kakehashi audit anchor "
            f"--nation {nation} --key KEY` signs one"
        )


def _open(nation: str) -> "tuple[Settings, AuditLog, Roster]":
    from exchange.authority.roster import load_roster
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from streams.audit.log import AuditLog

    settings = Settings.from_env(os.environ)
    cluster = cluster_of(nation, settings, os.environ)
    return settings, AuditLog(cluster, settings.shards), load_roster(nation, settings.officers)


def _since(hours: float) -> int | None:

    return clock.now_ms() - int(hours * 3_600_000) if hours else None
