"""What an officer is told of an obeyed command is what it has changed."""

import pytest

from consumers.desk.commands import command
from consumers.desk.outcome import forbidden, lifted, lifters
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import COMMAND, Codec
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind
from tests.builders import NOW_MS, an_id
from tests.officers import ALICE, BOB, REVIEWER, ROSTER, key_of

CODEC = Codec()
VETO = "veto-1"


def lift(person: str, about: str = VETO, number: int = 1, signer: str = "") -> Record:
    made = command(CommandKind.LIFT, "GBR", an_id(), reason="for a test", now_ms=NOW_MS, about=about)
    made = signed_command(CODEC, made, key_of(person, number))
    if signer:
        made["officer"] = signed_command(CODEC, made, key_of(signer))["officer"]
    return Record(topics.COMMANDS, 0, 0, an_id().encode(), CODEC.encode(COMMAND, made), NOW_MS)


def people(*records: Record) -> frozenset[str]:
    return lifters(records, CODEC, ROSTER, an_id(), VETO)


def test_the_first_lift_leaves_the_veto_and_the_second_persons_lift_ends_it() -> None:
    assert "still applies" in lifted(people(lift(ALICE)))
    assert "the veto has ended: lifted by alice, bob" in lifted(people(lift(ALICE), lift(BOB)))


@pytest.mark.parametrize(
    "other",
    [
        lift(ALICE, number=2),
        lift(BOB, about="another veto"),
        lift(REVIEWER),
        lift("mallory"),
        lift("mallory", signer=BOB),
    ],
    ids=["a second key", "another veto", "another role", "unknown", "forged"],
)
def test_only_a_second_persons_valid_lift_of_this_veto_counts(other: Record) -> None:
    assert people(lift(ALICE), other) == {ALICE}


@pytest.mark.parametrize("kind", [CommandKind.RECALL, CommandKind.REVOKE])
def test_what_was_never_released_is_not_reported_as_ended(kind: CommandKind) -> None:
    answer = forbidden(kind, frozenset(), is_reported=True)
    assert "never released" in answer
    assert "only the veto was set" in answer
    assert "check the spelling" not in answer
    assert forbidden(kind, frozenset({"JPN", "AUS"}), is_reported=True).endswith("from AUS, JPN; the veto stays")


def test_a_veto_on_what_no_one_has_reported_is_set_and_the_answer_asks_for_the_spelling() -> None:
    answer = forbidden(CommandKind.RECALL, frozenset(), is_reported=False)
    assert answer.startswith("it was never released")
    assert answer.endswith("the veto was set, but no one has reported it: check the spelling")
