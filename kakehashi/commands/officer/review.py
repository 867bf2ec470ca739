"""``kakehashi review``: lists what the rules hold for people, and takes officers' verdicts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.errors import Refused
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, TextAsJson, lines_wanted, write_line
from kakehashi.listing import show as listing
from kakehashi.officers import ANSWER_S, Wait
from kakehashi.terminal import printable, utc, wrapped
from schemas.counting import counted

if TYPE_CHECKING:
    from consumers.desk.review import Question
    from exchange.kafka.clients import Cluster
    from schemas.records import MarkingRecord, ReviewPending

_LIST_EXAMPLES = examples(
    ("kakehashi review list --nation GBR", "what is open, the next deadline first"),
    ("kakehashi review list --nation GBR --rule tlp-unmarked | jq -r .indicator_id", "the ids that one rule holds"),
)
_SHOW_EXAMPLES = examples(("kakehashi review show 8.8.8.8 --nation GBR", "why it is held, as the rules explain it"))
_APPROVE_EXAMPLES = examples(
    ("kakehashi review approve 8.8.8.8 --nation GBR --key me.key --reason 'known resolver, abused'", "it may go"),
    (
        "kakehashi review approve ID --nation GBR --key me.key --reason '…' --tlp GREEN",
        "and what has no marking, or an unknown one, gets one",
    ),
    ("… --tlp AMBER --releasable-to JPN", "with its recipients"),
)
_REFUSE_EXAMPLES = examples(
    ("kakehashi review refuse 8.8.8.8 --nation GBR --key me.key --reason 'our own resolver'", "it stays"),
)
_COLUMNS: Final = (
    Column("to", lambda row: row["partner"], main=True),
    Column("approved", lambda row: f"{row['approved']} of {row['needed']}", main=True),
    Column("until, UTC", lambda row: utc(row["deadline_ms"]), main=True),
    Column("held by", lambda row: ", ".join(row["rules"])),
    Column("value", lambda row: row["value"], lambda _: "bold", main=True),
)
Nation = Annotated[str, typer.Option(help="Whose reviews, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key, from `kakehashi officer keygen`.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit. It stays in the nation.")]
Partner = Annotated[str, typer.Option(help="To whom it would go, if it is open for several.")]
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
    as_json: AsJson = False,
) -> None:
    """Show what is open for officers, the next deadline first."""
    from consumers.queries.reviews import approvals

    found = [each for each in _waiting(nation) if not rule or rule in each["rules"]]
    rows = [{"nation": nation, **each, "approved": approvals(each)} for each in found]
    if lines_wanted(as_json):
        listing(rows, _COLUMNS, as_json=True, empty="")
        return
    listing(rows[:limit], _COLUMNS, as_json=False, empty="Nothing is open for review.")
    if len(found) > limit:
        typer.echo(f"and {len(found) - limit:,} later: --limit shows more, --rule fewer")
    if found:
        typer.echo(f"kakehashi review show VALUE --nation {nation}: why · approve · refuse")


def show(indicator: Indicator, nation: Nation, partner: Partner = "", as_json: TextAsJson = False) -> None:
    """Show one question: the indicator, the rules that hold it and why, the verdicts so far, and the deadline."""
    from consumers.queries.reviews import approvals
    from exchange.settings import Settings
    from streams.rules.explain import NEEDS_MARKING, rule_sentence
    from streams.rules.facets import from_record
    from streams.rules.policy_set import load

    each = _chosen(nation, indicator, partner)
    settings = Settings.from_env(os.environ)
    policy = load(nation, settings.policy_folder, version=settings.policy_version)
    sentences = [rule_sentence(name, policy) for name in each["rules"]]
    held = [from_record(group["facets"]) for group in each["assertions"] if group["outcome"] == "hold"]
    if not all(facets.marking.is_understood for facets in held):
        sentences.append(NEEDS_MARKING)
    if as_json:
        write_line({"nation": nation, **each, "approved": approvals(each), "sentences": sentences})
        return
    typer.echo(f"{each['type']} {printable(each['value'])}  {each['indicator_id']}")
    typer.echo(
        f"  may it go to {each['partner']}? held by decision {each['decision_id']}, {utc(each['opened_ms'])} UTC"
    )
    for sentence in sentences:
        typer.echo(wrapped(sentence))
    for group in each["assertions"]:
        facets = group["facets"]
        typer.echo(f"  {_facets(facets)}: {counted(group['sources'], 'source')}, alone {group['outcome']}")
    typer.echo(
        f"  reported by {', '.join(printable(sensor) for sensor in each['sensors'])}: whoever runs it cannot approve"
    )
    for verdict in each["verdicts"]:
        by = f"{verdict['verdict']} by {verdict['person']}"
        typer.echo(f"  {by}, {utc(verdict['at_ms'])} UTC: {printable(verdict['reason'])}")
    shown = ", ".join(map(printable, each["labels"])) or "none"
    typer.echo(f"  labels that an approval releases: {shown}; all others stay home")
    people = approvals(each)
    typer.echo(f"  {people} of {each['needed']} have approved; withheld after {utc(each['deadline_ms'])} UTC")


def approve(
    indicator: Indicator,
    nation: Nation,
    key: Key,
    reason: Reason,
    partner: Partner = "",
    tlp: Annotated[
        str, typer.Option(help="CLEAR, GREEN, AMBER or AMBER+STRICT: if the marking is missing or was not understood.")
    ] = "",
    releasable_to: Annotated[
        list[str] | None, typer.Option("--releasable-to", help="A recipient of that marking, from AMBER up.")
    ] = None,
    wait: Wait = ANSWER_S,
    as_json: TextAsJson = False,
) -> None:
    """Approve a release. With the last approval that is needed it goes; a rule that withholds is never overridden."""
    _judge(
        indicator, nation, key, reason, partner, "approve", _marking(tlp, releasable_to or []), wait, as_json=as_json
    )


def refuse(
    indicator: Indicator,
    nation: Nation,
    key: Key,
    reason: Reason,
    partner: Partner = "",
    wait: Wait = ANSWER_S,
    as_json: TextAsJson = False,
) -> None:
    """Refuse a release: it is withheld. What was approved before is recalled: name it by its id."""
    _judge(indicator, nation, key, reason, partner, "refuse", None, wait, as_json=as_json)


def _judge(
    indicator: str,
    nation: str,
    key: Path,
    reason: str,
    partner: str,
    verdict: str,
    marking: "MarkingRecord | None",
    wait_s: float,
    *,
    as_json: bool,
) -> None:
    from consumers.desk.commands import command
    from exchange.authority.roster import Role
    from kakehashi.officers import carry_out, open_desk
    from schemas.vocabulary import CommandKind

    if not reason.strip():
        raise typer.BadParameter("--reason is empty")
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
    carry_out(desk, [made], done, wait_s, as_json=as_json)


def _cluster(nation: str) -> "Cluster":
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    return cluster_of(nation, Settings.from_env(os.environ), os.environ)


def _waiting(nation: str) -> "list[ReviewPending]":
    from consumers.queries.reviews import waiting
    from consumers.subscription.topic_reader import TopicReader
    from schemas.topics import REVIEW_PENDING

    cluster = _cluster(nation)
    with TopicReader(cluster, REVIEW_PENDING) as reader:
        return waiting(reader, cluster.codec())


def _chosen(nation: str, indicator: str, partner: str) -> "ReviewPending":
    from consumers.queries.named import ids_of
    from consumers.queries.reviews import chosen

    found = _waiting(nation)
    return chosen(found, ids_of(indicator), partner)


def _asked(nation: str, indicator: str, partner: str, *, may_be_approved: bool) -> "Question":
    """The question that is meant. Raises Refused if it is settled."""
    from consumers.desk.review import Settled, question_on
    from consumers.queries.named import ids_of
    from exchange.settings import Settings

    shards = Settings.from_env(os.environ).shards
    found = question_on(_cluster(nation), shards, ids_of(indicator), partner, may_be_approved=may_be_approved)
    if not isinstance(found, Settled):
        return found
    last = found.decision
    people = ", ".join(verdict["person"] for verdict in last["verdicts"])
    result = {
        "approved": f"it was approved by {people}",
        "refused": f"it was refused after the verdicts of {people}",
        "lapsed": f"its deadline was {utc(last['deadline_ms'])} UTC, so it is withheld",
    }
    raise Refused(f"{last['indicator_id']} is not open for review: {result.get(last['review'], last['review'])}")


def _marking(tlp: str, releasable_to: list[str]) -> "MarkingRecord | None":
    from consumers.desk.review import officer_marking
    from exchange.settings import Settings
    from kakehashi.conventions import check_recipients

    check_recipients(releasable_to, Settings.from_env(os.environ).nations)
    try:
        return officer_marking(tlp, releasable_to)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _facets(facets: Any) -> str:
    from schemas.markings import Pap, Tlp

    facts = [Tlp(facets["tlp"]).label or "unmarked", Pap(facets["pap"]).label, *facets["caveats"]]
    if facets["releasable_to"]:
        facts.append(f"for {', '.join(facets['releasable_to'])}")
    return ", ".join([*filter(None, facts), f"confidence {facets['confidence_band']}"])
