"""Verifies one chain of the audit: its links, its anchors, its end, and each decision by deciding it again. Pure.

A chain may begin in the middle only behind a signed anchor: the signing officer had verified the truncated entries.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from schemas.records import AuditAnchor, Decision
from streams.audit.entry import Head
from streams.audit.rerun import engine_of, rerun
from streams.rules.engine import Engine

MOST: Final = 20  # findings of one chain: enough for a chain that is broken throughout


class Entry(msgspec.Struct, frozen=True):
    """One record of the audit's topic: its position, its framed bytes, and its content; None if it is invalid."""

    offset: int
    encoded: bytes
    decision: Decision | None


class ChainReport(msgspec.Struct):
    """The state of a chain. An anchor would sign ``end`` and ``next_offset``."""

    shard: int
    findings: list[str] = []
    entries: int = 0
    anchored: int = 0
    rerun: int = 0
    not_rerun: Counter[str] = msgspec.field(default_factory=Counter)
    first: int = 0
    end: Head = Head()
    next_offset: int = 0

    def find(self, what: str) -> None:
        """Note a finding."""
        if len(self.findings) < MOST:
            self.findings.append(what)


def verify(
    nation: str,
    shard: int,
    entries: Iterable[Entry],
    anchors: Sequence[AuditAnchor],
    engines: Mapping[str, Engine],
    head: Head | Callable[[], Head] | None,
) -> ChainReport:
    """Follow the chain. ``anchors`` are of this chain and validly signed; ``engines`` are by policy version.

    ``head`` is the end of the chain in the shard's committed state: the shard has not written anything behind it. A
    live chain grows while it is read, so it may be a function, which is called after the last of ``entries``.
    """
    report = ChainReport(shard)
    due = {anchor["sequence"]: anchor for anchor in anchors}
    expected: Head | None = None
    for entry in entries:
        decision = entry.decision
        if decision is None:
            report.find(f"offset {entry.offset}: is not a decision: it was altered")
            continue
        name = decision["decision_id"]
        if expected is None:
            expected = report.end = Head(decision["sequence"], decision["previous"])
            report.first = decision["sequence"]
            _begins(report, name, expected, due)
        wrong = _link(decision, expected)
        if wrong:
            report.find(f"{name}: {wrong}")
        if (decision["shard"], name) != (shard, f"{nation}-{shard}-{decision['sequence']}"):
            report.find(f"{name}: is in the chain of {nation}-{shard}")
        _decided(report, decision, engines)
        expected = report.end = Head(decision["sequence"] + 1, sha256(entry.encoded).digest())
        report.next_offset = entry.offset + 1
        report.entries += 1
        anchor = due.pop(expected.sequence, None)
        if anchor is not None:
            report.anchored = expected.sequence
            if anchor["last"] != expected.last:
                report.find(f"{name}: is not the entry that was anchored: it was altered since")
    _ends(report, due, head() if callable(head) else head)
    return report


def _begins(report: ChainReport, name: str, start: Head, due: Mapping[int, AuditAnchor]) -> None:
    """If the first entries of a chain are missing, it must begin exactly at an anchor, where `audit truncate` cuts.
    Entries between two anchors that are missing were deleted by someone else, although they were anchored."""
    if start.sequence == 0:
        if start.last:
            report.find(f"{name}: names an entry before it, and it is the first")
        return
    at = due.get(start.sequence)
    if at is not None and at["last"] != start.last:
        report.find(f"{name}: the entry before it is not the one that was anchored")
    if at is None:
        report.find(
            f"{name}: is the first that is left, and no signed anchor is at its place: the entries before it were "
            "deleted, not truncated"
        )


def _link(decision: Decision, expected: Head) -> str:
    if decision["sequence"] != expected.sequence:
        return f"entry {expected.sequence} was expected here: one is missing, or they are out of order"
    return "" if decision["previous"] == expected.last else "the entry before it was altered or replaced"


def _decided(report: ChainReport, decision: Decision, engines: Mapping[str, Engine]) -> None:
    engine = engine_of(decision, engines)
    if isinstance(engine, str):
        report.not_rerun[engine] += 1
        return
    report.rerun += 1
    wrong = rerun(decision, engine)
    if wrong:
        report.find(f"{decision['decision_id']}: decided again, {wrong}")


def _ends(report: ChainReport, due: Mapping[int, AuditAnchor], head: Head | None) -> None:
    beyond = max((sequence for sequence in due if sequence > report.end.sequence), default=0)
    if beyond:
        report.find(f"the chain ends before entry {report.end.sequence}, and an anchor has {beyond} entries")
    if head is None or report.end == head:
        return
    if report.end.sequence < head.sequence:
        report.find(f"the chain ends before entry {report.end.sequence}, and its shard has written {head.sequence}")
    elif report.end.sequence > head.sequence:
        report.find(f"entry {head.sequence} and what is behind it are forged: the shard has written {head.sequence}")
    else:
        report.find(f"entry {head.sequence - 1} is not the last entry that the shard wrote")
