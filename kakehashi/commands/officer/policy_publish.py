"""``kakehashi policy publish``: writes what officers have signed, once the proofs hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import clock
from kakehashi.conventions import group_of
from kakehashi.examples import examples
from kakehashi.officers import ANSWER_S, Wait
from kakehashi.published_rules import published_rules

if TYPE_CHECKING:
    from kakehashi.published_rules import PublishedRules
    from schemas.records import PolicyRecord
    from streams.rules.rulebook import Activated

_EXAMPLES = examples(("kakehashi policy publish set.json --nation GBR", "a set, or its activation, signed by two"))


def register(app: typer.Typer) -> None:
    """Add the command to ``kakehashi policy``."""
    group_of(app, "policy").command(epilog=_EXAMPLES)(publish)


def publish(
    draft: Annotated[Path, typer.Argument(help="A draft that two people have signed.")],
    nation: Annotated[str, typer.Option(help="Whose rules, for example GBR.")],
    accept_wider: Annotated[bool, typer.Option("--accept-wider", help="Although it is wider.")] = False,
    require_proof: Annotated[bool, typer.Option("--require-proof", help="Fail if the analyser is missing.")] = False,
    wait: Wait = ANSWER_S,
) -> None:
    """Write a signed set or activation to every worker, once its claims hold and it is no wider than the one before.

    A set is compared with what is in force now, an activation with what will be in force at its time. Exit code 4 if a
    claim does not hold, if it releases more, or after less, and no one has accepted that, if a signature is missing,
    or if an activation is too late: the rules in force stay in force. Exit code 4, too, if a worker refuses it or does
    not answer within --wait seconds.
    """
    from consumers.desk import policy as policy_desk
    from consumers.desk.obedience import await_obedience
    from exchange.errors import Refused
    from exchange.kafka.clients import topic_ids
    from kakehashi.obedience import report_obedience
    from kakehashi.policy_gate import check
    from schemas import topics

    record, rules, now_ms = policy_desk.load(draft), published_rules(nation), clock.now_ms()
    persons = _approvers(record, rules, now_ms, draft)
    before = check(record, draft, rules, now_ms, proof=require_proof, wider=accept_wider)
    _approvers(record, rules, clock.now_ms(), draft, checks_ms=clock.now_ms() - now_ms)  # its time has come nearer
    topic_ids(rules.cluster, [topics.POLICY_READINGS])  # without it no answer could be read: nothing is written then
    offset = policy_desk.write(rules.cluster, record)
    wrong = _wrong_on_the_topic(record, before, published_rules(nation))
    if wrong:
        raise Refused(f"{draft} was written, but {wrong}")
    what = "decides from its time on" if record["kind"] == "activation" else "can be activated"
    typer.echo(f"{record['version'][:12]}, approved by {', '.join(persons)}: published; it {what}")
    answers = await_obedience(rules.cluster, record["record_id"], offset, {("streams", "")}, wait)
    report_obedience(answers, f"{record['version'][:12]} is read")


def _approvers(
    record: "PolicyRecord", rules: "PublishedRules", now_ms: int, draft: Path, checks_ms: int = 0
) -> tuple[str, ...]:
    """The people who have approved it. Raises Refused if it would not be obeyed if it was written now, after checks
    that took so long."""
    from consumers.desk import policy as policy_desk
    from exchange.errors import Refused

    lead_ms, partners = rules.settings.policy_lead_s * 1000, rules.settings.partners(rules.roster.nation)
    try:
        return policy_desk.approvers(record, rules.roster, now_ms=now_ms, lead_ms=lead_ms, partners=partners)
    except Refused as refused:
        took = f" (the checks took {checks_ms / 1000:.0f} s: allow that and the lead)" if checks_ms else ""
        raise Refused(f"{draft}: {refused}{took}; nothing was written, the rules in force stay in force") from refused


def _wrong_on_the_topic(record: "PolicyRecord", before: "Activated", rules: "PublishedRules") -> str:
    """Why the written record is not obeyed as meant; empty if it is. It may be late, or follow another activation."""
    from kakehashi.policy_gate import named

    refused = next((each.detail for each in rules.refused if each.record_id == record["record_id"]), "")
    if refused:
        return f"has no effect: {refused}; the rules in force stay in force"
    if record["kind"] != "activation":
        return ""
    follows = rules.history.before(record["record_id"])
    if follows is not None and follows.policy_set.version == before.policy_set.version:
        return ""
    return (
        f"another officer published at the same time: it follows {named(follows) if follows else 'nothing'}, with "
        f"which it was not compared. See `kakehashi policy status --nation {record['nation']}`; another "
        "activation undoes it"
    )
