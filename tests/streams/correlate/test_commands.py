"""A command does something only if it is signed by someone who may, for this nation, in time, and makes sense."""

from typing import Any

import pytest

from consumers.desk.commands import command
from schemas.codec import COMMAND
from schemas.records import Command
from schemas.signing import COMMAND_PURPOSE, command_body, key_id, public_of, sign, signed_command
from schemas.vocabulary import CommandKind
from tests.builders import DAY_MS, NOW_MS, an_id
from tests.officers import ALICE, key_of
from tests.streams.officers_bench import CODEC, NAME, OfficersBench


def a_recall(**changes: Any) -> Command:
    made = command(CommandKind.RECALL, "GBR", NAME, reason="asked back", reason_code="recalled-by-hand", now_ms=NOW_MS)
    return {**made, **changes}  # type: ignore[typeddict-item]  # the tests' own changes


def refusal_of(made: Command, **arrival: Any) -> str:
    bench = OfficersBench()
    bench.observes()
    reason = bench.arrives(made, **arrival)
    assert (bench.announced == [("content", "")]) is bool(reason), "what is refused does nothing"
    return reason


def signed(**changes: Any) -> Command:
    return signed_command(CODEC, a_recall(**changes), key_of(ALICE))


def test_a_command_with_a_good_signature_is_obeyed() -> None:
    assert refusal_of(signed()) == ""


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (a_recall(officer=key_id(public_of(key_of(ALICE)))), "unsigned"),
        (signed_command(CODEC, a_recall(), key_of("mallory")), "unknown-key"),
        ({**signed(), "reason": "another one"}, "bad-signature"),
        ({**signed(), "partner": "JPN"}, "bad-signature"),
        ({**signed(), "signature": bytes(64)}, "bad-signature"),
        ({**signed(), "signature": b"short"}, "bad-signature"),
        (signed(nation="JPN"), "malformed-command"),
        (signed(kind="pardon"), "malformed-command"),
        (signed(reason="  "), "malformed-command"),
        (signed(reason="x" * 501), "malformed-command"),
        (signed(reason_code="aged-out"), "malformed-command"),
        (signed(partner="FRA"), "malformed-command"),
        (signed(kind="lift", reason_code=""), "malformed-command"),
        (signed(kind="revoke", reason_code="false-positive", partner="JPN"), "malformed-command"),
        (signed(kind="verdict", reason_code="", verdict="approve", partner="JPN"), "malformed-command"),
        (
            signed(kind="verdict", reason_code="", verdict="perhaps", partner="JPN", question=bytes(16)),
            "malformed-command",
        ),
        (signed(expires_ms=NOW_MS), "malformed-command"),
        (signed(expires_ms=NOW_MS + 400 * DAY_MS), "malformed-command"),
        (signed(indicator_id="indicator--nonsense"), "key-mismatch"),
    ],
)
def test_what_is_wrong_with_a_command_is_stated_and_nothing_is_done(made: Command, reason: str) -> None:
    assert refusal_of(made) == reason


def test_what_was_signed_by_a_key_in_another_s_name_is_forged() -> None:
    forged: Command = {**a_recall(), "officer": key_id(public_of(key_of(ALICE)))}
    signature = sign(key_of("mallory"), COMMAND_PURPOSE, command_body(CODEC, forged))
    assert refusal_of({**forged, "signature": signature}) == "bad-signature"


def test_a_signature_for_another_purpose_is_worth_nothing() -> None:
    named: Command = {**a_recall(), "officer": key_id(public_of(key_of(ALICE)))}
    signature = sign(key_of(ALICE), "policy.v1", command_body(CODEC, named))
    assert refusal_of({**named, "signature": signature}) == "bad-signature"


def test_a_command_under_another_indicator_s_key_is_refused() -> None:
    assert refusal_of(signed(), key=an_id(value="other.example.com").encode()) == "key-mismatch"


def test_a_command_that_comes_after_its_expiry_is_refused_and_one_that_waited_is_not() -> None:
    """Its time is the broker's: a worker that was away obeys what came in time."""
    assert refusal_of(signed(), appended_ms=NOW_MS + DAY_MS) == "command-expired"
    bench = OfficersBench()
    bench.observes()
    bench.now_ms += 30 * DAY_MS
    assert bench.arrives(signed(), appended_ms=NOW_MS + DAY_MS - 1) == ""


def test_bytes_that_are_no_command_are_refused() -> None:
    bench = OfficersBench()
    for value, reason in ((None, "truncated"), (b"", "truncated"), (b"nonsense", "unknown-schema")):
        assert bench.arrives_as(value, NAME.encode()) == reason
    cut = CODEC.encode(COMMAND, signed())[:-3]
    assert bench.arrives_as(cut, NAME.encode()) in {"truncated", "undecodable"}


def test_the_refused_command_is_kept_as_it_came_with_what_was_wrong() -> None:
    bench = OfficersBench()
    made = signed_command(CODEC, a_recall(), key_of("mallory"))
    bench.arrives(made)
    (kept,) = bench.quarantine
    assert kept["stage"] == "correlate"
    assert kept["original"] == CODEC.encode(COMMAND, made)
    assert "GBR's roster" in kept["detail"]
