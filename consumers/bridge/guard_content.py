"""Rules 10 and 11 of the release guard: the release has not ended, and the content is possible."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from schemas.records import Content
from schemas.vocabulary import RejectReason

CLOCK_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000
LAST_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: RFC 3339 has no later time
MAX_SIGHTINGS: Final = 1 << 62
MAX_LABELS: Final = 64
MAX_LABEL_LENGTH: Final = 256
MAX_NATIONS: Final = 64
MAX_AS_NUMBER: Final = (1 << 32) - 1
MAX_TEARLINE_BYTES: Final = 2048


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Must not leave. ``keep_bytes`` is False if quarantine may have a digest only; ``detail`` names no value."""

    reason: RejectReason
    detail: str
    keep_bytes: bool = False


def content_problem(content: Content, now_ms: int) -> Refused | None:
    """Rules 10 and 11."""
    return (
        _times_of(content, now_ms)
        or _numbers_of(content)
        or _lists_of(content)
        or _enriched_of(content)
        or _tearline_of(content)
    )


def _times_of(content: Content, now_ms: int) -> Refused | None:
    ends_ms, latest_ms = content["release_expires_ms"], now_ms + CLOCK_TOLERANCE_MS
    if ends_ms and ends_ms <= now_ms:
        return Refused(RejectReason.RELEASE_EXPIRED, f"its release ended at {ends_ms} ms")
    if not 0 <= content["first_seen_ms"] <= content["last_seen_ms"] <= latest_ms:
        return Refused(RejectReason.TIME_OUT_OF_RANGE, "first and last seen are not a span of the past")
    if not 0 <= content["valid_until_ms"] <= LAST_TIME_MS or ends_ms > LAST_TIME_MS:
        return Refused(RejectReason.TIME_OUT_OF_RANGE, "valid_until or release_expires is not a possible time")
    return None


def _numbers_of(content: Content) -> Refused | None:
    if not -1 <= content["confidence"] <= 100:
        return Refused(RejectReason.CONFIDENCE_OUT_OF_RANGE, f"confidence is {content['confidence']}")
    if not 0 <= content["sightings"] <= MAX_SIGHTINGS:
        return Refused(RejectReason.COUNT_OUT_OF_RANGE, f"sightings are {content['sightings']}")
    return None


def _lists_of(content: Content) -> Refused | None:
    labels, nations = content["labels"], content["releasable_to"]
    if len(labels) > MAX_LABELS or not all(_is_label(label) for label in labels):
        return Refused(
            RejectReason.TOO_MANY_LABELS,
            f"more than {MAX_LABELS} labels, or one that is empty, over {MAX_LABEL_LENGTH} characters or not text",
        )
    if len(nations) > MAX_NATIONS or not all(_is_code(nation, 3) for nation in nations):
        return Refused(RejectReason.MALFORMED_CONTENT, "releasable_to is not a list of ISO 3166-1 alpha-3 codes")
    if not (_ascends(labels) and _ascends(nations) and _ascends(content["caveats"])):
        return Refused(RejectReason.MALFORMED_CONTENT, "a list is not sorted or has repeats")
    return None


def _enriched_of(content: Content) -> Refused | None:
    domain, country = content["registered_domain"], content["country"]
    if domain and not ("." in domain and domain in content["value"]):
        return Refused(RejectReason.MALFORMED_CONTENT, "registered_domain is not part of the value")
    if country and not _is_code(country, 2):
        return Refused(RejectReason.MALFORMED_CONTENT, "country is not an ISO 3166-1 alpha-2 code")
    if not 0 <= content["asn"] <= MAX_AS_NUMBER:
        return Refused(RejectReason.MALFORMED_CONTENT, f"asn is {content['asn']}")
    return None


def _tearline_of(content: Content) -> Refused | None:
    """An empty one in v2 is refused by rule 2: our writer does not write it."""
    tearline = content.get("tearline", "")
    if len(tearline.encode()) > MAX_TEARLINE_BYTES or not _is_text(tearline.replace("\n", "")):
        return Refused(
            RejectReason.MALFORMED_CONTENT, f"its tearline has over {MAX_TEARLINE_BYTES} bytes or is not text"
        )
    return None


def _is_label(label: str) -> bool:
    """Text of a bounded length."""
    return 0 < len(label) <= MAX_LABEL_LENGTH and _is_text(label)


def _is_text(text: str) -> bool:
    """Whether it is without control characters (Unicode category Cc)."""
    return text.isprintable() or not any(character < " " or "\x7f" <= character < "\xa0" for character in text)


def _is_code(code: str, letters: int) -> bool:
    return len(code) == letters and code.isascii() and code.isalpha() and code.isupper()


def _ascends(items: Sequence[str]) -> bool:
    return all(one < other for one, other in pairwise(items))
