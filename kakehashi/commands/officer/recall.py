"""``kakehashi recall``, ``revoke`` and ``lift``: what must not have been shared, what was false, and back again."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.examples import examples
from kakehashi.filter_options import TypeOfValue, known_type
from kakehashi.listing import TextAsJson
from kakehashi.officers import ANSWER_S, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.vocabulary import CommandKind, EndReason

_RECALL_EXAMPLES = examples(
    ("kakehashi recall ID --nation GBR --key me.key --reason 'a source was at risk'", "from every partner, for good"),
    ("kakehashi recall ID --nation GBR --key me.key --reason '…' --partner JPN", "from one"),
    ("kakehashi recall ID ID ID --nation GBR --key me.key --reason '…'", "several for one reason"),
)
_REVOKE_EXAMPLES = examples(
    (
        "kakehashi revoke 198.51.100.7 --nation GBR --key me.key --reason 'a scanner of our own'",
        "unblock it everywhere",
    ),
)
_LIFT_EXAMPLES = examples(
    ("kakehashi explain ID --nation GBR", "names the veto on it"),
    ("kakehashi lift ID --veto VETO --nation GBR --key me.key --reason 'cleared'", "two people have to agree"),
)
Indicators = Annotated[list[str], typer.Argument(help="Indicators, by id or value.")]
Nation = Annotated[str, typer.Option(help="Whose release it is, for example GBR.")]
Key = Annotated[Path, typer.Option(help="The officer's private key, from `kakehashi officer keygen`.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit. It stays in the nation.")]
Withdrawn = Annotated[bool, typer.Option("--withdrawn", help="Tell the partner that its source took it back.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=_RECALL_EXAMPLES, rich_help_panel="Decisions")(recall)
    app.command(epilog=_REVOKE_EXAMPLES, rich_help_panel="Decisions")(revoke)
    app.command(epilog=_LIFT_EXAMPLES, rich_help_panel="Decisions")(lift)


def recall(
    indicators: Indicators,
    nation: Nation,
    key: Key,
    reason: Reason,
    partner: Annotated[str, typer.Option(help="Only from this partner.")] = "",
    type_: TypeOfValue = "",
    withdrawn: Withdrawn = False,
    wait: Wait = ANSWER_S,
    as_json: TextAsJson = False,
) -> None:
    """Take back what must not have been shared: partners purge it, and no new sighting releases it again."""
    from schemas.vocabulary import CommandKind, EndReason

    code = EndReason.WITHDRAWN if withdrawn else EndReason.RECALLED_BY_HAND
    _forbid(CommandKind.RECALL, code, indicators, nation, key, reason, partner, wait, type_=type_, as_json=as_json)


def revoke(
    indicators: Indicators,
    nation: Nation,
    key: Key,
    reason: Reason,
    type_: TypeOfValue = "",
    withdrawn: Withdrawn = False,
    wait: Wait = ANSWER_S,
    as_json: TextAsJson = False,
) -> None:
    """Declare an indicator false: it is unblocked at home and by every partner, even if it is reported again."""
    from schemas.vocabulary import CommandKind, EndReason

    code = EndReason.WITHDRAWN if withdrawn else EndReason.FALSE_POSITIVE
    _forbid(CommandKind.REVOKE, code, indicators, nation, key, reason, "", wait, type_=type_, as_json=as_json)


def lift(
    indicator: Annotated[str, typer.Argument(help="An indicator's id or value.")],
    nation: Nation,
    key: Key,
    reason: Reason,
    veto: Annotated[
        str, typer.Option(help="The command that set the veto (needed); `kakehashi explain` names it.")
    ] = "",
    type_: TypeOfValue = "",
    wait: Wait = ANSWER_S,
    as_json: TextAsJson = False,
) -> None:
    """End a recall's or revocation's veto. Two people have to agree; then the rules decide again."""
    from consumers.desk.outcome import lifted
    from schemas.vocabulary import CommandKind

    if not veto:
        raise typer.BadParameter(f"--veto is missing: `kakehashi explain {indicator} --nation {nation}` names it")
    _send(
        CommandKind.LIFT,
        [indicator],
        nation,
        key,
        reason,
        done=lambda name: lifted(_lifters(nation, name, veto)),
        wait_s=wait,
        about=veto,
        type_=type_,
        as_json=as_json,
    )


def _forbid(
    kind: "CommandKind",
    code: "EndReason",
    indicators: list[str],
    nation: str,
    key: Path,
    reason: str,
    partner: str,
    wait_s: float,
    *,
    type_: str,
    as_json: bool,
) -> None:
    from consumers.desk.outcome import forbidden

    def done(name: str) -> str:
        released_to = _released_to(nation, name, partner)
        return forbidden(kind, released_to, is_reported=bool(released_to) or _is_reported(nation, name))

    _send(
        kind,
        indicators,
        nation,
        key,
        reason,
        done=done,
        wait_s=wait_s,
        partner=partner,
        reason_code=str(code),
        type_=type_,
        as_json=as_json,
    )


def _released_to(nation: str, name: str, partner: str) -> frozenset[str]:
    """The partners to which a record on this indicator was ever released, of this one or of all."""
    from consumers.queries.released import released_to
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from schemas.identity import key_of_id, shard_of_key

    settings = Settings.from_env(os.environ)
    partners = (partner,) if partner else settings.partners(nation)
    shard = shard_of_key(key_of_id(name), settings.shards)
    found = released_to(cluster_of(nation, settings, os.environ), partners, [shard], frozenset({name}))
    return frozenset(each for each, _ in found)


def _is_reported(nation: str, name: str) -> bool:
    from consumers.queries.values import national_records
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    settings = Settings.from_env(os.environ)
    return bool(national_records(cluster_of(nation, settings, os.environ), {name}, settings.shards))


def _lifters(nation: str, name: str, veto: str) -> frozenset[str]:
    from consumers.desk.outcome import lifters
    from consumers.subscription.topic_reader import TopicReader
    from exchange.authority.roster import load_roster
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from schemas import topics
    from schemas.identity import key_of_id, shard_of_key

    settings = Settings.from_env(os.environ)
    cluster, roster = cluster_of(nation, settings, os.environ), load_roster(nation, settings.officers)
    with TopicReader(cluster, topics.COMMANDS) as reader:
        records = reader.records(shard_of_key(key_of_id(name), settings.shards))
        return lifters(records, cluster.codec(), roster, name, veto)


def _send(
    kind: "CommandKind",
    indicators: list[str],
    nation: str,
    key: Path,
    reason: str,
    *,
    done: "Callable[[str], str]",
    wait_s: float,
    type_: str,
    as_json: bool,
    partner: str = "",
    about: str = "",
    reason_code: str = "",
) -> None:
    from consumers.desk.commands import command
    from consumers.queries.named import id_of
    from exchange.authority.roster import Role
    from exchange.settings import Settings
    from kakehashi.officers import carry_out, open_desk

    if not reason.strip():
        raise typer.BadParameter("--reason is empty")
    role: Role = Role.RECALL
    known_type(type_)
    desk = open_desk(nation, key, role)
    shards = Settings.from_env(os.environ).shards
    names = list(dict.fromkeys(id_of(desk.cluster, words, type_, shards) for words in indicators))
    commands = [
        command(
            kind,
            nation,
            name,
            reason=reason,
            now_ms=desk.now_ms,
            partner=partner,
            about=about,
            reason_code=reason_code,
        )
        for name in names
    ]
    carry_out(desk, commands, done, wait_s, as_json=as_json)
