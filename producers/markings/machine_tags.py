"""Machine tags (``namespace:predicate="value"``) by their taxonomies; unknown words that look like a restriction."""

import re
from functools import cache
from typing import Final

from producers.markings.folding import folded, words
from producers.markings.schemes import nations_in
from producers.markings.taxonomy import Effect, effect_of, free_words, harmless_namespaces, namespaces

_ANY: Final = "*"
_COLOURS: Final = frozenset({"red", "amber", "amber strict", "amberstrict"})
# Parts of words by which an unknown namespace or predicate is about sharing.
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
_DENIED: Final = frozenset({"not", "non", "no", "false", "never", "0"})
_PLACES: Final = re.compile(
    r"\b(?:within|inside|outside|outwith|beyond) (?:of )?(?:your|our|the) (?:own )?"
    r"(?:organi[sz]ations?|company|agency|department|ministry|government|team|unit|country|nation|uk|eu)\b"
)
_EXCLUDES: Final = re.compile(
    r"\b(?:exclud\w*|except|not for|not to|nicht fur|pas pour|(?:not|never|dont) give\w*(?: it)? to)\b"
)
_PASSED_ON: Final = re.compile(r"\bpass(?:ed|ing)? (?:\w+ ){0,2}on\b")
_RELEASED: Final = re.compile(r"released?(?: (?:date|time|version|notes?|number|on))?(?: utc| v)?(?: \d+| v\d+| utc)+")
# The form of a banner or a portion mark: (S//NF), U//FOUO.
_BANNER: Final = re.compile(r"^\W*(?:u|c|s|ts|r|unclassified|confidential|secret|top secret)\s*//")


def effect_of_tag(text: str) -> Effect | None:
    """The meaning of a machine tag of a namespace that counts; ``None`` if it is not one."""
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
    """Whether a machine tag is of a namespace that is known to state nothing about sharing."""
    namespace, predicate, _ = _cut(text)
    return bool(predicate) and namespace in _harmless()


def looks_restricting(text: str) -> bool:
    """Whether unknown words could limit sharing."""
    namespace, predicate, value = _cut(text)
    if _RELEASED.fullmatch(" ".join(words(text))):
        return False  # when it was released
    about = f"{namespace} {predicate}" if predicate else ""
    if any(stem in about for stem in _STEMS) or (predicate and (value or predicate) in _COLOURS):
        return True
    return words_restrict(text)


def words_restrict(text: str) -> bool:
    """Whether free words restrict: the same without machine tags."""
    found = words(text)
    return _restricts(found, " ".join(found), folded(text))


def _restricts(found: tuple[str, ...], line: str, plain: str) -> bool:
    """Whether free words restrict."""
    free = free_words()
    if any(word in free.alone for word in found) or _japanese().search(plain) or _BANNER.match(plain):
        return True
    if "only" in found and any(word in free.readers or nations_in((word,)) for word in found):
        return True
    if "public" in found and any(word in _DENIED for word in found):
        return True
    if _EXCLUDES.search(line) and any(nations_in((word,)) for word in found):
        return True
    if _PLACES.search(line) or (found[:1] == ("rel",) and nations_in(found[1:]) is not None):
        return True
    is_limited = any(word in free.limits for word in found)
    return is_limited and (any(word.startswith(free.about) for word in found) or bool(_PASSED_ON.search(line)))


def _cut(text: str) -> tuple[str, str, str]:
    """Namespace, predicate and value, folded. A tag without colon or equals sign is a namespace alone."""
    head, colon, rest = folded(text).partition(":")
    if not colon:
        head, _, rest = folded(text).partition("=")
    name, _, value = rest.partition("=")
    return _key(head), _key(name), _key(value)


def _key(text: str) -> str:
    return " ".join(words(text)) or ("*" if text.strip() == _ANY else "")


@cache
def _japanese() -> re.Pattern[str]:
    return re.compile("|".join(free_words().parts))


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
