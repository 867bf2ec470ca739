"""The next record for one partner about one indicator: content, its end, its recall or revocation, or none. Pure."""

from typing import Final

import msgspec

from schemas.records import Content
from schemas.vocabulary import EndReason, RecordKind
from streams.correlate.content import MATERIAL_BYTES, digest_of, end_of
from streams.correlate.lifecycle import DAY_MS
from streams.correlate.row import Sent

_CONTENT: Final = RecordKind.CONTENT.value
_KNOWN_TO_PARTNER: Final = {RecordKind.CONTENT.value, RecordKind.EXPIRED.value, RecordKind.REVOKED.value}


class Stop(msgspec.Struct, frozen=True, gc=False):
    """How a release ends that is not allowed any more, or withdrawn by its source: the record's kind and its reason."""

    kind: RecordKind
    reason: EndReason


TIGHTENED: Final = Stop(RecordKind.RECALLED, EndReason.MARKING_TIGHTENED)


def next_release(
    sent: Sent,
    content: Content | None,
    now_ms: int,
    *,
    roll_up_ms: int,
    withdrawn: bool = False,
    stop: Stop = TIGHTENED,
    again: bool = False,
) -> tuple[Sent, str]:
    """The partner's next record as ``Sent``, and its reason if it is an end. The same version means: no record.

    ``content`` is None if it may not be shared: then everything that was ever sent is stopped, even if it has expired
    since. ``withdrawn`` means that the last release had data of a source that may not be shared any more: the earlier
    versions are recalled by the record that has the rest. Content whose time is over expires. Repetition alone waits
    until ``roll_up_ms`` after the last record, so the time of a record depends only on what is shared. ``again`` sends
    the last record once more if there is no new one. Versions never restart (design promise 5), so a late or replayed
    older record never wins. A version tells the day (UTC) and how many records of the indicator there were, no time.
    """
    following, reason = _next(sent, content, now_ms, roll_up_ms, stop, withdrawn=withdrawn)
    if again and sent.kind and following.version == sent.version:
        return _again(sent, content, now_ms, stop)
    return following, reason


def over_closed_border(sent: Sent, following: Sent, reason: str, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """The rest of the next record while the partner's border is not open: ends and recalls, never content.

    If content would also have recalled data that a source has withdrawn, the recall goes without the content.
    """
    if following.version == sent.version or following.kind != _CONTENT:
        return following, reason
    if following.recalled_through > sent.recalled_through:
        return _stopped(sent, now_ms, stop)
    return sent, ""


def _next(
    sent: Sent, content: Content | None, now_ms: int, roll_up_ms: int, stop: Stop, *, withdrawn: bool
) -> tuple[Sent, str]:
    recall = withdrawn and sent.kind in _KNOWN_TO_PARTNER
    through = sent.version if recall else None
    if content is None:
        return _stopped(sent, now_ms, stop)
    shared = sent.kind == _CONTENT
    digest, ends_ms = digest_of(content), end_of(content)
    if digest == sent.digest and not recall:  # the content is the same: only time can have changed something
        ends_ms = sent.ends_ms
        if not shared or not 0 < ends_ms <= now_ms:
            return _unchanged(sent, waiting=False), ""
    if not 0 < ends_ms <= now_ms:
        repeated = shared and digest[:MATERIAL_BYTES] == sent.digest[:MATERIAL_BYTES]
        if repeated and not recall and now_ms < sent.sent_ms + roll_up_ms:
            return _unchanged(sent, waiting=True), ""
        return _record(sent, RecordKind.CONTENT, now_ms, digest=digest, ends_ms=ends_ms, recalled_through=through), ""
    if recall:
        return _record(sent, RecordKind.RECALLED, now_ms, recalled_through=through), stop.reason
    if not shared:
        return sent, ""
    return _record(sent, RecordKind.EXPIRED, now_ms, digest=digest), _why_ended(content, now_ms)


def _stopped(sent: Sent, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """Stop the release that the partner has. A revocation demands less than a recall, and changes nothing after one.

    An end that the partner has already, or a mere expiry after a revocation, is not sent again.
    """
    if sent.kind not in _KNOWN_TO_PARTNER or sent.kind == stop.kind:
        return sent, ""
    if stop.kind is RecordKind.EXPIRED and sent.kind != _CONTENT:
        return sent, ""
    through = sent.version if stop.kind is RecordKind.RECALLED else None
    return _record(sent, stop.kind, now_ms, recalled_through=through), stop.reason


def _again(sent: Sent, content: Content | None, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """The last record under a new version. The reason of an end is not kept: it gets the one that holds now."""
    kind = RecordKind(sent.kind)
    if kind is RecordKind.CONTENT and content is not None:
        return _record(sent, kind, now_ms, digest=digest_of(content), ends_ms=end_of(content)), ""
    if kind is RecordKind.EXPIRED:
        reason = EndReason.VALIDITY_ENDED if content is None else _why_ended(content, now_ms)
        return _record(sent, kind, now_ms, digest=sent.digest), reason
    if kind is RecordKind.REVOKED:
        return _record(sent, kind, now_ms), stop.reason if stop.kind is kind else EndReason.FALSE_POSITIVE
    return _record(sent, kind, now_ms), stop.reason if stop.kind is kind else EndReason.RECALLED_BY_HAND


def _why_ended(content: Content, now_ms: int) -> EndReason:
    return EndReason.RELEASE_ENDED if now_ms < content["valid_until_ms"] else EndReason.VALIDITY_ENDED


def _unchanged(sent: Sent, *, waiting: bool) -> Sent:
    return sent if sent.waiting == waiting else msgspec.structs.replace(sent, waiting=waiting)


def _record(
    sent: Sent,
    kind: RecordKind,
    now_ms: int,
    *,
    digest: bytes = b"",
    ends_ms: int = 0,
    recalled_through: int | None = None,
) -> Sent:
    return msgspec.structs.replace(
        sent,
        kind=str(kind),
        version=max(sent.version + 1, now_ms - now_ms % DAY_MS),
        made_ms=now_ms,
        digest=digest,
        ends_ms=ends_ms,
        waiting=False,
        recalled_through=sent.recalled_through if recalled_through is None else recalled_through,
    )
