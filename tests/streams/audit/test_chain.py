"""A chain of real decisions, officers' among them: verified, decided again, and each way to tamper with it found."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas import topics
from schemas.codec import DECISION, Codec
from schemas.records import AuditAnchor, Decision
from schemas.vocabulary import CommandKind
from streams.audit import entry as audit
from streams.audit.chain import ChainReport, Entry, verify
from streams.audit.rerun import rerun
from streams.rules.engine import Engine
from tests.builders import an_anchor
from tests.officers import ALICE, BOB
from tests.streams.officers_bench import POLICY, OfficersBench

CODEC = Codec()
ENGINES = {POLICY.version: Engine(POLICY)}
GREEN: Any = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}


def a_history() -> tuple[list[Entry], audit.Head]:
    """Releases, holds, an approval that gives a marking, a refusal, a lapse and a recall; and the state's head."""
    bench = OfficersBench()
    bench.observes()
    bench.observes(tlp="TLP:RED")
    bench.observes(tlp="", values=("a.example-of-an-attacker.jp",))
    bench.judges(ALICE, "approve", indicator_id=bench.shown[-1]["indicator_id"], marking=GREEN)
    bench.observes(caveats=("機密性3情報",), values=("b.example-of-an-attacker.jp",))
    bench.judges(BOB, "refuse", indicator_id=bench.shown[-1]["indicator_id"])
    bench.observes(tlp="TLP:CLEAR", values=("c.example-of-an-attacker.jp",), caveats=("関係者限り",))
    bench.waits(73 * 3_600_000)
    bench.observes(values=("d.example-of-an-attacker.jp",))
    recalled = bench.released[-1]["id"]
    bench.gives(BOB, CommandKind.RECALL, indicator_id=recalled, reason_code="recalled-by-hand")
    outputs = [output for output in bench.correlate.outputs if output.topic == topics.AUDIT]
    entries = [
        Entry(offset, output.value or b"", CODEC.decode(DECISION, output.value))  # type: ignore[arg-type]
        for offset, output in enumerate(outputs)
    ]
    (head,) = bench.correlate.get_many([audit.HEAD_KEY])
    assert head is not None
    return entries, msgspec.msgpack.decode(head, type=audit.Head)


ENTRIES, HEAD = a_history()


def verified(
    entries: list[Entry], anchors: tuple[AuditAnchor, ...] = (), head: audit.Head | None = HEAD
) -> ChainReport:
    return verify("GBR", 0, entries, anchors, ENGINES, head)


def anchor_after(number: int) -> AuditAnchor:
    """An anchor, signed when the chain had so many entries."""
    report = verified(ENTRIES[:number], head=None)
    return an_anchor(sequence=report.end.sequence, last=report.end.last, offset=report.next_offset)


def changed(entry: Entry, **changes: Any) -> Entry:
    assert entry.decision is not None
    decision: Decision = {**entry.decision, **changes}  # type: ignore[typeddict-item]
    return Entry(entry.offset, CODEC.encode(DECISION, decision), decision)


def test_the_history_has_every_kind_of_decision() -> None:
    found = [entry.decision for entry in ENTRIES if entry.decision]
    assert {each["outcome"] for each in found} == {"release", "hold", "withhold"}
    assert {each["review"] for each in found} >= {"", "open", "approved", "refused", "lapsed"}
    assert any(each["veto"] for each in found)
    assert any(each["assigned"] for each in found)


def test_a_whole_chain_is_verified_and_each_decision_is_decided_again_with_the_same_answer() -> None:
    report = verified(ENTRIES, (anchor_after(3),))
    assert report.findings == []
    assert report.rerun == report.entries == len(ENTRIES)
    assert report.anchored == 3


def test_a_decision_under_a_policy_that_is_not_here_is_counted_and_not_believed() -> None:
    report = verify("GBR", 0, ENTRIES, (), {}, HEAD)
    assert report.rerun == 0
    assert sum(report.not_rerun.values()) == len(ENTRIES)


TAMPERED: dict[str, tuple[Callable[[list[Entry]], list[Entry]], str]] = {
    "altered": (lambda all_: [*all_[:2], changed(all_[2], partner="USA"), *all_[3:]], "was altered or replaced"),
    "missing": (lambda all_: [*all_[:2], *all_[3:]], "one is missing"),
    "out of order": (lambda all_: [all_[0], all_[2], all_[1], *all_[3:]], "out of order"),
    "cut at its end": (lambda all_: all_[:-1], "its shard has written"),
    "altered at its end": (
        lambda all_: [*all_[:-1], changed(all_[-1], at_ms=1)],
        "is not the last entry that the shard wrote",
    ),
    "cut at its beginning": (lambda all_: all_[2:], "no signed anchor is at its place"),
    "no decision": (lambda all_: [Entry(0, b"?", None), *all_[1:]], "is not a decision"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_each_alteration_is_found(how: str) -> None:
    tamper, words = TAMPERED[how]
    assert any(words in finding for finding in verified(tamper(list(ENTRIES))).findings)


def test_a_forged_entry_with_the_right_hash_before_it_is_found_by_deciding_again() -> None:
    last = ENTRIES[-1].decision
    assert last is not None
    forged = changed(
        ENTRIES[-1],
        sequence=HEAD.sequence,
        decision_id=f"GBR-0-{HEAD.sequence}",
        previous=HEAD.last,
        outcome="release",
        veto=None,
        rules=["tlp-clear"],
    )
    assert any("decided again" in finding for finding in verified([*ENTRIES, forged]).findings)


def appended() -> Entry:
    """A second copy of a real decision, as a well-formed next entry: every link and its decision are right."""
    again = changed(ENTRIES[0], sequence=HEAD.sequence, decision_id=f"GBR-0-{HEAD.sequence}", previous=HEAD.last)
    return Entry(len(ENTRIES), again.encoded, again.decision)


@pytest.mark.parametrize("head", [HEAD, lambda: HEAD], ids=["known", "read after the entries"])
def test_a_well_chained_entry_that_the_shard_did_not_write_is_found(head: audit.Head) -> None:
    assert verified([*ENTRIES, appended()], head=None).findings == [], "only the shard's state shows it"
    found = verified([*ENTRIES, appended()], head=head).findings
    assert found == [f"entry {HEAD.sequence} and what is behind it are forged: the shard has written {HEAD.sequence}"]


def test_entries_of_a_shard_that_has_written_none_are_found() -> None:
    assert any("are forged" in each for each in verified(ENTRIES, head=audit.Head()).findings)


@pytest.mark.parametrize(
    "changes", [{"outcome": "hold"}, {"rules": []}, {"obligations": ["expire-after-days:3650"]}, {"merged": None}]
)
def test_a_decision_that_differs_from_its_facets_is_found(changes: dict[str, Any]) -> None:
    release = ENTRIES[0].decision
    assert release is not None
    assert rerun(release, ENGINES[POLICY.version]) == ""
    assert rerun({**release, **changes}, ENGINES[POLICY.version]) != ""  # type: ignore[typeddict-item]


def test_a_history_rewritten_from_end_to_end_is_found_by_its_anchor() -> None:
    rewritten, last = [], b""
    for entry in ENTRIES:
        again = changed(entry, previous=last, at_ms=0)
        last = audit.after(audit.Head(), again.encoded).last
        rewritten.append(again)
    assert verified(rewritten, head=None).findings == []
    found = verified(rewritten, (anchor_after(4),), head=None).findings
    assert ["is not the entry that was anchored" in finding for finding in found] == [True]


def test_a_chain_may_begin_at_an_anchor_and_nowhere_else() -> None:
    assert verified(ENTRIES[3:], (anchor_after(3),)).findings == []
    for begins in (1, 2, 4):
        [found] = verified(ENTRIES[begins:], (anchor_after(3),)).findings[:1]
        assert "the entries before it were deleted, not truncated" in found
    assert verified(ENTRIES[2:], (anchor_after(2), anchor_after(3))).findings == []


def test_an_anchor_beyond_the_end_shows_that_the_end_was_cut_off() -> None:
    found = verified(ENTRIES[:3], (anchor_after(5),), head=None).findings
    assert found == ["the chain ends before entry 3, and an anchor has 5 entries"]
