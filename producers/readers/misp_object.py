"""Which attributes of a MISP object stand for themselves: an object such as ``file`` describes one thing by several.

The rule is that of patterns (``stix_conjunction``): a hash stands, a file name beside it does not; a URL stands, the
domain in it does not. Attributes of one relation are alternatives, those of different relations belong together. Names
and addresses are alternatives, too: they are of one host, and each has a ``to_ids`` of its own, as MISP exports them.
Only what its author marked for detection counts: what is not ``to_ids`` narrows nothing.

Objects that list things, such as the configuration of malware, are no such descriptions: each attribute stands.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import repeat
from typing import Final

import msgspec

from producers.readers.document import plain
from producers.readers.misp_attribute import Attribute, Values, carries, values_of
from producers.readers.misp_context import Around, Event, Object, within
from producers.readers.stix_conjunction import Claim, Comparison, Part, alternatives, conjunction
from schemas.vocabulary import IndicatorType

DESCRIPTIONS: Final = frozenset(
    {
        *("file", "pe", "elf", "macho", "process", "lnk", "script"),
        *("domain-ip", "ip-port", "url", "http-request", "dns-record", "passive-dns", "network-connection"),
        *("network-socket", "netflow", "network-traffic", "email", "x509", "ja3", "ja4-plus", "mutex"),
        "registry-key",
    }
)
"""Templates of objects that describe one thing (MISP's misp-objects)."""
_PATHS: Final = {
    IndicatorType.DOMAIN_NAME: "domain-name:value",
    IndicatorType.IPV4_ADDR: "ipv4-addr:value",
    IndicatorType.URL: "url:value",
    IndicatorType.EMAIL_ADDR: "email-addr:value",
}
_HOST: Final = frozenset({IndicatorType.DOMAIN_NAME, IndicatorType.IPV4_ADDR})
_REACHED: Final = {"port": "network-traffic:dst_port", "protocol": "network-traffic:protocols"}


def attributes_of(event: Event, around: Around, *, is_asked: bool) -> Iterator[tuple[msgspec.Raw, Around, bool]]:
    """The attributes of an event and its objects with what is around them, and whether they stand for themselves.

    ``is_asked`` takes what is not ``to_ids``, too.
    """
    for raw in event.Attribute:
        yield raw, around, True
    for raw in event.Object:
        try:
            group = msgspec.json.decode(raw, type=Object, strict=False)
        except msgspec.ValidationError:
            yield raw, around, True  # it is refused as what it is not: an attribute
            continue
        inside = within(group, plain(raw), around)
        is_description = group.name in DESCRIPTIONS
        decoded = [_decoded(each) if is_description else None for each in group.Attribute]
        yield from zip(group.Attribute, repeat(inside), _standing(decoded, all_of_them=is_asked), strict=False)


def _decoded(raw: msgspec.Raw) -> Attribute | None:
    """The attribute; ``None`` if it cannot be read, which is refused."""
    try:
        return msgspec.json.decode(raw, type=Attribute, strict=False)
    except msgspec.ValidationError:
        return None


def _standing(attributes: Sequence[Attribute | None], *, all_of_them: bool) -> list[bool]:
    parts = [_part(each) if each is not None and (each.to_ids or all_of_them) else None for each in attributes]
    relations: dict[str, list[Part]] = {}
    for each, part in zip(attributes, parts, strict=True):
        if each is not None and part is not None and not each.deleted:
            is_host = bool(part.claims) and all(claim.kind in _HOST for claim in part.claims)
            relations.setdefault("host" if is_host else each.object_relation or each.type, []).append(part)
    if len(relations) < 2:
        return [True] * len(attributes)
    claims = frozenset(reduce(conjunction, map(alternatives, relations.values())).claims)
    return [part is None or not part.claims or not claims.isdisjoint(part.claims) for part in parts]


def _part(attribute: Attribute) -> Part:
    values = values_of(attribute) if carries(attribute) else ""
    claims = tuple(Claim(kind, value) for kind, value in values.indicators) if isinstance(values, Values) else ()
    path = _PATHS.get(claims[0].kind) if claims else None
    other = "email-message:" if attribute.type.startswith("email-") else "misp:"
    return Part((Comparison(attribute.type, path or _REACHED.get(attribute.type, other), claims),), claims)
