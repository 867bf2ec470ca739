"""``kakehashi review``: what the rules hold, and the officers' verdicts on it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchange.errors import NotFound, Refused
from kakehashi.examples import examples
from kakehashi.officers import ANSWER_S, Wait
from kakehashi.terminal import printable, utc

if TYPE_CHECKING:
    from exchange.kafka.clients import Cluster
    from schemas.records import MarkingRecord, ReviewPending

_LIST_EXAMPLES = examples(
    ("kakehashi review list --nation GBR", "what waits, the next deadline first"),
    ("kakehashi review list --nation GBR --rule tlp-unmarked | cut -f1", "the ids that one rule holds"),
)
_SHOW_EXAMPLES = examples(("kakehashi review show 8.8.8.8 --nation GBR", "why it waits, in the rules' own words"))
_APPROVE_EXAMPLES = examples(
    ("kakehashi review approve 8.8.8.8 --nation GBR --key me.key --reason 'known resolver, abused'", "it may go"),
    (
        "kakehashi review approve ID --nation GBR --key me.key --reason '…' --tlp GREEN",
        "and what has no marking gets one",
    ),
    ("… --tlp AMBER --releasable-to JPN", "with its recipients"),
)
_REFUSE_EXAMPLES = examples(
    ("kakehashi review refuse 8.8.8.8 --nation GBR --key me.key --reason 'our own resolver'", "it stays"),
)
Nation = Annotated[str, typer.Option(help="Whose reviews, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key, from `kakehashi officer keygen`.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit. It stays in the nation.")]
Partner = Annotated[str, typer.Option(help="To whom it would go, where it waits for several.")]
Indicator = Annotated[str, typer.Argument(help="An indicator's id or value.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review = typer.Typer(help="Decide what the rules hold for people.", no_args_is_help=True)
    app.add_typer(review, name="review", rich_help_panel="Decisions")
    review.command(name="list", epilog=_LIST_EXAMPLES)(list_)
    review.command(epilog=_SHOW_EXAMPLES)(show)
    review.command(epilog=_APPROVE_EXAMPLES)(approve)
    review.command(epilog=_REFUSE_EXAMPLES)(refuse)


def list_(
    nation: Nation,
    rule: Annotated[str, typer.Option(help="Only what this rule holds.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many to show at a terminal.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what waits for officers, the next deadline first: a table, or tab-separated lines in a pipe."""
    from rich.console import Console

    _, found = _waiting(nation)
    found = [each for each in found if not rule or rule in each["rules"]]
    console = Console(highlight=False)
    if as_json:
        typer.echo(json.dumps([_plain(each) for each in found], ensure_ascii=False, indent=2))
    elif not console.is_terminal:
        for each in found:
            typer.echo("\t".join(printable(cell) for cell in _cells(each)))
    elif not found:
        console.print("Nothing waits.")
    else:
        _table(found, limit, console)


def show(indicator: Indicator, nation: Nation, partner: Partner = "") -> None:
    """Show one question: what it is, which rules hold it and why, who has said what, and until when."""
    from exchange.settings import Settings
    from streams.rules.explain import rule_sentence
    from streams.rules.policy_set import load

    each = _chosen(nation, indicator, partner)
    policy = load(nation, version=Settings.from_env(os.environ).policy_version)
    typer.echo(f"{each['type']} {printable(each['value'])}  {each['indicator_id']}")
    typer.echo(
        f"  may it go to {each['partner']}? held by decision {each['decision_id']}, {utc(each['opened_ms'])} UTC"
    )
    for name in each["rules"]:
        typer.echo(f"  {rule_sentence(name, policy)}")
    for group in each["assertions"]:
        facets = group["facets"]
        typer.echo(f"  {_facets(facets)}: {group['sources']} source(s), alone {group['outcome']}")
    typer.echo(
        f"  reported by {', '.join(printable(sensor) for sensor in each['sensors'])}: who runs it cannot approve"
    )
    for said in each["verdicts"]:
        typer.echo(f"  {said['verdict']} by {said['person']}, {utc(said['at_ms'])} UTC: {printable(said['reason'])}")
    people = _approvals(each)
    typer.echo(f"  {people} of {each['needed']} have approved; withheld after {utc(each['deadline_ms'])} UTC")


def approve(
    indicator: Indicator,
    nation: Nation,
    key: Key,
    reason: Reason,
    partner: Partner = "",
    tlp: Annotated[str, typer.Option(help="CLEAR, GREEN, AMBER or AMBER+STRICT: for what has no marking.")] = "",
    releasable_to: Annotated[
        list[str] | None, typer.Option("--releasable-to", help="A recipient of that marking, from AMBER up.")
    ] = None,
    wait: Wait = ANSWER_S,
) -> None:
    """Approve a release. With the last approval that is needed it goes; a rule that withholds is never overridden."""
    _judge(indicator, nation, key, reason, partner, "approve", _marking(tlp, releasable_to or []), wait)


def refuse(
    indicator: Indicator, nation: Nation, key: Key, reason: Reason, partner: Partner = "", wait: Wait = ANSWER_S
) -> None:
    """Refuse a release: it is withheld. What was approved before is recalled: name it by its id."""
    _judge(indicator, nation, key, reason, partner, "refuse", None, wait)


def _judge(
    indicator: str,
    nation: str,
    key: Path,
    reason: str,
    partner: str,
    verdict: str,
    marking: "MarkingRecord | None",
    wait_s: float,
) -> None:
    from consumers.desk.commands import command
    from exchange.authority.roster import Role
    from kakehashi.officers import carry_out, open_desk
    from schemas.vocabulary import CommandKind

    if not reason.strip():
        raise typer.BadParameter("--reason needs words")
    desk = open_desk(nation, key, Role.REVIEW)
    each = _asked(nation, indicator, partner, may_be_approved=verdict == "refuse")
    made = command(
        CommandKind.VERDICT,
        nation,
        each.indicator_id,
        reason=reason,
        now_ms=desk.now_ms,
        partner=each.partner,
        verdict=verdict,
        question=each.question,
        about=each.decision_id,
        marking=marking,
    )
    if verdict == "refuse":
        done = f"refused: withheld from {each.partner}" + ("" if each.missing else ", and recalled")
    elif each.missing > 1:
        done = f"approved by {desk.officer.person}; {each.missing - 1} more to approve it"
    else:
        done = f"approved: released to {each.partner}"
    carry_out(desk, [made], done, wait_s)


def _cluster(nation: str) -> "Cluster":
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    return cluster_of(nation, Settings.from_env(os.environ), os.environ)


def _waiting(nation: str) -> "tuple[Cluster, list[ReviewPending]]":
    from consumers.queries.reviews import waiting
    from consumers.subscription.topic_reader import TopicReader
    from schemas.topics import REVIEW_PENDING

    cluster = _cluster(nation)
    with TopicReader(cluster, REVIEW_PENDING) as reader:
        return cluster, waiting(reader, cluster.codec())


def _chosen(nation: str, indicator: str, partner: str) -> "ReviewPending":
    from consumers.queries.reviews import chosen
    from kakehashi.decisions import ids_of

    _, found = _waiting(nation)
    return chosen(found, ids_of(indicator), partner)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a verdict answers. ``missing`` is how many more must approve: 0 where it was approved."""

    indicator_id: str
    partner: str
    question: bytes
    decision_id: str
    missing: int


def _asked(nation: str, indicator: str, partner: str, *, may_be_approved: bool) -> _Question:
    """The question that is meant. Raises Refused or NotFound where it is not asked, saying what became of it."""
    from consumers.queries.reviews import chosen
    from exchange.settings import Settings
    from kakehashi.decisions import decisions_on, ids_of

    cluster, found = _waiting(nation)
    ids = ids_of(indicator)
    try:
        each = chosen(found, ids, partner)
    except NotFound as error:
        decided = decisions_on(cluster, ids, Settings.from_env(os.environ).shards)
        last = next((entry for entry in reversed(decided) if partner in ("", entry["partner"])), None)
        if last is None or not last["review"]:
            raise
        if last["review"] == "approved" and may_be_approved:
            return _Question(last["indicator_id"], last["partner"], last["question"], last["decision_id"], 0)
        people = ", ".join(said["person"] for said in last["verdicts"])
        became = {
            "approved": f"it was approved by {people}",
            "refused": f"it was refused after the verdicts of {people}",
            "lapsed": f"its deadline was {utc(last['deadline_ms'])} UTC, so it is withheld",
        }
        raise Refused(f"{last['indicator_id']} waits no longer: {became.get(last['review'], str(error))}") from error
    missing = each["needed"] - _approvals(each)
    return _Question(each["indicator_id"], each["partner"], each["question"], each["decision_id"], missing)


def _marking(tlp: str, releasable_to: list[str]) -> "MarkingRecord | None":
    from schemas.markings import Tlp

    if not tlp:
        if releasable_to:
            raise typer.BadParameter("--releasable-to goes with --tlp")
        return None
    wanted = "TLP:" + tlp.upper().removeprefix("TLP:")
    level = next((each for each in Tlp if each.label == wanted and each < Tlp.UNMARKED), None)
    if level is None:
        raise typer.BadParameter(f"--tlp {tlp}: CLEAR, GREEN, AMBER or AMBER+STRICT")
    if level >= Tlp.AMBER and not releasable_to:
        raise typer.BadParameter(f"--tlp {tlp} needs its recipients: --releasable-to")
    return {
        "tlp": int(level),
        "pap": 0,
        "releasable_to": sorted(set(releasable_to)) if releasable_to else None,
        "caveats": [],
    }


def _approvals(each: "ReviewPending") -> int:
    return len({said["person"] for said in each["verdicts"] if said["verdict"] == "approve"})


def _cells(each: "ReviewPending") -> tuple[str, ...]:
    return (
        each["indicator_id"],
        each["partner"],
        each["type"],
        each["value"],
        ",".join(each["rules"]),
        f"{_approvals(each)}/{each['needed']}",
        utc(each["deadline_ms"]),
    )


def _table(found: "list[ReviewPending]", limit: int, console: Any) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table("value", "to", "held by", "approved", "until, UTC", "id", box=box.ROUNDED, header_style="bold")
    table.columns[0].overflow = table.columns[5].overflow = "fold"
    for each in found[:limit]:
        name, partner, _, value, rules, approved, until = _cells(each)
        table.add_row(*(Text(printable(cell)) for cell in (value, partner, rules, approved, until, name)))
    console.print(table)
    if len(found) > limit:
        console.print(f"[dim]and {len(found) - limit:,} later: --limit shows more, --rule fewer[/dim]")
    console.print("[dim]kakehashi review show VALUE: why · approve · refuse[/dim]")


def _facets(facets: Any) -> str:
    from schemas.markings import Pap, Tlp

    said = [Tlp(facets["tlp"]).label or "unmarked", Pap(facets["pap"]).label, *facets["caveats"]]
    if facets["releasable_to"]:
        said.append(f"for {', '.join(facets['releasable_to'])}")
    return ", ".join([*(word for word in said if word), f"confidence {facets['confidence_band']}"])


def _plain(each: "ReviewPending") -> dict[str, Any]:
    return {**each, "question": each["question"].hex()}
