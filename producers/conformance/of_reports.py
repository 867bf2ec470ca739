"""Checks that judge a report, a topic or a refusal alone, and pieces that could not be read."""

from typing import Final

from producers.conformance.facts import Ended, Kept, Question, Refusal, Sent, Signature, Unread
from producers.conformance.finding import MET, Finding, no, unknown
from producers.conformance.of_statements import CLOCK_DIFFERENCE_MS, HOUR_MS, OF_VALUES
from schemas.topics import AUDIT, DAY_MS, FOR_EVER, QUARANTINE, SENSOR_REPORTS

_UNSIGNED: Final = {
    Signature.MISSING: ("is not signed", "署名がない"),
    Signature.UNKNOWN_KEY: (
        "is signed by a key that is not the sensor's at this time",
        "その時点のセンサーの鍵ではない鍵で署名されている",
    ),
    Signature.REVOKED_KEY: (
        "is signed by a key that is revoked since then",
        "その時点で失効している鍵で署名されている",
    ),
    Signature.INVALID: ("its signature is not of its bytes", "署名が内容と一致しない"),
    Signature.NO_ROSTER_KEY: ("the roster has no key of this sensor", "名簿にこのセンサーの鍵がない"),
}


def names_its_sensor(found: Sent, question: Question) -> Finding:
    """KKH-IDS-01."""
    if found.nation != question.nation:
        return no(found.place, "names another nation", "別の国を示している")
    if found.sensor != question.sensor or found.key != question.sensor:
        return no(found.place, "report and record name different sensors", "レポートとレコードのセンサー名が異なる")
    return MET


def is_signed(found: Sent, _: Question) -> Finding:
    """KKH-IDS-03."""
    return MET if found.signature is Signature.VALID else no(found.place, *_UNSIGNED[found.signature])


def arrived_in_time(found: Sent, question: Question) -> Finding:
    """KKH-TIM-03."""
    most = question.bounds.built_to_published_hours
    late_ms = found.published_ms - found.built_ms
    if late_ms <= most * HOUR_MS:
        return MET
    hours = f"{late_ms / HOUR_MS:,.1f}"
    return no(
        found.place,
        f"published {hours} h after it was built; at most {most:g} h",
        f"作成から {hours} 時間後に発行（上限 {most:g} 時間）",
    )


def built_before(found: Sent, _: Question) -> Finding:
    """KKH-TIM-04, of reports."""
    if found.built_ms <= found.published_ms + CLOCK_DIFFERENCE_MS:
        return MET
    return no(found.place, "it was built later than it was published", "作成時刻が発行より後である")


def times_of_broker(found: Kept, _: Question) -> Finding | None:
    """KKH-TIM-05."""
    if found.topic != SENSOR_REPORTS:
        return None
    if found.is_broker_time:
        return MET
    return no(None, f"{found.topic} has the sensors' times", f"{found.topic} の時刻はセンサーのものである")


def read_whole(found: Ended | Sent | Unread, _: Question) -> Finding | None:
    """KKH-CMP-02."""
    if isinstance(found, Sent):
        return MET
    if isinstance(found, Ended):
        if found.is_damaged:
            return no(found.place, "the input is damaged or cut off", "入力が破損しているか途切れている")
        return MET
    if found.is_listed or found.reason in OF_VALUES:  # read, and not accepted
        return None
    text = f"cannot be read: {found.reason}", f"読み取れない: {found.reason}"
    return no(found.place, *text)


def valid_piece(found: Unread, _: Question) -> Finding | None:
    """KKH-CAN-01, of pieces that no reader takes as a value."""
    if found.is_listed:
        return None
    if found.reason in OF_VALUES:
        return no(found.place, "is no value of a known type", "既知の種別の値ではない")
    return unknown(found.place, "cannot be read", "読み取れない")


def not_unread(found: Unread, _: Question) -> Finding | None:
    """KKH-REF-01, of unreadable pieces."""
    return None if found.is_listed else no(found.place, f"is refused: {found.reason}", f"拒否される: {found.reason}")


def not_open(found: Refusal, _: Question) -> Finding:
    """KKH-REF-01, of quarantine."""
    if not found.is_open:
        return MET
    return no(None, f"{found.key} is open: {found.reason}", f"{found.key} が未処理: {found.reason}")


def corrected_in_time(found: Refusal, question: Question) -> Finding | None:
    """KKH-REF-02."""
    most = question.bounds.open_refusal_hours
    if not found.is_open:
        return MET
    hours = (question.now_ms - found.at_ms) / HOUR_MS
    if hours <= most:
        return None
    return no(
        None,
        f"{found.key} has been open for {hours:,.0f} h; at most {most:g} h",
        f"{found.key} が {hours:,.0f} 時間未処理（上限 {most:g} 時間）",
    )


def reports_kept(found: Kept, question: Question) -> Finding | None:
    """KKH-RET-01."""
    return _kept(found, SENSOR_REPORTS, question.bounds.reports_kept_days)


def refusals_kept(found: Kept, question: Question) -> Finding | None:
    """KKH-RET-02."""
    return _kept(found, QUARANTINE, question.bounds.refusals_kept_days)


def decisions_kept(found: Kept, _: Question) -> Finding | None:
    """KKH-RET-03."""
    if found.topic != AUDIT:
        return None
    if found.retention_ms == FOR_EVER:
        return MET
    days = found.retention_ms / DAY_MS
    return no(None, f"{AUDIT} keeps {days:g} days", f"{AUDIT} の保存は {days:g} 日")


def _kept(found: Kept, topic: str, least: float) -> Finding | None:
    if found.topic != topic:
        return None
    if found.retention_ms == FOR_EVER or found.retention_ms >= least * DAY_MS:
        return MET
    days = found.retention_ms / DAY_MS
    return no(
        None,
        f"{topic} keeps {days:g} days; at least {least:g} days",
        f"{topic} の保存は {days:g} 日（下限 {least:g} 日）",
    )
