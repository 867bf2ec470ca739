"""``kakehashi policy sign | activate | status``: approvals of policy sets (``policy_publish`` writes them)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange import clock
from kakehashi.conventions import group_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing
from kakehashi.published_rules import published_rules, settings_and_roster
from kakehashi.terminal import utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exchange.authority.policy_watch import Published
    from exchange.authority.roster import Roster
    from kakehashi.listing import Row
    from kakehashi.published_rules import PublishedRules
    from schemas.records import PolicyRecord

_SIGN_EXAMPLES = examples(
    ("kakehashi policy sign ./draft --nation GBR --key a.key --reason '…' --out set.json", "the first approver"),
    ("kakehashi policy sign set.json --nation GBR --key b.key", "the second: another person"),
)
_ACTIVATE_EXAMPLES = examples(
    (
        "kakehashi policy activate 3f2a --at 2026-12-01T00:00Z --nation GBR --key a.key --reason '…' --out on.json",
        "then signed by a second person, and published",
    ),
)
_STATUS_EXAMPLES = examples(
    ("kakehashi policy status --nation GBR", "what is in force, what will be, what was refused")
)
_COLOURS: Final = {"in force": "green", "open": "green", "to come": "cyan", "closed": "red", "refused": "red"}
_COLUMNS: Final = (
    Column("what", lambda row: row["what"], main=True),
    Column("name", lambda row: row["name"][:12] if row["what"] == "set" else row["name"], main=True),
    Column("state", lambda row: row["state"], lambda row: _COLOURS.get(row["state"], ""), main=True),
    Column("from, UTC", lambda row: utc(row["since_ms"])),
    Column("by", lambda row: ", ".join(row["by"])),
    Column("reason", lambda row: row["reason"], main=True),
)
Nation = Annotated[str, typer.Option(help="Whose rules, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key; its owner needs the role policy.")]

AcceptWider = Annotated[bool, typer.Option("--accept-wider", help="Although it is wider.")]
RequireProof = Annotated[bool, typer.Option("--require-proof", help="Fail if the analyser is missing.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``kakehashi policy``."""
    policy = group_of(app, "policy")
    policy.command(epilog=_SIGN_EXAMPLES)(sign)
    policy.command(epilog=_ACTIVATE_EXAMPLES)(activate)
    policy.command(epilog=_STATUS_EXAMPLES)(status)


def sign(
    what: Annotated[Path, typer.Argument(help="A policy folder, or a draft that somebody else has signed.")],
    nation: Nation,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; only for a new draft.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where the new draft goes.")] = None,
    accept_wider: AcceptWider = False,
    require_proof: RequireProof = False,
) -> None:
    """Approve a set, or its activation, once it passes the checks of `publish`. Two distinct people must approve it.

    A folder becomes a draft; a draft gets one more signature. Exit code 4 if a check fails: nothing is signed.
    """
    from consumers.desk import policy as policy_desk
    from exchange.authority.policy_record import Kind

    settings, roster = settings_and_roster(nation)
    if what.is_dir():
        from streams.rules.policy_set import compiled, read_texts

        if out is None or not reason.strip():
            raise typer.BadParameter("a new draft needs --out and --reason")
        texts = read_texts(nation, what, version=settings.policy_version)
        version = compiled(texts, nation).version
        draft = policy_desk.draft_of(Kind.SET, nation, reason, now_ms=clock.now_ms(), version=version, texts=texts)
    else:
        draft, out = policy_desk.load(what), what
    lead_s = settings.policy_lead_s
    _sign(draft, what, roster, key, out, proof=require_proof, wider=accept_wider, lead_s=lead_s)


def activate(
    version: Annotated[
        str, typer.Argument(help="The set's version, or its beginning; a published one or the shipped.")
    ],
    at: Annotated[str, typer.Option(help="When, in ISO 8601 with its zone: 2026-12-01T00:00Z.")],
    nation: Nation,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why.")],
    out: Annotated[Path, typer.Option(help="Where the draft goes: a second person signs it.")],
    accept_wider: AcceptWider = False,
    require_proof: RequireProof = False,
) -> None:
    """Draft and sign the activation of a set at a time. A second person signs it, then it is published.

    Exit code 4 if the set fails the checks of `publish` against what is in force at that time: nothing is signed.
    """
    from consumers.desk import policy as policy_desk
    from exchange.authority.policy_record import Kind

    rules, at_ms = published_rules(nation), _at(at)
    lead_s = rules.settings.policy_lead_s
    check_lead(at_ms, clock.now_ms(), lead_s)
    draft = policy_desk.draft_of(
        Kind.ACTIVATION,
        nation,
        reason,
        now_ms=clock.now_ms(),
        version=_full_version(version, rules),
        activate_at_ms=at_ms,
    )
    _sign(draft, out, rules.roster, key, out, proof=require_proof, wider=accept_wider, lead_s=lead_s)


def check_lead(at_ms: int, now_ms: int, lead_s: float, checks_s: float | None = None) -> None:
    """Raise Refused for a time that is past, or that comes before every worker knows of it.

    ``checks_s`` is how long the checks of the set took in this command, if they were made.
    """
    from exchange.errors import Refused

    if at_ms >= now_ms + lead_s * 1000:
        return
    late = "in the past" if at_ms <= now_ms else "too soon"
    took = "a minute or more each" if checks_s is None else f"{checks_s:.0f} s here"
    raise Refused(
        f"--at {utc(at_ms)} UTC is {late}: an activation is published {lead_s:g} s or more before its time, after a "
        "second person has signed it; choose a later time. Allow the time of the checks, too: `activate`, `sign` and "
        f"`publish` each make them ({took})"
    )


def status(nation: Nation, as_json: AsJson = False) -> None:
    """Show what is in force and will be, the borders, and which records of the topic do nothing, and why."""
    rules = published_rules(nation)
    listing(_rows(rules, clock.now_ms()), _COLUMNS, as_json=as_json, empty="")


def _rows(rules: "PublishedRules", now_ms: int) -> "Iterator[Row]":
    nation, history, shipped = rules.roster.nation, rules.history, "as shipped"
    for each in history.activated:
        state = "in force" if each is history.at(now_ms) else "to come" if each.at_ms > now_ms else "was in force"
        reason = each.reason or ("" if each.by else shipped)
        yield _row(nation, "set", each.policy_set.version, state, each.at_ms if each.by else 0, each.by, reason)
    for version in sorted(history.sets.keys() - {each.policy_set.version for each in history.activated}):
        yield _row(nation, "set", version, "not activated")
    for partner in rules.settings.partners(nation):
        yield _border(nation, partner, rules.published)
    for refused in rules.refused:
        name = refused.record_id or f"offset {refused.offset}"
        yield _row(nation, "record", name, "refused", reason=refused.detail)


def _border(nation: str, partner: str, published: "Published") -> "Row":
    from exchange.authority.policy_record import Kind

    of_it = [each for each in published.approved if each.kind is Kind.BORDER and each.record["partner"] == partner]
    state = str(published.border(partner))
    if not of_it:
        return _row(nation, "border", partner, state, reason="from the beginning: no one has closed it")
    last = of_it[-1]
    return _row(nation, "border", partner, state, last.appended_ms, last.persons, last.record["reason"])


def _row(
    nation: str, what: str, name: str, state: str, since_ms: int = 0, by: "Sequence[str]" = (), reason: str = ""
) -> "Row":
    head = {"nation": nation, "what": what, "name": name, "state": state}
    return head | {"since_ms": since_ms, "by": list(by), "reason": reason}


def _sign(
    draft: "PolicyRecord",
    place: Path,
    roster: "Roster",
    key: Path,
    out: Path,
    *,
    proof: bool,
    wider: bool,
    lead_s: float,
) -> None:
    from consumers.desk import policy as policy_desk
    from exchange.authority.policy_record import Kind
    from exchange.authority.private_key import read_key
    from exchange.errors import Refused
    from kakehashi.policy_gate import check

    now_ms = clock.now_ms()
    try:
        signed, persons = policy_desk.approve(draft, roster, read_key(key), now_ms=now_ms)
    except Refused as refused:
        raise Refused(f"{key}: {refused}") from refused
    if draft["kind"] != Kind.BORDER:
        check(draft, place, published_rules(roster.nation), now_ms, proof=proof, wider=wider)
    if draft["kind"] == Kind.ACTIVATION:
        ended_ms = clock.now_ms()
        check_lead(draft["activate_at_ms"], ended_ms, lead_s, (ended_ms - now_ms) / 1000)
    policy_desk.save(signed, out)
    typer.echo(f"{draft['kind']} of {draft['version'][:12]}: approved by {', '.join(persons)}; in {out}")


def _at(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {text}: a time in ISO 8601, for example 2026-12-01T00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"--at {text}: it needs its zone, for example {text}Z")
    return int(moment.timestamp() * 1000)


def _full_version(beginning: str, rules: "PublishedRules") -> str:
    from exchange.errors import Refused

    found = [version for version in rules.history.sets if version.startswith(beginning)]
    if len(found) != 1:
        raise Refused(
            f"{len(found)} published sets begin with {beginning}: see `kakehashi policy status --nation NATION`"
        )
    return found[0]
