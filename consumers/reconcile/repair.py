"""Repairs what a reconciliation found: has an officer's command reissue what a new version repairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.desk.commands import CommandDesk, command
from consumers.reconcile.compare import REPAIRED_BY_REISSUE, Difference
from schemas.vocabulary import CommandKind

_RESULT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Repair:
    """One difference; ``why`` is empty if it was reissued, and otherwise the reason, with ``detail``."""

    difference: Difference
    why: str = ""
    detail: str = ""


def repair(
    differences: Sequence[Difference], desk: CommandDesk, nation: str, partner: str, *, now_ms: int
) -> list[Repair]:
    """The result for each difference: first those that a new version repairs, then those that it does not."""
    reissued = [each for each in differences if each.differs in REPAIRED_BY_REISSUE]
    commands = [
        command(
            CommandKind.REISSUE,
            nation,
            each.indicator_id,
            reason=f"reconciliation: {each.differs} at {partner}",
            now_ms=now_ms,
            partner=partner,
            version=each.highest_version,
        )
        for each in reissued
    ]
    repairs = []
    for each, result in zip(reissued, desk.results(desk.send(commands), _RESULT_S) if commands else [], strict=True):
        if result is None:
            repairs.append(Repair(each, "not answered", f"no worker has decided it within {_RESULT_S:g} s"))
        else:
            repairs.append(Repair(each, result.reason, result.detail))
    others = [each for each in differences if each.differs not in REPAIRED_BY_REISSUE]
    return repairs + [Repair(each, str(each.differs)) for each in others]
