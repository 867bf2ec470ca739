"""``kakehashi policy sign | publish | activate | status``: how a policy set comes into force on every worker."""

import os
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.examples import examples

if TYPE_CHECKING:
    from exchange.policy_watch import Said
    from exchange.roster import Roster
    from exchange.settings import Settings
    from schemas.records import PolicyRecord

_SIGN_EXAMPLES = examples(
    ("kakehashi policy sign ./draft --nation GBR --key a.key --reason '…' --out set.json", "the first approver"),
    ("kakehashi policy sign set.json --nation GBR --key b.key", "the second: another person"),
)
_PUBLISH_EXAMPLES = examples(
    ("kakehashi policy publish set.json --nation GBR", "a set, or its activation, signed by two")
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
Nation = Annotated[str, typer.Option(help="Whose rules, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key; its owner needs the role policy.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``kakehashi policy``."""
    policy = next(each.typer_instance for each in app.registered_groups if each.name == "policy")
    if policy is None:
        raise RuntimeError("kakehashi.commands.policy comes first")
    policy.command(epilog=_SIGN_EXAMPLES)(sign)
    policy.command(epilog=_PUBLISH_EXAMPLES)(publish)
    policy.command(epilog=_ACTIVATE_EXAMPLES)(activate)
    policy.command(epilog=_STATUS_EXAMPLES)(status)


def sign(
    what: Annotated[Path, typer.Argument(help="A policy folder, or a draft that somebody else has signed.")],
    nation: Nation,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; only for a new draft.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where the new draft goes.")] = None,
) -> None:
    """Approve a set, or its activation. Two distinct people have to; a folder becomes a draft, a draft is signed on."""
    from consumers import policy_desk
    from exchange.errors import Refused

    settings, roster = _roster(nation)
    if what.is_dir():
        from streams.classification.policy_set import compiled, read_texts

        if out is None or not reason.strip():
            raise typer.BadParameter("a new draft needs --out and --reason")
        texts = read_texts(nation, what, version=settings.policy_version)
        draft = _draft("set", nation, reason, version=compiled(texts, nation).version, texts=texts)
    else:
        draft, out = policy_desk.load(what), what
        from streams.rulebook import loaded_set

        if draft["kind"] == "set" and isinstance(wrong := loaded_set(draft, nation), str):
            raise Refused(f"{what}: {wrong}")
    _sign(draft, roster, key, out)


def activate(
    version: Annotated[
        str, typer.Argument(help="The set's version, or its beginning; a published one or the shipped.")
    ],
    at: Annotated[str, typer.Option(help="When, in ISO 8601 with its zone: 2026-12-01T00:00Z.")],
    nation: Nation,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why.")],
    out: Annotated[Path, typer.Option(help="Where the draft goes: a second person signs it.")],
) -> None:
    """Draft and sign the activation of a set at a time. A second person signs it, then it is published."""
    settings, roster = _roster(nation)
    full = _full_version(version, nation, settings, _said(nation, settings, roster))
    _sign(_draft("activation", nation, reason, version=full, activate_at_ms=_at(at)), roster, key, out)


def publish(
    draft: Annotated[Path, typer.Argument(help="A draft that two people have signed.")],
    nation: Nation,
    accept_wider: Annotated[bool, typer.Option("--accept-wider", help="Although it lets more out.")] = False,
    require_proof: Annotated[bool, typer.Option("--require-proof", help="Fail where the analyser is missing.")] = False,
) -> None:
    """Write a signed set or activation to every worker, once the proofs hold and it lets no more out than before.

    Exit code 4 where a claim does not hold, where it lets more out and nobody has accepted that, where a signature is
    missing, or where an activation comes too late: what was in force stays in force.
    """
    from consumers import policy_desk
    from exchange.errors import Refused
    from exchange.policy_record import NotApproved, judge
    from kakehashi.clusters import cluster_of
    from kakehashi.policy_gate import gate
    from schemas.codec import Codec
    from streams.classification.policy_set import load
    from streams.rulebook import activations, in_force_at, loaded_set, sets_of

    settings, roster = _roster(nation)
    record = policy_desk.load(draft)
    now_ms = time.time_ns() // 1_000_000
    judged = judge(
        record,
        Codec(),
        roster,
        appended_ms=now_ms,
        offset=0,
        lead_ms=settings.policy_lead_s * 1000,
        partners=settings.partners(nation),
    )
    if isinstance(judged, NotApproved):
        raise Refused(f"{draft}: {judged.detail}; the rules in force stay in force")
    said = _said(nation, settings, roster)
    shipped = load(nation, version=settings.policy_version)
    if record["kind"] == "set":
        found = loaded_set(record, nation)
        if isinstance(found, str):
            raise Refused(f"{draft}: {found}")
        new = found
    else:
        known = sets_of(shipped, said)
        if record["version"] not in known:
            raise Refused(f"{record['version'][:12]} is no published set: publish it first")
        new = known[record["version"]]
    old = in_force_at(activations(shipped, said), now_ms).policy_set
    gate(old, new, accept_wider=accept_wider, require_proof=require_proof)
    policy_desk.write(cluster_of(nation, settings, os.environ), record)
    what = "decides from its time on" if record["kind"] == "activation" else "can be activated"
    typer.echo(f"{record['version'][:12]}, approved by {', '.join(judged.persons)}: published; it {what}")


def status(nation: Nation) -> None:
    """Show what is in force and will be, the borders, and which records of the topic do nothing, and why."""
    from exchange.policy_record import borders
    from kakehashi.terminal import utc
    from streams.classification.policy_set import load
    from streams.rulebook import activations, in_force_at, sets_of

    settings, roster = _roster(nation)
    said = _said(nation, settings, roster)
    shipped = load(nation, version=settings.policy_version)
    history, now_ms = activations(shipped, said), time.time_ns() // 1_000_000
    current = in_force_at(history, now_ms)
    for each in history:
        word = "in force" if each is current else "to come" if each.at_ms > now_ms else "was in force"
        since = f"from {utc(each.at_ms)}, by {', '.join(each.by)}: {each.reason}" if each.by else "as shipped"
        typer.echo(f"{word}\t{each.policy_set.version[:12]}\t{since}")
    activated = {each.policy_set.version for each in history}
    for version in sorted(sets_of(shipped, said).keys() - activated):
        typer.echo(f"published\t{version[:12]}\tnot activated")
    found = borders(said.approved)
    for partner in settings.partners(nation):
        typer.echo(f"border\t{partner}\t{found.get(partner, 'open')}")
    for refused in said.refused:
        typer.echo(f"refused\t{refused.record_id or f'offset {refused.offset}'}\t{refused.detail}")


def _sign(draft: "PolicyRecord", roster: "Roster", key: Path, out: Path) -> None:
    from consumers import policy_desk
    from exchange.errors import Refused
    from exchange.officer_key import read_key
    from exchange.roster import Role
    from schemas.codec import Codec
    from schemas.signing import approved_policy, key_id, public_of

    private = read_key(key)
    officer = roster.find(key_id(public_of(private)))
    if officer is None or not officer.may(Role.POLICY, time.time_ns() // 1_000_000):
        raise Refused(f"{key}: its public key is not on {roster.nation}'s roster in the role policy")
    before = [found.person for each in draft["approvals"] if (found := roster.find(each["officer"])) is not None]
    if officer.person in before:
        raise Refused(f"{officer.person} has approved it already: another person is needed")
    policy_desk.save(approved_policy(Codec(), draft, private), out)
    typer.echo(
        f"{draft['kind']} of {draft['version'][:12]}: approved by {', '.join([*before, officer.person])}; in {out}"
    )


def _draft(
    kind: str,
    nation: str,
    reason: str,
    *,
    version: str,
    texts: dict[str, str] | None = None,
    activate_at_ms: int = 0,
) -> "PolicyRecord":
    return {
        "record_id": str(uuid.uuid4()),
        "kind": kind,
        "nation": nation,
        "version": version,
        "texts": texts or {},
        "activate_at_ms": activate_at_ms,
        "partner": "",
        "state": "",
        "reason": reason,
        "issued_ms": time.time_ns() // 1_000_000,
        "approvals": [],
    }


def _at(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {text}: a time in ISO 8601, for example 2026-12-01T00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"--at {text}: it needs its zone, for example {text}Z")
    return int(moment.timestamp() * 1000)


def _full_version(beginning: str, nation: str, settings: "Settings", said: "Said") -> str:
    from exchange.errors import Refused
    from streams.classification.policy_set import load
    from streams.rulebook import sets_of

    known = sets_of(load(nation, version=settings.policy_version), said)
    found = [version for version in known if version.startswith(beginning)]
    if len(found) != 1:
        raise Refused(f"{len(found)} published sets of {nation} begin with {beginning}: see `kakehashi policy status`")
    return found[0]


def _roster(nation: str) -> "tuple[Settings, Roster]":
    from exchange.roster import load_roster
    from exchange.settings import Settings

    settings = Settings.from_env(os.environ)
    settings.partners(nation)
    return settings, load_roster(nation, settings.officers)


def _said(nation: str, settings: "Settings", roster: "Roster") -> "Said":
    from exchange.policy_watch import PolicyWatch
    from kakehashi.clusters import cluster_of

    cluster = cluster_of(nation, settings, os.environ)
    return PolicyWatch(cluster, roster, settings.partners(nation), settings.policy_lead_s * 1000).read()
