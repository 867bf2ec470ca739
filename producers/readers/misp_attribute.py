"""A MISP attribute: what the parts of its value are, and when it was seen. misp-core-format, section 2.4."""

from typing import Any, Final

import msgspec

from producers.readers.misp_markings import Shared
from producers.readers.times import milliseconds, seconds
from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

_IP = IndicatorType.IPV4_ADDR  # of the four types of address and network: normalising distinguishes them by the value
_NAME = IndicatorType.FILE_NAME
_PORT: Final = "port"
_JA4: Final = "ja4-fingerprint"

# Of each part of a value that "|" divides: its type, or a word of context.
_PARTS: Final[dict[str, tuple[IndicatorType | str, ...]]] = {
    **dict.fromkeys(("ip-src", "ip-dst"), (_IP,)),
    **dict.fromkeys(("ip-src|port", "ip-dst|port"), (_IP, _PORT)),
    **dict.fromkeys(("domain", "hostname"), (IndicatorType.DOMAIN_NAME,)),
    "hostname|port": (IndicatorType.DOMAIN_NAME, _PORT),
    "domain|ip": (IndicatorType.DOMAIN_NAME, _IP),
    "url": (IndicatorType.URL,),
    "md5": (IndicatorType.FILE_MD5,),
    "sha1": (IndicatorType.FILE_SHA1,),
    "sha256": (IndicatorType.FILE_SHA256,),
    "sha512": (IndicatorType.FILE_SHA512,),
    **dict.fromkeys(("filename", "email-attachment"), (_NAME,)),
    # A file is known by its hash: its name beside it may be any that a victim gave it.
    **dict.fromkeys(("filename|md5", "malware-sample"), ("file-name", IndicatorType.FILE_MD5)),
    "filename|sha1": ("file-name", IndicatorType.FILE_SHA1),
    "filename|sha256": ("file-name", IndicatorType.FILE_SHA256),
    "filename|sha512": ("file-name", IndicatorType.FILE_SHA512),
    **dict.fromkeys(("email", "email-src", "email-dst", "email-reply-to"), (IndicatorType.EMAIL_ADDR,)),
    "AS": (IndicatorType.AUTONOMOUS_SYSTEM,),
    "ja3-fingerprint-md5": (IndicatorType.JA3,),
    "x509-fingerprint-sha1": (IndicatorType.X509_SHA1,),
    "x509-fingerprint-sha256": (IndicatorType.X509_SHA256,),
    "user-agent": (IndicatorType.USER_AGENT,),
    "mutex": (IndicatorType.MUTEX,),
    "regkey": (IndicatorType.REGISTRY_KEY,),
    "imphash": (IndicatorType.IMPHASH,),
    "filename|imphash": ("file-name", IndicatorType.IMPHASH),
}
_UNDIVIDED: Final = frozenset(
    {"url", "filename", "email-attachment", "user-agent", "mutex", "regkey"}
)  # where "|" may be part of the value


class Attribute(Shared, kw_only=True):
    """An attribute as MISP writes it. ``Event`` is there in the answer to a search for attributes."""

    type: str
    value: Any
    to_ids: bool | None = None
    deleted: bool | None = None
    category: str = ""
    comment: str | None = None
    object_relation: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    Event: msgspec.Raw = msgspec.Raw()
    Object: msgspec.Raw = msgspec.Raw()
    ShadowAttribute: list[Any] = msgspec.field(default_factory=list)
    Sighting: list[Any] = msgspec.field(default_factory=list)


class Values(msgspec.Struct, frozen=True):
    """The indicators in an attribute's value, and what else is in it."""

    indicators: tuple[tuple[IndicatorType, str], ...]
    context: tuple[tuple[str, str], ...] = ()


def carries(attribute: Attribute) -> bool:
    """Whether the exchange has a type for this attribute."""
    return bool(_kinds_of(attribute))


def _kinds_of(attribute: Attribute) -> tuple[IndicatorType | str, ...]:
    """What its parts are; nothing of a type that is not carried. The object ``ja4-plus`` has its values as text."""
    is_ja4 = attribute.object_relation == _JA4 and detect(str(attribute.value)) is IndicatorType.JA4
    return (IndicatorType.JA4,) if is_ja4 else _PARTS.get(attribute.type, ())


def values_of(attribute: Attribute) -> Values | str:
    """The parts of its value, or what is wrong with it. Only a port may be missing."""
    kinds, value = _kinds_of(attribute), str(attribute.value)
    parts = [value] if attribute.type in _UNDIVIDED else value.rsplit("|", len(kinds) - 1)
    needed = [kind for kind in kinds if kind != _PORT]
    if len(parts) < len(needed) or not all(part.strip() for part in parts[: len(needed)]):
        names = "|".join(kind if isinstance(kind, str) else kind.label for kind in kinds)
        return f"a value of type {attribute.type!r} is {names}, and a part is missing"
    named = dict(zip(kinds, parts, strict=False))
    return Values(
        tuple((kind, part) for kind, part in named.items() if isinstance(kind, IndicatorType)),
        tuple((word, part) for word, part in named.items() if isinstance(word, str)),
    )


def times_of(attribute: Attribute) -> tuple[int, int] | None:
    """When it was first and last seen, by its sightings too. The time of the last edit counts if none is stated.

    ``None`` if a time that is stated cannot be read.
    """
    moments = [milliseconds(text) for text in (attribute.first_seen, attribute.last_seen) if text]
    if not moments:
        moments = [seconds(str(attribute.timestamp)) if attribute.timestamp not in (None, "") else 0]
    first, last = moments[0], moments[-1]
    if first is None or last is None:
        return None
    sighted = _sighted(attribute)
    return min([first, *sighted]) if first else first, max([last, *sighted])


def sightings_of(attribute: Attribute) -> list[dict[str, Any]]:
    """Its sightings that state that it was seen (misp-core-format, section 2.8: type 0)."""
    seen = (each for each in attribute.Sighting if isinstance(each, dict))
    return [each for each in seen if str(each.get("type", "0")).strip() in ("", "0")]


def _sighted(attribute: Attribute) -> list[int]:
    """When it was seen. A time of another server's sighting that cannot be read costs nothing else."""
    times = (seconds(str(each.get("date_sighting") or "").strip()) for each in sightings_of(attribute))
    return [at for at in times if at]
