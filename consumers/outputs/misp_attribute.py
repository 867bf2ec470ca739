"""An indicator as an attribute of MISP (misp-core-format, section 2.4), and its soft-deleted form."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from consumers.picture.entry import Entry
from consumers.stix.identifiers import LAST_MS, NAMESPACE, timestamp
from consumers.stix.markings import statements_of
from schemas.markings import Pap, Tlp
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

Attribute = dict[str, Any]
_NETWORK: Final = "Network activity"
_PAYLOAD: Final = "Payload delivery"
TYPES: Final[Mapping[IndicatorType, tuple[str, str]]] = {  # MISP's type and category; it has none for JA4
    **dict.fromkeys(
        (IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR, IndicatorType.IPV4_NET, IndicatorType.IPV6_NET),
        ("ip-dst", _NETWORK),
    ),
    IndicatorType.DOMAIN_NAME: ("domain", _NETWORK),
    IndicatorType.URL: ("url", _NETWORK),
    IndicatorType.AUTONOMOUS_SYSTEM: ("AS", _NETWORK),
    IndicatorType.JA3: ("ja3-fingerprint-md5", _NETWORK),
    IndicatorType.FILE_MD5: ("md5", _PAYLOAD),
    IndicatorType.FILE_SHA1: ("sha1", _PAYLOAD),
    IndicatorType.FILE_SHA256: ("sha256", _PAYLOAD),
    IndicatorType.FILE_SHA512: ("sha512", _PAYLOAD),
    IndicatorType.EMAIL_ADDR: ("email", _PAYLOAD),
    IndicatorType.FILE_NAME: ("filename", _PAYLOAD),
    IndicatorType.X509_SHA1: ("x509-fingerprint-sha1", _NETWORK),
    IndicatorType.X509_SHA256: ("x509-fingerprint-sha256", _NETWORK),
    IndicatorType.USER_AGENT: ("user-agent", _NETWORK),
    IndicatorType.MUTEX: ("mutex", "Artifacts dropped"),
    IndicatorType.REGISTRY_KEY: ("regkey", "Persistence mechanism"),
    IndicatorType.IMPHASH: ("imphash", _PAYLOAD),
}
_MOST_CHARACTERS: Final = 255  # of a tag's name
_TLPS: Final = {tlp.label: tlp for tlp in Tlp if tlp is not Tlp.UNMARKED}
_COLOURS: Final = {Tlp.CLEAR: "#ffffff", Tlp.GREEN: "#33ff00", Tlp.AMBER: "#ffc000", Tlp.AMBER_STRICT: "#ffc000"}


def uuid_of(origin: str, indicator: str) -> str:
    """An attribute's UUID: one for each nation, because it is in one event only."""
    return str(uuid.uuid5(NAMESPACE, f"misp|{origin}|{indicator}"))


def attribute_of(entry: Entry) -> Attribute:
    """The attribute of an entry. Its comment is the exchange's id, and the tearline."""
    kind, category = TYPES[TYPE_BY_LABEL[entry.type]]
    found: Attribute = {
        "uuid": uuid_of(entry.origin, entry.id),
        "type": kind,
        "category": category,
        "value": entry.value,
        "to_ids": True,
        "timestamp": str(min(max(entry.version, 0), LAST_MS) // 1000),
        "comment": f"{entry.id} {entry.tearline}".strip(),
        "disable_correlation": False,
        "deleted": False,
        "Tag": tags_of(entry),
    }
    if entry.first_seen_ms > 0:
        found["first_seen"] = timestamp(entry.first_seen_ms)
        found["last_seen"] = timestamp(max(entry.first_seen_ms, entry.last_seen_ms))
    return found


def deleted(before: Attribute, now_s: int, *, keeps_value: bool) -> Attribute:
    """A soft-deleted attribute; without its value and all statements about it unless they may be kept."""
    ended = {"to_ids": False, "timestamp": str(max(now_s, int(before["timestamp"]) + 1)), "deleted": True}
    if keeps_value:
        return before | ended
    empty = {"type": "text", "category": "Other", "value": "withdrawn", "comment": "", "disable_correlation": True}
    return {"uuid": before["uuid"], **empty, **ended, "Tag": [tlp_tag(Tlp.RED)]}


def tags_of(entry: Entry) -> list[dict[str, Any]]:
    """TLP (``tlp:red`` if there is none), PAP, recipients, caveats and labels."""
    pap = entry.pap_code
    limits = [pap.label] if pap is not Pap.UNSTATED else []
    limits += statements_of(entry.releasable_to, entry.caveats)
    names = [each[:_MOST_CHARACTERS] for each in limits]  # of recipients, the first ones: stricter
    names += [each for each in entry.labels if each.strip() and len(each) <= _MOST_CHARACTERS]
    return [tlp_tag(tlp_of(entry)), *(_tag(name, "#0088cc") for name in dict.fromkeys(names))]


def tlp_of(entry: Entry) -> Tlp:
    """Its label; RED if MISP does not have it."""
    return _TLPS.get(entry.tlp, Tlp.RED)


def tlp_tag(tlp: Tlp) -> dict[str, Any]:
    """A tag of MISP's taxonomy ``tlp``."""
    return _tag(tlp.label.lower(), _COLOURS.get(tlp, "#ff2b2b"))


def tlp_in(attribute: Attribute) -> Tlp:
    """The label of such a tag; RED if it is invalid."""
    return _TLPS.get(attribute["Tag"][0]["name"].upper(), Tlp.RED)


def _tag(name: str, colour: str) -> dict[str, Any]:
    return {"name": name, "colour": colour, "exportable": True}
