"""An indicator as a document of the Elastic Common Schema (ECS 8.11, fields ``threat.indicator.*``)."""

from collections.abc import Mapping
from typing import Any, Final

from consumers.picture.entry import Entry
from consumers.stix.identifiers import timestamp
from consumers.stix.kill_chain import phases_of
from schemas.markings import Tlp
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

DATASET: Final = "kakehashi"
_TLPS: Final = frozenset(tlp.label for tlp in Tlp if tlp is not Tlp.UNMARKED)
_TYPES: Final[Mapping[IndicatorType, str]] = {  # ECS: expected values of threat.indicator.type
    IndicatorType.IPV4_ADDR: "ipv4-addr",
    IndicatorType.IPV6_ADDR: "ipv6-addr",
    IndicatorType.IPV4_NET: "ipv4-addr",
    IndicatorType.IPV6_NET: "ipv6-addr",
    IndicatorType.DOMAIN_NAME: "domain-name",
    IndicatorType.URL: "url",
    IndicatorType.EMAIL_ADDR: "email-addr",
    IndicatorType.AUTONOMOUS_SYSTEM: "autonomous-system",
    IndicatorType.JA3: "network-traffic",
    IndicatorType.JA4: "network-traffic",
    IndicatorType.X509_SHA1: "x509-certificate",
    IndicatorType.X509_SHA256: "x509-certificate",
    IndicatorType.USER_AGENT: "network-traffic",
    IndicatorType.MUTEX: "mutex",
    IndicatorType.REGISTRY_KEY: "windows-registry-key",
}
_HASHES: Final = {
    IndicatorType.FILE_MD5: "md5",
    IndicatorType.FILE_SHA1: "sha1",
    IndicatorType.FILE_SHA256: "sha256",
    IndicatorType.FILE_SHA512: "sha512",
}
_HIVES: Final = {  # registry.hive is abbreviated
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
_HIGH, _MEDIUM = 70, 30  # STIX 2.1, appendix A: the None, Low, Medium, High scale


def document_of(entry: Entry, nation: str) -> dict[str, Any]:
    """The document. What ECS has no field for is under ``kakehashi``; ``nation`` is whose picture it is of."""
    kind = TYPE_BY_LABEL[entry.type]
    indicator: dict[str, Any] = {
        "type": _TYPES.get(kind, "file"),
        "name": entry.value,
        "provider": entry.origin,
        "confidence": _confidence(entry.confidence),
        "sightings": entry.sightings,
        "modified_at": timestamp(entry.version),
        "marking": {"tlp": (entry.tlp if entry.tlp in _TLPS else Tlp.RED.label)[4:], "tlp_version": "2.0"},
        **_observable(kind, entry.value),
    }
    if entry.first_seen_ms > 0:
        indicator["first_seen"] = timestamp(entry.first_seen_ms)
        indicator["last_seen"] = timestamp(max(entry.first_seen_ms, entry.last_seen_ms))
    if entry.tearline:
        indicator["description"] = entry.tearline
    threat: dict[str, Any] = {"indicator": indicator, "feed": {"name": "Kakehashi"}}
    if entry.techniques:
        threat |= {"framework": "MITRE ATT&CK", "technique": {"id": list(entry.techniques)}}
    if tactics := [phase for chain, phase in phases_of(entry.labels) if chain == "mitre-attack"]:
        threat["tactic"] = {"name": tactics}
    return {
        "@timestamp": timestamp(entry.received_ms),
        "ecs": {"version": "8.11.0"},
        "event": {"kind": "enrichment", "category": ["threat"], "type": ["indicator"], "dataset": DATASET},
        "threat": threat,
        "tags": list(entry.labels),
        "kakehashi": _own(entry, nation),
    }


def _own(entry: Entry, nation: str) -> dict[str, Any]:
    ends = entry.ends_ms
    found = {
        "nation": nation,
        "id": entry.id,
        "type": entry.type,
        "origin": entry.origin,
        "version": entry.version,
        "pap": entry.pap_code.label,
        "releasable_to": None if entry.releasable_to is None else list(entry.releasable_to),
        "caveats": list(entry.caveats),
        "confidence": entry.confidence,
        "valid_until": None if ends is None else timestamp(ends),
        "network": entry.value if entry.type in ("ipv4-net", "ipv6-net") else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _observable(kind: IndicatorType, value: str) -> dict[str, Any]:
    if kind in (IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR):
        return {"ip": value}
    if kind in _HASHES:
        return {"file": {"hash": {_HASHES[kind]: value}}}
    if kind is IndicatorType.REGISTRY_KEY:
        hive, _, key = value.partition("\\")
        return {"registry": {"hive": _HIVES[hive], "key": key, "path": f"{_HIVES[hive]}\\{key}"}}
    fields: dict[IndicatorType, dict[str, Any]] = {
        IndicatorType.IMPHASH: {"file": {"pe": {"imphash": value}}},
        IndicatorType.DOMAIN_NAME: {"url": {"domain": value}},
        IndicatorType.URL: {"url": {"original": value, "full": value}},
        IndicatorType.EMAIL_ADDR: {"email": {"address": value}},
        IndicatorType.FILE_NAME: {"file": {"name": value}},
    }
    return fields.get(kind) or ({"as": {"number": int(value[2:])}} if kind is IndicatorType.AUTONOMOUS_SYSTEM else {})


def _confidence(confidence: int | None) -> str:
    if confidence is None:
        return "Not Specified"
    if confidence == 0:
        return "None"
    return "High" if confidence >= _HIGH else "Medium" if confidence >= _MEDIUM else "Low"
