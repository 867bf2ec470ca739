"""Rules 7 and 8 of the inbound guard: the marking allows us to have the content, and the content is possible. Pure."""

import re
from typing import Final

from schemas.agreement import Agreement
from schemas.identity import indicator_id, indicator_key
from schemas.local_values import is_local
from schemas.markings import NATIONAL_EYES_ONLY, Caveat, Pap, Tlp
from schemas.normalise import normalise
from schemas.quarantine import Refused
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL, RejectReason

MAX_STRINGS: Final = 64
MAX_STRING_LENGTH: Final = 256
MAX_TEARLINE_BYTES: Final = 2048
DAY_MS: Final = 24 * 60 * 60 * 1000
END_OF_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

_CODE: Final = re.compile(r"[A-Z]{1,3}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TLP: Final = {tlp.label: tlp for tlp in Tlp if tlp is not Tlp.UNMARKED and tlp is not Tlp.RED}
_PAP: Final = {pap.label for pap in Pap}
_NEVER: Final = {
    *NATIONAL_EYES_ONLY, Caveat.NO_FORWARDING, Caveat.NO_DISTRIBUTION, Caveat.EMBARGO, Caveat.UNRECOGNISED
}  # fmt: skip
_CAVEATS: Final = {str(caveat) for caveat in {*Caveat} - _NEVER}


def marking_problem(content: Content, agreed: Agreement) -> Refused | None:
    """Rule 7, but for the end of the release."""
    tlp, home = _TLP.get(content["tlp"]), agreed.nation
    if tlp is None or content["tlp"] not in agreed.tlp:
        return Refused(
            RejectReason.FORBIDDEN_MARKING, f"TLP label {content['tlp'][:32]!r} must not be shared, or is not agreed"
        )
    if content["pap"] not in _PAP:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"PAP label {content['pap'][:32]!r} is unknown")
    unfit = set(content["caveats"]) - (agreed.caveats & _CAVEATS)
    if unfit:
        return Refused(
            RejectReason.FORBIDDEN_CAVEAT, f"caveat {min(unfit)[:32]!r} must not be shared, or is not agreed"
        )
    named = content["releasable_to"]
    if home not in named and (named or tlp >= Tlp.AMBER):
        return Refused(RejectReason.NOT_RELEASABLE_HERE, f"{home} is not among its recipients")
    return None


def content_problem(content: Content, record: ReleasedIndicator, now_ms: int) -> Refused | None:
    """Rule 8."""
    kind = TYPE_BY_LABEL.get(content["type"])
    if kind is None:
        return Refused(RejectReason.UNKNOWN_TYPE, f"type {content['type'][:32]!r} is unknown")
    if normalise(kind, content["value"]) != content["value"]:
        return Refused(RejectReason.INVALID_VALUE, f"the value is not a canonical {kind.label}")
    if is_local(kind, content["value"]):
        return Refused(RejectReason.INVALID_VALUE, "the value names something inside a network, or may include it")
    if indicator_id(indicator_key(kind, content["value"])) != record["id"]:
        return Refused(RejectReason.KEY_MISMATCH, "the id is another indicator's")
    latest_ms = now_ms + DAY_MS
    seen = (content["first_seen_ms"], content["last_seen_ms"])
    ends = (content["valid_until_ms"], content["release_expires_ms"])
    if min(*seen, *ends) < 0 or seen[0] > seen[1] or seen[1] > latest_ms or max(ends) > END_OF_TIME_MS:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE,
            "a time is before 1970, a day ahead of our clock, after the year 9999, or its span is reversed",
        )
    if content["confidence"] not in range(-1, 101):
        return Refused(RejectReason.CONFIDENCE_OUT_OF_RANGE, f"confidence {content['confidence']}")
    if content["sightings"] < 0:
        return Refused(RejectReason.COUNT_OUT_OF_RANGE, f"seen {content['sightings']} times")
    return _strings_problem(content)


def _strings_problem(content: Content) -> Refused | None:
    labels, nations = content["labels"], content["releasable_to"]
    if len(labels) > MAX_STRINGS or any(not _is_label(label) for label in labels):
        return Refused(
            RejectReason.TOO_MANY_LABELS, f"more than {MAX_STRINGS} labels, or one that is empty, too long or not text"
        )
    codes = [*nations, content["country"] or "XX"]
    if len(nations) > MAX_STRINGS or not all(map(_CODE.fullmatch, codes)):
        return Refused(RejectReason.MALFORMED_CONTENT, "a recipient or the country is not an ISO 3166-1 code")
    if content["registered_domain"] not in content["value"] or not 0 <= content["asn"] < 1 << 32:
        return Refused(RejectReason.MALFORMED_CONTENT, "an enrichment that does not belong to the value")
    tearline = content.get("tearline", "")
    if len(tearline.encode()) > MAX_TEARLINE_BYTES or not _is_text(tearline.replace("\n", "")):
        return Refused(
            RejectReason.MALFORMED_CONTENT, f"a tearline that has over {MAX_TEARLINE_BYTES} bytes or is not text"
        )
    return None


def _is_label(label: str) -> bool:
    """Neither empty nor too long, and without control characters (C0 and C1), which a terminal would obey."""
    return 0 < len(label) <= MAX_STRING_LENGTH and _is_text(label)


def _is_text(text: str) -> bool:
    return _CONTROL.search(text) is None
