"""Checks that judge one observation or withdrawal alone. None: the requirement is not about it."""

from typing import Final

from producers.conformance.facts import Question, Statement
from producers.conformance.finding import MET, Finding, no, unknown
from schemas.markings import Caveat, Pap, Tlp
from schemas.vocabulary import RejectReason

MINUTE_MS: Final = 60 * 1000
HOUR_MS: Final = 60 * MINUTE_MS
CLOCK_DIFFERENCE_MS: Final = 5 * MINUTE_MS
OF_VALUES: Final = frozenset({RejectReason.INVALID_VALUE, RejectReason.UNKNOWN_TYPE, RejectReason.VALUE_TOO_LONG})
_OF_CANONICAL: Final = frozenset({RejectReason.INVALID_VALUE, RejectReason.VALUE_TOO_LONG})
_ORIGINAL: Final = frozenset(tlp.label for tlp in Tlp if tlp.label)


def valid_value(found: Statement, _: Question) -> Finding | None:
    """KKH-CAN-01."""
    return MET if found.key else no(found, "the value is not valid for its type", "値が種別として無効である")


def canonical_value(found: Statement, _: Question) -> Finding | None:
    """KKH-CAN-02. A value that is invalid has no canonical form: that is KKH-CAN-01's."""
    if not found.key:
        return None
    return MET if found.is_canonical else no(found, "the value is not in its canonical form", "値が正準形ではない")


def fields_in_range(found: Statement, _: Question) -> Finding | None:
    """KKH-CAN-03."""
    if found.refused is None or found.refused in _OF_CANONICAL:
        return MET
    if found.refused in (RejectReason.UNKNOWN_TYPE, RejectReason.UNKNOWN_WITHDRAWAL):
        return unknown(found, f"is refused before: {found.refused}", f"先に拒否される: {found.refused}")
    return no(found, f"is refused: {found.refused}", f"拒否される: {found.refused}")


def has_tlp(found: Statement, _: Question) -> Finding | None:
    """KKH-MRK-01."""
    if found.is_withdrawal:
        return None
    return no(found, "has no TLP label", "TLP ラベルがない") if found.marking.tlp is Tlp.UNMARKED else MET


def marking_understood(found: Statement, _: Question) -> Finding | None:
    """KKH-MRK-02."""
    if found.is_withdrawal:
        return None
    if Caveat.UNRECOGNISED in found.marking.caveats:
        return no(found, "a part of its marking is not understood", "マーキングに解釈できない記載がある")
    return MET


def original_label(found: Statement, _: Question) -> Finding | None:
    """KKH-MRK-03. Without a label there is no spelling to judge: that is KKH-MRK-01's."""
    if found.is_withdrawal or (not found.tlp and found.marking.tlp is Tlp.UNMARKED):
        return None
    return MET if found.tlp in _ORIGINAL else no(found, "the label is not as FIRST writes it", "FIRST の表記ではない")


def names_recipients(found: Statement, _: Question) -> Finding | None:
    """KKH-MRK-04."""
    if not found.is_withdrawal and found.marking.tlp is Tlp.UNMARKED:
        return unknown(found, "has no TLP label", "TLP ラベルがない")
    if found.is_withdrawal or found.marking.tlp not in (Tlp.AMBER, Tlp.AMBER_STRICT):
        return None
    return MET if found.marking.releasable_to else no(found, "names no nation", "配付先の国が示されていない")


def has_pap(found: Statement, _: Question) -> Finding | None:
    """KKH-MRK-05."""
    if found.is_withdrawal:
        return None
    return no(found, "has no PAP label", "PAP ラベルがない") if found.marking.pap is Pap.UNSTATED else MET


def has_time(found: Statement, _: Question) -> Finding | None:
    """KKH-TIM-01."""
    if found.is_withdrawal:
        return None
    return MET if found.last_seen_ms > 0 else no(found, "states no time", "時刻の記載がない")


def published_in_time(found: Statement, question: Question) -> Finding | None:
    """KKH-TIM-02."""
    if found.is_withdrawal or found.is_redriven:
        return None
    if found.last_seen_ms <= 0:
        return unknown(found, "states no time", "時刻の記載がない")
    late_ms = found.at_ms - found.last_seen_ms
    if late_ms < -CLOCK_DIFFERENCE_MS:
        return unknown(found, "its time is later than its publication", "時刻が発行より後である")
    most = question.bounds.observed_to_published_hours
    if late_ms <= most * HOUR_MS:
        return MET
    hours = f"{late_ms / HOUR_MS:,.1f}"
    return no(
        found,
        f"published {hours} h after it was last seen; at most {most:g} h",
        f"最後の観測から {hours} 時間後に発行（上限 {most:g} 時間）",
    )


def time_not_ahead(found: Statement, _: Question) -> Finding | None:
    """KKH-TIM-04, of observations."""
    if found.is_withdrawal:
        return None
    latest = max(found.first_seen_ms, found.last_seen_ms)
    if latest <= 0:
        return unknown(found, "states no time", "時刻の記載がない")
    if latest <= found.at_ms + CLOCK_DIFFERENCE_MS:
        return MET
    return no(found, "its time is later than its publication", "時刻が発行より後である")


def has_confidence(found: Statement, _: Question) -> Finding | None:
    """KKH-CMP-05."""
    if found.is_withdrawal:
        return None
    return MET if 0 <= found.confidence <= 100 else no(found, "states no confidence", "確度の記載がない")


def has_label(found: Statement, _: Question) -> Finding | None:
    """KKH-CMP-06."""
    if found.is_withdrawal:
        return None
    return MET if found.labels else no(found, "has no label", "ラベルがない")


def not_ended(found: Statement, _: Question) -> Finding | None:
    """KKH-WDR-02."""
    if found.is_withdrawal or found.valid_until_ms <= 0:
        return None
    if found.valid_until_ms > found.at_ms:
        return MET
    return no(found, "its own validity has ended", "自らの有効期限を過ぎている")


def has_end(found: Statement, _: Question) -> Finding | None:
    """KKH-WDR-03."""
    if found.is_withdrawal:
        return None
    return MET if found.valid_until_ms > 0 else no(found, "states no end", "有効期限の記載がない")


def valid_withdrawal(found: Statement, _: Question) -> Finding | None:
    """KKH-WDR-04."""
    if found.has_odd_code:
        return no(found, "the code of its withdrawal is unknown", "取り下げのコードが未知である")
    if not found.is_withdrawal:
        return None
    if found.refused is None:
        return MET
    return no(found, f"the withdrawal is refused: {found.refused}", f"取り下げが拒否される: {found.refused}")


def not_refused(found: Statement, _: Question) -> Finding | None:
    """KKH-REF-01, of observations."""
    return MET if found.refused is None else no(found, f"is refused: {found.refused}", f"拒否される: {found.refused}")


def first_seen_of_incident(found: Statement, _: Question) -> Finding | None:
    """KKH-INC-04."""
    if not is_of_incident(found):
        return None
    return MET if found.first_seen_ms > 0 else no(found, "states no first time", "初回時刻の記載がない")


def is_of_incident(found: Statement) -> bool:
    """Whether it is declared as one of an incident."""
    return not found.is_withdrawal and Caveat.INCIDENT in found.marking.caveats
