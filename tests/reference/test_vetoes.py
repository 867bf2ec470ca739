"""What officers say is held against the topics; and the audit can fail: a recall is lost, or undone, or unasked."""

from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from consumers.desk.commands import command
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.vocabulary import CommandKind, EndReason
from streams.enrichment.installed import installed_enricher
from tests.builders import NOW_MS, a_report, an_id, an_observation
from tests.officers import ALICE, BOB
from tests.reference.audit import Stand, audited, undone
from tests.reference.forbidding import Officers
from tests.reference.traffic import Traffic
from tests.streams.enrichment_builders import an_enricher
from tests.streams.memory_exchange import PARTNER, MemoryExchange

CODEC = Codec()
DOMAIN = "c2.example-of-an-attacker.jp"
NAME = an_id(value=DOMAIN)
REASONS = {CommandKind.RECALL: EndReason.RECALLED_BY_HAND, CommandKind.REVOKE: EndReason.FALSE_POSITIVE}


class Bench(MemoryExchange):
    """One indicator that was released, and what officers say of it."""

    def __init__(self) -> None:
        super().__init__(an_enricher())
        self._reports = 0
        self.observes()

    def observes(self, tlp: str = "TLP:GREEN") -> None:
        marking = msgspec.structs.replace(an_observation().marking, tlp=tlp)
        self.send(a_report([an_observation(value=DOMAIN, marking=marking)], sequence=self._reports))
        self._reports += 1
        self.settle()

    def gives(self, kind: CommandKind, person: str = ALICE, about: str = "") -> str:
        made = command(
            kind,
            "GBR",
            NAME,
            reason="for a test",
            now_ms=self.now_ms,
            about=about,
            reason_code=str(REASONS.get(kind, "")),
        )
        self.command(person, made)
        self.settle()
        return made["command_id"]

    def found(self, stand: Stand) -> tuple[str, ...]:
        return audited(stand, self.expected(), self.now_ms).findings

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """What JPN has accepted, version by version."""
        found = [CODEC.decode(RELEASED_INDICATOR, record.value) for record in self.log(topics.accepted("GBR"))]
        return [each for each in found if isinstance(each, dict)]

    def later(self, **changes: object) -> Record:
        """What JPN might accept next: the last that it did, under another version, with these changes."""
        last = self.accepted[-1]
        value = CODEC.encode(RELEASED_INDICATOR, {**last, "version": last["version"] + 1, **changes})
        return msgspec.structs.replace(self.log(topics.accepted("GBR"))[-1], value=value)


@pytest.mark.parametrize("seed", range(2))
def test_mixed_traffic_with_officers_amid_it_comes_out_as_the_model_and_what_they_stated(seed: int) -> None:
    random = Random(seed)
    exchange, officers = MemoryExchange(installed_enricher()), Officers(random, "GBR")
    for report in Traffic(random, "GBR", NOW_MS).reports(60):
        exchange.send(report)
        names = [(record.key or b"").decode() for record in exchange.log(topics.released(PARTNER))]
        for _ in range(random.randrange(4) if names else 0):
            exchange.command(*officers.word(names, exchange.now_ms))
        exchange.go_on(random)
    exchange.settle(random)
    audit = exchange.audit()
    assert audit.clean, str(audit)
    kinds = {
        decoded["kind"]
        for each in exchange.log(topics.accepted("GBR"))
        if isinstance(decoded := CODEC.decode(RELEASED_INDICATOR, each.value), dict)
    }
    assert kinds >= {"content", "recalled", "revoked"}
    assert any((each.key or b"").startswith(b"command") for each in exchange.log(topics.QUARANTINE))


def test_what_stands_and_what_was_lifted_is_as_it_was_stated() -> None:
    bench = Bench()
    revoked = bench.gives(CommandKind.REVOKE)
    assert bench.audit().clean, str(bench.audit())
    recalled = bench.gives(CommandKind.RECALL)
    for about in (revoked, recalled):
        for person in (ALICE, ALICE, BOB):
            bench.gives(CommandKind.LIFT, person, about)
            assert bench.audit().clean, str(bench.audit())
    assert bench.audit().replicated == 1
    bench.gives(CommandKind.REVOKE)
    bench.observes("TLP:RED")
    assert bench.audit().clean, str(bench.audit())


def test_a_recall_that_was_lost_is_found() -> None:
    bench = Bench()
    before = bench.stand()
    bench.gives(CommandKind.RECALL)
    lost = replace(before, commands=bench.stand().commands)
    assert f"wrong: {NAME} ({DOMAIN}) is at JPN and may not be" in bench.found(lost)
    assert undone(lost, bench.expected()) == (f"{NAME} ({DOMAIN}) is at JPN and may not be",)
    assert undone(bench.stand(), bench.expected()) == ()


def test_a_recalled_indicator_that_is_back_is_found() -> None:
    bench = Bench()
    content = bench.accepted[-1]["content"]
    bench.gives(CommandKind.RECALL)
    stand, back = bench.stand(), bench.later(kind="content", reason="", content=content)
    found = bench.found(replace(stand, accepted=[*stand.accepted, back]))
    assert f"wrong: {NAME} ({DOMAIN}) is at JPN and may not be" in found


@pytest.mark.parametrize("kind", REASONS)
def test_a_recall_or_a_revocation_that_no_one_asked_for_is_found(kind: CommandKind) -> None:
    bench = Bench()
    bench.gives(kind)
    found = bench.found(replace(bench.stand(), commands=[]))
    end = "recalled" if kind is CommandKind.RECALL else "revoked"
    assert f"wrong: {NAME} ({DOMAIN}) is {end} at JPN, should be there" in found
    assert f"wrong: {NAME} is {end} ({REASONS[kind]}), and nobody has said so" in found


def test_a_recall_that_is_reported_as_something_milder_or_of_too_little_is_found() -> None:
    bench = Bench()
    bench.gives(CommandKind.RECALL)
    stand = bench.stand()
    milder, less = bench.later(kind="revoked"), bench.later(recalled_through=0)
    assert f"wrong: {NAME} is revoked at JPN, should be recalled" in bench.found(
        replace(stand, accepted=[*stand.accepted, milder])
    )
    found = bench.found(replace(stand, accepted=[*stand.accepted, less]))
    assert any("does not recall version" in each for each in found)


def test_what_has_followed_an_end_is_not_missed_where_only_the_fast_lane_still_has_it() -> None:
    """A released topic was recreated: what it held is gone, and the other lane has only the recall."""
    bench = Bench()
    veto = bench.gives(CommandKind.RECALL)
    recalled = bench.stand().accepted
    for person in (ALICE, BOB):
        bench.gives(CommandKind.LIFT, person, veto)
    anew = replace(bench.stand(), released=[], urgent=bench.log(topics.urgent(PARTNER)))
    assert bench.found(anew) == ()
    assert any("which was released" in each for each in bench.found(replace(anew, accepted=recalled[:-1])))


def test_a_veto_that_one_person_has_ended_is_found() -> None:
    bench = Bench()
    veto = bench.gives(CommandKind.RECALL)
    bench.gives(CommandKind.LIFT, ALICE, veto)
    one = bench.stand().commands
    bench.gives(CommandKind.LIFT, BOB, veto)
    assert bench.audit().clean, str(bench.audit())
    assert f"wrong: {NAME} ({DOMAIN}) is at JPN and may not be" in bench.found(replace(bench.stand(), commands=one))
