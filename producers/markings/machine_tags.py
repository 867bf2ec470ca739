"""Machine tags (``namespace:predicate="value"``) by their taxonomies; unknown words that look like a restriction."""

import re
from functools import cache
from typing import Final

from producers.markings.folding import folded, words
from producers.markings.schemes import nations_in
from producers.markings.taxonomy import Effect, effect_of, harmless_namespaces, namespaces

_ANY: Final = "*"
_COLOURS: Final = frozenset({"red", "amber", "amber strict", "amberstrict"})
# What a namespace or predicate that no one knows is about, if it is about sharing. Parts of words.
_STEMS: Final = (
    *(
        "classif",
        "handling",
        "dissem",
        "distribut",
        "releas",
        "sharing",
        "caveat",
        "marking",
        "clearance",
        "confidential",
    ),
    *(
        "restrict",
        "embargo",
        "klassif",
        "einstufung",
        "sensitiv",
        "secre",
        "eyes",
        "disclos",
        "forward",
        "tlp",
        "pap",
        "trafficlight",
        "granted",
    ),
    *("取扱", "機密", "秘", "配布", "配付", "共有", "転送", "公開", "開示", "限定", "制限", "区分"),
)
# Free words: what is about sharing beside what forbids or limits it, or says it alone.
_VERBS: Final = (
    "shar",
    "distribut",
    "dissemin",
    "forward",
    "releas",
    "disclos",
    "circulat",
    "redistribut",
    "publish",
    "export",
)
_LIMITS: Final = frozenset(
    {
        *(
            "no",
            "not",
            "dont",
            "never",
            "without",
            "only",
            "limited",
            "restricted",
            "prohibited",
            "forbidden",
            "internal",
        ),
        *("cannot", "must", "approval", "permission", "consent", "authorised", "authorized"),
    }
)
_ALONE: Final = frozenset(
    {
        *("noforn", "confidential", "classified", "embargo", "embargoed", "caveat", "caveats", "releasability"),
        *(
            "redistribution",
            "dissemination",
            "limdis",
            "orcon",
            "nondisclosure",
            "eyes",
            "handling",
            "secret",
            "sensitive",
        ),
        *(
            "restricted",
            "proprietary",
            "geheim",
            "vertraulich",
            "confidentiel",
            "riservato",
            "reservado",
            "confidencial",
            *("noshare", "nosharing", "noshar", "donotshare", "donotdistribute", "nodistribution", "noforward"),
            *("norelease", "internalonly", "eyesonly", "nonpublic", "dienstgebrauch", "klassifiziert"),
        ),
    }
)
# Whoever a text names beside "only" or a denied "public" is all that may have it. A nation counts as well.
_READERS: Final = frozenset(
    {
        *("admin", "admins", "agency", "cert", "certs", "community", "csirt", "csirts", "customer", "customers"),
        *("domestic", "employees", "eu", "gov", "government", "internal", "isac", "isacs", "le", "leo", "members"),
        *("mil", "military", "national", "nato", "partner", "partners", "police", "recipient", "recipients", "staff"),
        *("subscribers", "team", "usg"),
    }
)
_DENIED: Final = frozenset({"not", "non", "no", "false", "never", "0"})
_JAPANESE: Final = re.compile("禁止|限り|限定|のみ|部外|社外|機密|秘|取扱|不可")
# The form of a banner or a portion mark: (S//NF), U//FOUO.
_BANNER: Final = re.compile(r"^\W*(?:u|c|s|ts|r|unclassified|confidential|secret|top secret)\s*//")


def effect_of_tag(text: str) -> Effect | None:
    """What a machine tag of a namespace that counts says; ``None`` if it is none."""
    namespace, predicate, value = _cut(text)
    known = _namespaces().get(namespace)
    if known is None:
        return None
    unknown, listed = known
    for key in ((predicate, value), (predicate, _ANY)):
        if key in listed:
            return listed[key]
    return unknown


def is_harmless_tag(text: str) -> bool:
    """Whether a machine tag is of a namespace that is known to say nothing about sharing."""
    namespace, predicate, _ = _cut(text)
    return bool(predicate) and namespace in _harmless()


def looks_restricting(text: str) -> bool:
    """Whether words that no one here knows could limit sharing."""
    namespace, predicate, value = _cut(text)
    about = f"{namespace} {predicate}" if predicate else ""
    if any(stem in about for stem in _STEMS) or (predicate and (value or predicate) in _COLOURS):
        return True
    found = words(text)
    plain = folded(text)
    if any(word in _ALONE for word in found) or _JAPANESE.search(plain) or _BANNER.match(plain):
        return True
    if "only" in found and any(word in _READERS or nations_in((word,)) for word in found):
        return True
    if "public" in found and any(word in _DENIED for word in found):
        return True
    return any(word in _LIMITS for word in found) and any(word.startswith(_VERBS) for word in found)


def _cut(text: str) -> tuple[str, str, str]:
    """Namespace, predicate and value, folded. What has no colon or equals sign is a namespace alone."""
    head, colon, rest = folded(text).partition(":")
    if not colon:
        head, _, rest = folded(text).partition("=")
    name, _, value = rest.partition("=")
    return _key(head), _key(name), _key(value)


def _key(text: str) -> str:
    return " ".join(words(text)) or ("*" if text.strip() == _ANY else "")


@cache
def _harmless() -> frozenset[str]:
    return frozenset(map(_key, harmless_namespaces()))


@cache
def _namespaces() -> dict[str, tuple[Effect, dict[tuple[str, str], Effect]]]:
    return {
        _key(each.name): (
            effect_of(each.unknown),
            {_predicate_and_value(key): effect_of(effect) for key, effect in each.words.items()},
        )
        for each in namespaces()
    }


def _predicate_and_value(key: str) -> tuple[str, str]:
    name, _, value = key.partition("=")
    return _key(name), _key(value)
