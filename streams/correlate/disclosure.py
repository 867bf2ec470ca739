"""What a partner is told next about one indicator: content, its end, its recall, or nothing."""

from typing import Final

import msgspec

from schemas.records import Content
from schemas.vocabulary import EndReason, RecordKind
from streams.correlate.release import MATERIAL_BYTES, digest_of, end_of
from streams.correlate.row import Sent

_KNOWN_TO_PARTNER: Final = {RecordKind.CONTENT.value, RecordKind.EXPIRED.value, RecordKind.REVOKED.value}


class Stop(msgspec.Struct, frozen=True, gc=False):
    """What the partner is told of what may not be shared: its kind, RECALLED or REVOKED, and the reason."""

    kind: RecordKind
    reason: EndReason


TIGHTENED: Final = Stop(RecordKind.RECALLED, EndReason.MARKING_TIGHTENED)


def told_next(
    sent: Sent,
    content: Content | None,
    now_ms: int,
    *,
    roll_up_ms: int,
    withdrawn: bool = False,
    stop: Stop = TIGHTENED,
    again: bool = False,
) -> tuple[Sent, str]:
    """What the partner is told, and the reason where it is an end; the same version where there is nothing to tell.

    ``content`` is None where it may not be shared: what the partner was ever told is then stopped, also what has
    expired since. ``withdrawn`` says that some source's data was in what it was told and may not be any more: then the
    earlier versions are recalled by the record of the rest. Content whose time is over expires: it may be shared, but
    is no longer true enough. Mere repetition waits until ``roll_up_ms`` after what was told last, so that only what is
    shared decides when something is told. ``again`` tells what was told last once more, where there is nothing new.
    Versions never restart (design promise 5), so a late or replayed older one never wins.
    """
    told, reason = _next(sent, content, now_ms, roll_up_ms, stop, withdrawn=withdrawn)
    if again and sent.kind and told.version == sent.version:
        return _again(sent, content, now_ms, stop)
    return told, reason


def told_over_closed_border(sent: Sent, told: Sent, reason: str, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """What the partner is told while its border is not open: no content. Ends and recalls always pass.

    Where content would have recalled what a source has taken back, the recall goes without it.
    """
    if told.version == sent.version or told.kind != RecordKind.CONTENT:
        return told, reason
    if told.recalled_through > sent.recalled_through:
        return _stopped(sent, now_ms, stop)
    return sent, ""


def _next(
    sent: Sent, content: Content | None, now_ms: int, roll_up_ms: int, stop: Stop, *, withdrawn: bool
) -> tuple[Sent, str]:
    recall = withdrawn and sent.kind in _KNOWN_TO_PARTNER
    through = sent.version if recall else None
    if content is None:
        return _stopped(sent, now_ms, stop)
    shared = sent.kind == RecordKind.CONTENT
    digest, ends_ms = digest_of(content), end_of(content)
    if digest == sent.digest and not recall:  # nothing new: only time can have something to say
        ends_ms = sent.ends_ms
        if not shared or not 0 < ends_ms <= now_ms:
            return _at_rest(sent, waiting=False), ""
    if not 0 < ends_ms <= now_ms:
        repeated = shared and digest[:MATERIAL_BYTES] == sent.digest[:MATERIAL_BYTES]
        if repeated and not recall and now_ms < sent.version + roll_up_ms:
            return _at_rest(sent, waiting=True), ""
        return _told(sent, RecordKind.CONTENT, now_ms, digest=digest, ends_ms=ends_ms, recalled_through=through), ""
    if recall:
        return _told(sent, RecordKind.RECALLED, now_ms, recalled_through=through), stop.reason
    if not shared:
        return sent, ""
    return _told(sent, RecordKind.EXPIRED, now_ms, digest=digest), _why_ended(content, now_ms)


def _stopped(sent: Sent, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """Stop what the partner knows. A revocation asks for less than a recall, and changes nothing behind one."""
    if sent.kind not in _KNOWN_TO_PARTNER or sent.kind == stop.kind == RecordKind.REVOKED:
        return sent, ""
    through = sent.version if stop.kind is RecordKind.RECALLED else None
    return _told(sent, stop.kind, now_ms, recalled_through=through), stop.reason


def _again(sent: Sent, content: Content | None, now_ms: int, stop: Stop) -> tuple[Sent, str]:
    """The same as was told last, under a new version. The reason of an end is not kept: it is the one it has now."""
    kind = RecordKind(sent.kind)
    if kind is RecordKind.CONTENT and content is not None:
        return _told(sent, kind, now_ms, digest=digest_of(content), ends_ms=end_of(content)), ""
    if kind is RecordKind.EXPIRED:
        reason = EndReason.VALIDITY_ENDED if content is None else _why_ended(content, now_ms)
        return _told(sent, kind, now_ms, digest=sent.digest), reason
    if kind is RecordKind.REVOKED:
        return _told(sent, kind, now_ms), stop.reason if stop.kind is kind else EndReason.FALSE_POSITIVE
    return _told(sent, kind, now_ms), stop.reason if stop.kind is kind else EndReason.RECALLED_BY_HAND


def _why_ended(content: Content, now_ms: int) -> EndReason:
    return EndReason.RELEASE_ENDED if now_ms < content["valid_until_ms"] else EndReason.VALIDITY_ENDED


def _at_rest(sent: Sent, *, waiting: bool) -> Sent:
    return sent if sent.waiting == waiting else msgspec.structs.replace(sent, waiting=waiting)


def _told(
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
        kind=kind.value,
        version=max(sent.version + 1, now_ms),
        digest=digest,
        ends_ms=ends_ms,
        waiting=False,
        recalled_through=sent.recalled_through if recalled_through is None else recalled_through,
    )
