"""The values of STIX ``observed-data``, for operators that ask for them: no one calls a merely seen value a threat."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from producers.markings.marked import Marked, joined
from producers.readers.reading import Defaults
from producers.readers.stix_containers import said_by
from producers.readers.stix_markings import Definitions
from producers.readers.times import milliseconds
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType

OBSERVED: Final = "observed-data"
_VALUES: Final = {
    "ipv4-addr": IndicatorType.IPV4_ADDR,
    "ipv6-addr": IndicatorType.IPV6_ADDR,
    "domain-name": IndicatorType.DOMAIN_NAME,
    "url": IndicatorType.URL,
    "email-addr": IndicatorType.EMAIL_ADDR,
}
_HASHES: Final = {
    "MD5": IndicatorType.FILE_MD5,
    "SHA-1": IndicatorType.FILE_SHA1,
    "SHA-256": IndicatorType.FILE_SHA256,
    "SHA-512": IndicatorType.FILE_SHA512,
}
_CERTIFICATES: Final = {"SHA-1": IndicatorType.X509_SHA1, "SHA-256": IndicatorType.X509_SHA256}
_NAMES: Final = {
    "mutex": ("name", IndicatorType.MUTEX),
    "windows-registry-key": ("key", IndicatorType.REGISTRY_KEY),
}


def observed_in(thing: Mapping[str, Any], known: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """The cyber-observable objects of an ``observed-data``: its own (STIX 2.0), or those of ``known`` that it lists."""
    own, listed = thing.get("objects"), thing.get("object_refs")
    found = list(own.values()) if isinstance(own, Mapping) else []
    listed = listed if isinstance(listed, list) else [listed]
    found += [each for name in listed if isinstance(name, str) for each in known.get(name, ())]
    return [each for each in found if isinstance(each, Mapping)]


def observations_of(
    thing: Mapping[str, Any],
    seen: list[Mapping[str, Any]],
    around: Marked,
    definitions: Definitions,
    defaults: Defaults,
) -> list[tuple[Observation, Marked]] | str:
    """An observation for each value with its marking, or why they cannot be read. Without a confidence."""
    stated = str(thing.get("number_observed", 1))
    times = [milliseconds(str(thing.get(name))) for name in ("first_observed", "last_observed")]
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 10 and int(stated)):
        return f"number_observed {stated[:20]!r} is no number of times"
    if times[0] is None or times[1] is None:
        return "first_observed or last_observed is not an RFC 3339 time"
    found = joined((around, said_by(thing, definitions), *(said_by(each, definitions) for each in seen)))
    found = found.with_default(defaults.marking)
    template = Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value="",
        first_seen_ms=times[0],
        last_seen_ms=times[1],
        count=int(stated),
        confidence=-1,
        marking=found.marking,
        labels=defaults.labels,
        context=(("stix-id", str(thing.get("id"))),),
    )
    values = dict.fromkeys(pair for each in seen for pair in _values_of(each))
    return [(msgspec.structs.replace(template, kind=kind, value=value), found) for kind, value in values]


def _values_of(thing: Mapping[str, Any]) -> Iterator[tuple[IndicatorType, str]]:
    kind, value, hashes = str(thing.get("type")), thing.get("value"), thing.get("hashes")
    if kind in _VALUES and isinstance(value, str):
        yield _VALUES[kind], value
    if kind == "file" and isinstance(hashes, Mapping):
        yield from ((_HASHES[name], str(each)) for name, each in hashes.items() if name in _HASHES)
    if kind == "x509-certificate" and isinstance(hashes, Mapping):
        yield from ((_CERTIFICATES[name], str(each)) for name, each in hashes.items() if name in _CERTIFICATES)
    named = thing.get(_NAMES[kind][0]) if kind in _NAMES else None
    if isinstance(named, str):
        yield _NAMES[kind][1], named
    if kind == "autonomous-system" and str(thing.get("number")).isdigit():
        yield IndicatorType.AUTONOMOUS_SYSTEM, f"AS{thing['number']}"
