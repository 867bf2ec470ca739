"""``kakehashi border``: stops and resumes releases to a partner. Recalls flow whatever its state."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange import clock
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, TextAsJson
from kakehashi.listing import show as listing
from kakehashi.officers import ANSWER_S, Wait
from kakehashi.terminal import utc

if TYPE_CHECKING:
    from exchange.authority.policy_record import Approved

_EXAMPLES = examples(
    (
        "kakehashi border close --nation GBR --partner JPN --key me.key --reason 'their bridge may be compromised'",
        "at once",
    ),
    ("kakehashi border open --nation GBR --partner JPN --key me.key --reason 'cleared'", "what was kept back goes"),
    (
        "kakehashi border shadow --nation GBR --partner JPN --key me.key --reason 'new'",
        "decide and audit, release nothing",
    ),
    ("kakehashi border status --nation GBR", "which borders are open"),
)
_COLOURS: Final = {"open": "green", "closed": "red"}
_COLUMNS: Final = (
    Column("partner", lambda row: row["partner"], main=True),
    Column("border", lambda row: row["state"], lambda row: _COLOURS.get(row["state"], "yellow"), main=True),
    Column("since, UTC", lambda row: utc(row["since_ms"])),
    Column("by", lambda row: ", ".join(row["by"])),
    Column("reason", lambda row: row["reason"], main=True),
)
Partner = Annotated[str, typer.Option(help="The partner, for example JPN.")]
Nation = Annotated[str, typer.Option(help="Whose border, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key; its owner needs the role border.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    border = typer.Typer(help="Close and open the border to a partner.", no_args_is_help=True)
    border.command(epilog=_EXAMPLES)(close)
    border.command(name="open", epilog=_EXAMPLES)(open_)
    border.command(epilog=_EXAMPLES)(shadow)
    border.command(epilog=_EXAMPLES)(status)
    app.add_typer(border, name="border", rich_help_panel="Decisions")


def close(
    partner: Partner, nation: Nation, key: Key, reason: Reason, wait: Wait = ANSWER_S, as_json: TextAsJson = False
) -> None:
    """Release nothing more to a partner. Recalls, revocations and expiries still flow.

    Waits until every worker and bridge has answered. Exit code 4 if one refuses or does not answer.
    """
    _publish("closed", partner, nation, key, reason, wait, as_json=as_json)


def open_(
    partner: Partner, nation: Nation, key: Key, reason: Reason, wait: Wait = ANSWER_S, as_json: TextAsJson = False
) -> None:
    """Release to a partner again."""
    _publish("open", partner, nation, key, reason, wait, as_json=as_json)


def shadow(
    partner: Partner, nation: Nation, key: Key, reason: Reason, wait: Wait = ANSWER_S, as_json: TextAsJson = False
) -> None:
    """Decide and audit what would go to a partner, and release nothing: to see what a new agreement would do."""
    _publish("shadow", partner, nation, key, reason, wait, as_json=as_json)


def status(nation: Nation, as_json: AsJson = False) -> None:
    """Show the state of each border, who set it, and why."""
    from exchange.authority.policy_record import Kind
    from exchange.authority.policy_watch import PolicyWatch
    from exchange.authority.roster import load_roster
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    settings = Settings.from_env(os.environ)
    partners, roster = settings.partners(nation), load_roster(nation, settings.officers)
    published = PolicyWatch(
        cluster_of(nation, settings, os.environ), lambda: roster, partners, settings.policy_lead_s * 1000
    ).read()
    last = {each.record["partner"]: each for each in published.approved if each.kind is Kind.BORDER}
    rows = [_row(nation, partner, last.get(partner)) for partner in partners]
    listing(rows, _COLUMNS, as_json=as_json, empty=f"{nation} has no partner: KAKEHASHI_NATIONS names the nations")


def _row(nation: str, partner: str, set_: "Approved | None") -> dict[str, object]:
    row = {"nation": nation, "partner": partner}
    if set_ is None:
        return row | {"state": "open", "since_ms": 0, "by": [], "reason": ""}
    state, reason = set_.record["state"], set_.record["reason"]
    return row | {"state": state, "since_ms": set_.appended_ms, "by": list(set_.persons), "reason": reason}


def _publish(state: str, partner: str, nation: str, key: Path, reason: str, wait_s: float, *, as_json: bool) -> None:
    from consumers.desk import policy as policy_desk
    from consumers.desk.obedience import await_obedience
    from exchange.authority.policy_record import Kind
    from exchange.authority.private_key import read_key
    from exchange.errors import Refused
    from exchange.kafka.clients import topic_ids
    from kakehashi.clusters import cluster_of
    from kakehashi.obedience import report_obedience
    from kakehashi.published_rules import settings_and_roster
    from schemas import topics
    from schemas.codec import Codec
    from schemas.signing import approved_policy

    (settings, roster), now_ms = settings_and_roster(nation), clock.now_ms()
    draft = policy_desk.draft_of(Kind.BORDER, nation, reason, now_ms=now_ms, partner=partner, state=state)
    record = approved_policy(Codec(), draft, read_key(key))
    lead_ms, partners = settings.policy_lead_s * 1000, settings.partners(nation)
    try:
        persons = policy_desk.approvers(record, roster, now_ms=now_ms, lead_ms=lead_ms, partners=partners)
    except Refused as refused:
        raise Refused(f"nothing was changed: {refused}") from refused
    cluster = cluster_of(nation, settings, os.environ)
    topic_ids(cluster, [topics.POLICY_READINGS])  # without it no answer could be read: nothing is written then
    offset = policy_desk.write(cluster, record)
    typer.echo(f"{state} is published for the border to {partner}, by {', '.join(persons)}", err=True)
    answers = await_obedience(cluster, record["record_id"], offset, {("streams", ""), ("bridge", partner)}, wait_s)
    report_obedience(answers, f"the border to {partner} is {state}", as_json=as_json)
