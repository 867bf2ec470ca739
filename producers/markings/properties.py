"""Properties of a JSON object that no standard defines: by their name they are about sharing, tags, or texts."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from producers.markings.folding import words
from producers.markings.marked import NOTHING, Marked, joined
from producers.markings.remembered import remembered
from producers.markings.schemes import labels_in
from producers.markings.understanding import of_field, of_prose, of_tag

_MOST_NESTED: Final = 8
_STEMS: Final = (
    *("tlp", "pap", "pfc", "trafficlight", "marking", "handling", "caveat", "classification", "releas", "dissem"),
    *(
        "sharing",
        "shareab",
        "distribution",
        "confidentiality",
        "restrict",
        "embargo",
        "granted",
        "clearance",
        "sensitivity",
    ),
    *(
        "eyesonly",
        "foreigngov",
        "noforn",
        "visibility",
        "audience",
        "recipient",
        "取扱",
        "機密",
        "配布",
        "配付",
        "共有",
    ),
    *("公開", "開示", "外部提供", "第三者提供", "提供可否", "提供範囲", "提供制限", "秘匿", "格付"),
    # German, French, Spanish, Italian, Portuguese
    *(
        "freigab",
        "weitergab",
        "verteil",
        "vertraulich",
        "geheimhalt",
        "einstufung",
        "diffusion",
        "partage",
        "confidentialit",
    ),
    *(
        "difusion",
        "comparti",
        "clasificacion",
        "divulg",
        "distribuci",
        "distribuzione",
        "riservat",
        "sigilo",
        "partilha",
    ),
)
_WORDS: Final = frozenset(
    {
        *("share", "shares", "shared", "secrecy", "confidential", "confidencial", "confidencialidad", "sigiloso"),
        *(
            "privacy",
            "viewer",
            "viewers",
            "protective",
            "permissible",
            "permitted",
            "noforward",
            "nofwd",
            "schutzstufe",
        ),
    }
)
# Names of several words, compared without what is between them.
_BEGINNINGS: Final = (
    *("allowedcountr", "allowednation", "allowedto", "notfor", "nurfur", "notto", "securityclass", "securitymark"),
    *("protectionlevel", "mentiondeprotection", "niveaudeprotection", "clasedeseguridad"),
)
_COMMUNITY: Final = frozenset({"community", "communities"})
_STEMS_OF_LISTS: Final = ("exclud",)  # which nations are left out
# Flags, by their whole name: what yes and no mean. All other names of sharing must be understood by their value.
_OPENING: Final = frozenset(
    {
        *("share", "canshare", "mayshare", "oktoshare", "shared", "isshared", "shareable", "sharable", "isshareable"),
        *("public", "ispublic", "releasable", "isreleasable", "exportable", "isexportable"),
    }
)
_CLOSING: Final = frozenset(
    {
        *("private", "isprivate", "internal", "isinternal", "noshare", "donotshare", "donotrelease", "noforn"),
        *("restricted", "isrestricted", "confidential", "isconfidential", "embargoed", "isembargoed"),
    }
)
_YES: Final = frozenset({"true", "yes", "y", "1"})
_NO: Final = frozenset({"false", "no", "n", "0"})
# In the name of a property that is false, and so states what is not allowed.
_ALLOWING: Final = ("shar", "releas", "public", "distribut", "dissem", "export", "forward", "disclos")
_TAGS: Final = ("tag", "tags", "label", "labels", "keyword", "keywords", "タグ", "ラベル")


def of_properties(thing: Mapping[str, Any], known: Collection[str], where: str) -> Marked:
    """What the properties that are not among the ``known`` ones state; nested objects and lists are looked into."""
    return joined(_of_property(name, value, where, 0) for name, value in thing.items() if name not in known)


@remembered(4_096)
def is_about_sharing(name: str) -> bool:
    """Whether a property of this name states how far something may travel."""
    found = words(name)
    whole = "".join(found)
    stems = (*_STEMS, *_STEMS_OF_LISTS)
    named = any(word in _WORDS or word.startswith(stems) for word in found)
    return named or whole in _OPENING | _CLOSING | _COMMUNITY or whole.startswith((*stems, *_BEGINNINGS))


def is_silent_flag(name: str, text: str) -> bool:
    """Whether a flag states that nothing limits sharing: ``public`` is yes, or ``private`` is no."""
    whole, stated = "".join(words(name)), text.strip().lower()
    return (whole in _OPENING and stated in _YES) or (whole in _CLOSING and stated in _NO)


@remembered(4_096)
def may_restrict(name: str) -> bool:
    """Whether a property of this name is about sharing, or holds tags that may be."""
    return is_about_sharing(name) or name.casefold().endswith(_TAGS)


@lru_cache(1_024)
def restricting(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a record's names that may restrict: nearly all records of a sensor have the same names."""
    return tuple(filter(may_restrict, names))


@remembered(4_096)
def scheme_of(name: str) -> str:
    """The scheme that a property's name is of (``TLP`` of ``x_tlp_2_0``), so its value is a colour; else nothing."""
    found = words(name)
    if not labels_in(found).unknown:
        return ""
    return next((scheme for scheme in ("PAP", "PFC") if scheme.lower() in found), "TLP")


def _of_property(name: str, value: Any, where: str, depth: int) -> Marked:
    place = f"{where} property {name!r}"
    if is_about_sharing(name):
        return joined(_of_value(name, each, place) for each in _leaves(value, depth))
    if name.casefold().endswith(_TAGS):
        tags = (of_tag(each, place) for each in _leaves(value, depth) if isinstance(each, str))
        return msgspec.structs.replace(joined(tags), labels=())
    if isinstance(value, str):
        return of_prose(value, place)
    if depth < _MOST_NESTED and isinstance(value, Mapping | list):
        inner = value.items() if isinstance(value, Mapping) else ((name, each) for each in value)
        return joined(_of_property(each_name, each, where, depth + 1) for each_name, each in inner)
    return NOTHING


def _of_value(name: str, value: Any, place: str) -> Marked:
    if value is None or (value is False and not any(part in name.lower() for part in _ALLOWING)):
        return NOTHING
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    silent = of_field(text, place) == NOTHING or is_silent_flag(name, text)
    scheme = scheme_of(name)
    return NOTHING if silent else of_field(f"{scheme}:{text}" if scheme else text, place)


def _leaves(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, Mapping | list) and depth < _MOST_NESTED:
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(each, depth + 1)
    else:
        yield value
