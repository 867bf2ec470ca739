"""What may leave, by the prose of the rules (policy/README.md) and the standards that it names. Nothing else.

It shares no code with the policies, the engine, the redaction or the guard, and imports nothing of the project: it
reads the sources' own words itself. A test holds it to that.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.leaks.cases import CANARY, DAY_MS, NOW_MS, Case, Claim

PARTIES: Final = ("GBR", "JPN")
# TLP 2.0 (FIRST): what each label is called, and what else of it is understood (policy/README, "In other words").
TLP: Final = {
    "CLEAR": 0, "WHITE": 0, "GREEN": 1, "AMBER": 2, "AMBER+STRICT": 3, "AMBER STRICT": 3, "AMBERSTRICT": 3,
    "AMBER-STRICT": 3, "RED": 9,
}  # fmt: skip
NO_LABEL: Final = 8
TLP_LABELS: Final = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT")
PAP: Final = {"CLEAR": 1, "WHITE": 1, "GREEN": 2, "AMBER": 3, "RED": 4}
PAP_LABELS: Final = ("", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED")
# What each label owes before it leaves: whole hours or days, days until the release ends, the least PAP.
COARSE_MS: Final = (1, 3_600_000, 3_600_000, DAY_MS)
ENDS_DAYS: Final = (365, 180, 90, 30)
PAP_FLOOR: Final = (0, 2, 2, 3)
WHOLE_NETWORKS: Final = ("ipv4-net", "ipv6-net", "autonomous-system")
WIDE_BELOW: Final = {"ipv4-net": 16, "ipv6-net": 32}  # prefix lengths
FIELDS: Final = frozenset(
    (
        "type",
        "value",
        "tlp",
        "pap",
        "releasable_to",
        "caveats",
        "confidence",
        "labels",
        "first_seen_ms",
        "last_seen_ms",
        "sightings",
        "valid_until_ms",
        "release_expires_ms",
        "registered_domain",
        "asn",
        "country",
    )
)
WITH_ROOM_FOR_A_TEARLINE: Final = ("x509-sha1", "x509-sha256", "user-agent", "mutex", "registry-key", "imphash")
TEARLINE: Final = "tearline"  # a field of what has one
TEARLINES_BYTES: Final = 2048


def may_go(case: Case) -> list[Claim]:
    """What of a case may go to its partner without a human. A source's earlier words go only under its last one too."""
    if case.partner not in PARTIES or case.well_known or case.special_use or case.kind == "email-addr":
        return []
    if case.kind in WIDE_BELOW and int(case.value.split("/")[1]) < WIDE_BELOW[case.kind]:
        return []
    last: dict[int, Claim] = {}
    for claim in case.claims:
        known = last.get(claim.source)
        if known is None or claim.sequence > known.sequence:
            last[claim.source] = claim
    return [
        claim
        for claim in case.claims
        if _is_free(claim, case.partner)
        and _is_free(last[claim.source], case.partner)
        and _is_sure_enough(last[claim.source].confidence, case.kind)
    ]


def _is_free(claim: Claim, partner: str) -> bool:
    """Whether these words let it go to this nation, and no human has to be asked."""
    tlp = tlp_of(claim.tlp)
    if tlp > 3 or any(_plain(caveat) for caveat in claim.caveats) or pap_of(claim.pap) == 4:
        return False
    if claim.releasable_to is None:
        return tlp < 2
    nations = [_plain(nation) for nation in claim.releasable_to]
    return partner in nations and all(len(nation) == 3 and nation.isascii() and nation.isalpha() for nation in nations)


def _is_sure_enough(confidence: int, kind: str) -> bool:
    """Not stated is not low, but for a whole network."""
    return confidence >= 30 or (confidence < 0 and kind not in WHOLE_NETWORKS)


def tlp_of(words: str) -> int:
    """The strictness of a TLP label: 0 to 3, 9 for RED, 8 if there is none or no one can read it."""
    return TLP.get(_label(words, "TLP:"), NO_LABEL)


def pap_of(words: str) -> int:
    """The strictness of a PAP label: 0 if there is none; what no one can read is the strictest."""
    return PAP.get(_label(words, "PAP:"), 4) if words.strip() else 0


def _label(words: str, scheme: str) -> str:
    plain = _plain(words)
    name = plain[len(scheme) :] if plain.startswith(scheme) else plain
    return name.strip().replace(" +", "+").replace("+ ", "+")


def _plain(words: str) -> str:
    return unicodedata.normalize("NFKC", words).strip().upper()


def leaks(case: Case, content: Mapping[str, Any] | None, sent: bytes) -> str:
    """What is wrong with what has left for the partner, in words; empty if nothing is."""
    free = may_go(case)
    if content is None:
        return "" if not free else f"nothing has left, and {len(free)} of its pieces may"
    if not free:
        return "it has left, and nothing of it may"
    if CANARY.encode() in sent:
        return "a source's name, description or context has left"
    if set(content) - {TEARLINE} != FIELDS:
        return f"other fields have left: {sorted(set(content) ^ FIELDS)}"
    strictest = max(tlp_of(claim.tlp) for claim in _counted(case, free))
    tearlines = _tearlines(case, free) if strictest < 3 else ""
    if content.get(TEARLINE, "") != tearlines:
        return f"its tearline is {content.get(TEARLINE, '')!r}, not {tearlines!r}"
    wrong = [
        f"{name} is {content[name]!r}, not {wanted!r}"
        for name, wanted in _expected(case, free, strictest).items()
        if content[name] != wanted
    ]
    latest = NOW_MS + (ENDS_DAYS[strictest] + 1) * DAY_MS
    if not NOW_MS < content["release_expires_ms"] <= latest:
        wrong.append(f"its release ends at {content['release_expires_ms']}")
    if content["confidence"] > max(claim.confidence for claim in _last_words(case, free)):
        wrong.append("it is surer than any source that may be heard")
    coarse = COARSE_MS[strictest]
    stated = {-(-claim.valid_until_ms // coarse) for claim in case.claims if claim.valid_until_ms}
    if content["valid_until_ms"] % coarse:
        wrong.append("its end tells more of a time than may be told")
    counted = {-(-claim.valid_until_ms // coarse) for claim in _last_words(case, free)}
    if content["valid_until_ms"] // coarse in stated - counted:
        wrong.append("its end is of a source that may not be heard")
    if case.partner not in content["releasable_to"]:
        wrong.append("the partner is not named")
    return "; ".join(wrong)


def _expected(case: Case, free: Sequence[Claim], strictest: int) -> dict[str, Any]:
    coarse = COARSE_MS[strictest]
    first, last = min(claim.first_seen_ms for claim in free), max(claim.last_seen_ms for claim in free)
    pap = max(PAP_FLOOR[strictest], *(pap_of(claim.pap) for claim in _counted(case, free)))
    expected: dict[str, Any] = {
        "type": case.kind,
        "value": case.value,
        "tlp": TLP_LABELS[strictest],
        "pap": PAP_LABELS[pap],
        "caveats": [],
        "sightings": sum(claim.count for claim in free),
        "first_seen_ms": first - first % coarse,
        "last_seen_ms": last - last % coarse,
        "labels": sorted(
            {label for claim in _last_words(case, free) for label in claim.labels if not label.startswith(CANARY)}
        ),
    }
    return expected | ({"releasable_to": [case.partner]} if strictest >= 2 else {})


def _last_words(case: Case, free: Sequence[Claim]) -> list[Claim]:
    """The current words of the sources that count: labels, confidence and ends are theirs."""
    sources = {claim.source for claim in free}
    newest = {source: max(claim.sequence for claim in case.claims if claim.source == source) for source in sources}
    return [claim for claim in case.claims if newest.get(claim.source) == claim.sequence]


def _tearlines(case: Case, free: Sequence[Claim]) -> str:
    """Of the current words of the sources that count: distinct, sorted, each whole, the first that have room."""
    text = ""
    for tearline in sorted({claim.tearline for claim in _last_words(case, free)} - {""}):
        longer = f"{text}\n{tearline}" if text else tearline
        if len(longer.encode()) > TEARLINES_BYTES:
            break
        text = longer
    return text


def _counted(case: Case, free: Sequence[Claim]) -> list[Claim]:
    """All words that the release is marked by: of its pieces, and those that their sources have stated since."""
    return [*free, *_last_words(case, free)]


def guard_must_refuse_text(tearline: str | None) -> bool:
    """Whether a text is none that may pass, whoever wrote it: empty, too long, or with a control but the line feed."""
    return tearline is not None and (
        not 0 < len(tearline.encode()) <= TEARLINES_BYTES
        or any(unicodedata.category(character) == "Cc" and character != "\n" for character in tearline)
    )


def guard_must_refuse(tlp: str, pap: str, caveats: Sequence[str], nations: Sequence[str], partner: str) -> bool:
    """Design promise 2, on what a record states of itself, whoever wrote it: these labels pass, spelled so, no other.

    RED and national-eyes-only never leave; no one who is not named receives what names its recipients.
    """
    passing = (
        "BENIGN",
        "DRAFT",
        "FOREIGN HANDLING",
        "INCIDENT",
        "PERSONAL DATA",
        "OFFICIAL-SENSITIVE",
        "機密性3情報",
        "関係者限り",
        "複製禁止",
    )
    return (
        tlp not in TLP_LABELS
        or pap not in PAP_LABELS
        or any(caveat not in passing for caveat in caveats)
        or (partner not in nations and (bool(nations) or tlp in TLP_LABELS[2:]))
    )
