"""What a person can try who reads and writes the nation's topics, with and without an officer's key."""

import sys
from pathlib import Path
from typing import Any, Final

from consumers.desk.commands import command
from exchange.clock import now_ms
from schemas import topics
from schemas.codec import COMMAND, DECISION, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.links import POLICY_FOLDER
from schemas.records import ReleasedIndicator
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind
from streams.audit.entry import Head, after
from streams.rules.difference import differences, under_schema_of
from streams.rules.policy_set import compiled, read_texts
from streams.rules.proof.exhaustive import ExhaustiveProver
from tests.attack.attack import Attack
from tests.attack.field import CODEC, HOME, PARTNER, WITHIN_S, Field, Target, a_target
from tests.builders import a_content, a_marking_record, a_released
from tests.officers import ALICE, BOB, CAROL, key_of
from tests.rules.slices import loosened

WHO: Final = "insider"
OFFICER: Final = "officer"
YEARS_S: Final = 3 * 365 * 24 * 60 * 60
FAR: Final = 1 << 62
MUTANTS: Final = 6
GREEN: Final = a_marking_record()


def released(field: Field) -> Target:
    """An indicator that JPN has."""
    target = a_target()
    field.reports("plain-9", target.seen("TLP:GREEN"))
    field.until(lambda: field.kinds(target), "content")
    return target


def held(field: Field, sensor: str = "plain-8", tlp: str = "", **marking: Any) -> Target:
    """An indicator that waits for an officer: an unmarked one, if it is not marked."""
    target = a_target()
    field.reports(sensor, target.seen(tlp, **marking))
    field.until(lambda: str(field.question(target) is not None), "True")
    return target


def judges(field: Field, person: str, verdict: str, target: Target) -> str:
    """An officer's verdict on what is asked about the target, or was asked last."""
    shown = field.questions(target)[-1]
    fields = {"verdict": verdict, "partner": PARTNER, "question": shown["question"], "about": shown["decision_id"]}
    marking = GREEN if verdict == "approve" else None
    return field.commands(person, CommandKind.VERDICT, target, marking=marking, **fields)


def an_unsigned_command(field: Field) -> str:
    """A recall that no key has signed."""
    target = released(field)
    made = command(CommandKind.RECALL, HOME, target.name, reason="an attack", now_ms=now_ms())
    key = field.writes_command(made, target.name)
    return field.after_a_probe(lambda: f"{field.refused(key)}; {field.kinds(target)}")


def a_strangers_command(field: Field) -> str:
    """A recall by a key that is not on the roster."""
    target = released(field)
    made = command(CommandKind.RECALL, HOME, target.name, reason="an attack", now_ms=now_ms())
    key = field.writes_command(signed_command(CODEC, made, key_of("mallory")), target.name)
    return field.after_a_probe(lambda: f"{field.refused(key)}; {field.kinds(target)}")


def an_old_approval(field: Field) -> str:
    """An officer approves, another refuses; then the approval's bytes are written again."""
    target = held(field)
    approved = judges(field, ALICE, "approve", target)
    field.until(lambda: field.kinds(target), "content")
    refused = judges(field, BOB, "refuse", target)
    field.until(lambda: field.kinds(target), "content, recalled")
    key = field.writes_command(_bytes_of(field, target, 0), target.name)
    answer = field.after_a_probe(lambda: f"{field.refused(key)}; {field.kinds(target)}")
    return f"{approved}, {refused}; {answer}"


def half_an_approval(field: Field) -> str:
    """Two must approve; one has, and the bytes of that are written again."""
    target = held(field, caveats=("機密性3情報",), tlp="TLP:GREEN")
    approved = judges(field, ALICE, "approve", target)
    key = field.writes_command(_bytes_of(field, target, 0), target.name)
    return field.after_a_probe(lambda: f"{approved}; {field.refused(key)}; {field.kinds(target)}")


def a_lifted_recall(field: Field) -> str:
    """A recall, lifted by two; then the recall's bytes are written again."""
    target = released(field)
    recalled = field.commands(ALICE, CommandKind.RECALL, target, reason_code="recalled-by-hand")
    field.until(lambda: field.kinds(target), "content, recalled")
    recall = CODEC.decode(COMMAND, _bytes_of(field, target, 0))
    about = "" if isinstance(recall, Undecodable) else recall["command_id"]
    lifts = [field.commands(person, CommandKind.LIFT, target, about=about) for person in (ALICE, BOB)]
    field.reports("plain-9", target.seen("TLP:GREEN"))
    field.until(
        lambda: _sightings(field, target), "2"
    )  # what was reported meanwhile leaves with a roll-up, at its time
    before = field.kinds(target)
    key = field.writes_command(_bytes_of(field, target, 0), target.name)
    after = field.after_a_probe(lambda: field.kinds(target))
    ends = f"{after.rpartition(', ')[2]} as before" if after == before else f"{before}, then {after}"
    return f"{recalled}, {', '.join(lifts)}; {field.refused(key)}; {ends}"


def _sightings(field: Field, target: Target) -> str:
    """How many sightings the last content that JPN has accepted states."""
    content = field.accepted(target)[-1]["content"]
    return "" if content is None else str(content["sightings"])


def approved_first(field: Field) -> str:
    """An officer approves, and then has the own sensor report the same."""
    target = held(field)
    approved = judges(field, CAROL, "approve", target)
    field.until(lambda: field.kinds(target), "content")
    field.reports("edge", target.seen(""))
    return field.until(lambda: f"{approved}; {field.kinds(target)}", "obeyed; content, recalled")


def _bytes_of(field: Field, target: Target, number: int) -> bytes:
    """The bytes of the command about the target that was written so many before."""
    of_it = [each.value for each in field.records(HOME, topics.COMMANDS) if each.key == target.name.encode()]
    return of_it[number] or b""


def ones_own_report(field: Field) -> str:
    """The officer who runs the sensor approves what it reports."""
    target = held(field, "edge")
    return f"{judges(field, CAROL, 'approve', target)}; {field.kinds(target)}"


def an_early_command(field: Field) -> str:
    """A recall that is signed for later, to be used whenever it suits."""
    target = released(field)
    made = command(
        CommandKind.RECALL,
        HOME,
        target.name,
        reason="an attack",
        reason_code="recalled-by-hand",
        now_ms=now_ms() + YEARS_S * 1000,
    )
    key = field.writes_command(signed_command(CODEC, made, key_of(ALICE)), target.name)
    return field.until(lambda: field.detail(key), "it was signed a day ahead of the broker's clock")


def past_the_rules(field: Field) -> str:
    """TLP:RED, a prohibition, a private address and a local name written onto the released topic by hand."""
    bad = (
        {"tlp": "TLP:RED"},
        {"caveats": ["転送禁止"]},
        {"caveats": ["配付禁止"]},
        {"type": "ipv4-addr", "value": "10.1.2.3", "registered_domain": ""},
        {"value": "intranet.internal", "registered_domain": ""},
    )
    found = []
    for changes in bad:
        record = by_hand(**changes)
        key = field.releases_by_hand(record)
        field.until(lambda key=key: str(field.refused(key) != "accepted"), "True")  # type: ignore[misc]
        passed = [each for each in field.records(PARTNER, topics.accepted(HOME)) if each.key == record["id"].encode()]
        found.append("passed" if passed else field.refused(key).removeprefix("refused: "))
    return ", ".join(found)


def by_hand(**changes: object) -> ReleasedIndicator:
    """A released record of GBR for JPN with this content."""
    at_ms = now_ms()
    content = {"value": f"{a_target().value[:20]}.example-of-an-attacker.jp", "registered_domain": ""}
    times = {"first_seen_ms": at_ms - 2000, "last_seen_ms": at_ms - 1000, "release_expires_ms": at_ms + 86_400_000}
    return a_released(version=at_ms, content=a_content(**{**content, **times, **changes}))


def the_far_future(field: Field) -> str:
    """An end of version 2^62 written by hand: nothing would ever be newer."""
    target = released(field)
    record = a_released(id=target.name, kind="expired", version=FAR)
    key = field.releases_by_hand(record)
    field.until(lambda: str(field.refused(key) != "accepted"), "True")
    field.reports("other-9", target.seen("TLP:CLEAR", labels=("c2",)))
    kinds = field.until(lambda: field.kinds(target), "content, content")
    return f"{field.refused(key)}; {kinds}"


def a_forged_decision(field: Field) -> str:
    """A well-chained entry, for something that was never reported, at the end of the audit topic."""
    whole = field.command_line("audit", "verify", "--nation", HOME)
    target = a_target()
    shard = shard_of_key(key_of_id(target.name), field.nations.shards)
    last = [each for each in field.records(HOME, topics.AUDIT) if each.partition == shard][-1]
    decision = CODEC.decode(DECISION, last.value)
    assert isinstance(decision, dict)
    head = after(Head(decision["sequence"]), last.value or b"")
    forged = {**decision, "sequence": head.sequence, "previous": head.last, "indicator_id": target.name}
    forged |= {"decision_id": f"{HOME}-{shard}-{head.sequence}"}
    field.writes(HOME, topics.AUDIT, shard, target.name.encode(), CODEC.encode(DECISION, forged))
    done = field.command_line("audit", "verify", "--nation", HOME)
    return f"exit {whole.returncode}, then exit {done.returncode}"


def weaker_rules(_field: Field) -> str:
    """Policy sets that release the same after less: obligations, reviewers and deadlines."""
    texts = read_texts(HOME, POLICY_FOLDER)
    before, prover = compiled(texts, HOME), ExhaustiveProver(texts["joint/v1/schema.cedarschema"], [HOME, PARTNER])
    sets = list(loosened(texts))
    chosen = sets[:: max(1, len(sets) // MUTANTS)][:MUTANTS]
    wider = 0
    for each in chosen:
        new = compiled(each.texts, HOME)
        wider += any(change.widens for change in differences(under_schema_of(new, before), new, prover))
    return f"{wider} of {len(chosen)} called wider"


def a_wrong_clock(field: Field) -> str:
    """The nation's worker and bridge are started on a machine whose clock is three years ahead."""
    target = released(field)
    worker, bridge = (field.nations.roles[name] for name in (f"streams-{HOME}-1", f"bridge-{HOME}-1"))
    launcher = (sys.executable, str(Path(__file__).with_name("wrong_clock.py")), str(YEARS_S))
    for role in (worker, bridge):
        role.kill()
    wrong = [field.nations.add_wrong(role, launcher) for role in (worker, bridge)]
    field.nations.start([role.name for role in wrong])
    new = a_target()
    field.reports("plain-9", new.seen("TLP:GREEN"))
    found = field.until(lambda: f"{field.kinds(target)}; {field.kinds(new)}", "content; content", 2 * WITHIN_S)
    warned = all("clock.differs" in role.log.read_text("utf-8", "replace") for role in wrong)
    for role in wrong:
        role.kill()
        del field.nations.roles[role.name]
    field.nations.start([worker.name, bridge.name])
    ended = [each["kind"] for each in field.national(target)][-1]
    return f"{found}; {ended}; {'warned' if warned else 'no warning'}"


ATTACKS: Final = (
    Attack(WHO, "an unsigned command", "refused: unsigned; content", an_unsigned_command),
    Attack(WHO, "a command by a key that is not on the roster", "refused: unknown-key; content", a_strangers_command),
    Attack(WHO, "the bytes of an old approval, again",
           "obeyed, obeyed; refused: nothing-to-do; content, recalled", an_old_approval),
    Attack(WHO, "half of an approval by two, again", "obeyed; refused: nothing-to-do; nothing", half_an_approval),
    Attack(WHO, "a recall that was lifted, again",
           "obeyed, obeyed, obeyed; refused: nothing-to-do; content as before", a_lifted_recall),
    Attack(OFFICER, "to approve first, and report then", "obeyed; content, recalled", approved_first),
    Attack(WHO, "a command from next year", "it was signed a day ahead of the broker's clock", an_early_command),
    Attack(OFFICER, "to approve the own sensor's report", "own-report; nothing", ones_own_report),
    Attack(OFFICER, "rules that release the same after less", f"{MUTANTS} of {MUTANTS} called wider", weaker_rules),
    Attack(WHO, "onto the released topic, past the rules",
           "forbidden-marking, forbidden-caveat, forbidden-caveat, invalid-value, invalid-value",
           past_the_rules),
    Attack(WHO, "an end of version 2^62 by hand", "refused: time-out-of-range; content, content", the_far_future),
    Attack("no one", "a worker and a bridge three years ahead",
           "content; content; content; warned", a_wrong_clock),
    Attack(WHO, "a well-chained entry in the audit", "exit 0, then exit 4", a_forged_decision),
)  # fmt: skip
