"""The words that state something about sharing, as data: ``taxonomies/*.toml``, each with its owner and its source.

``taxonomies/misp.toml`` and ``taxonomies/headings.toml`` define their effects at the top.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from schemas.markings import Caveat


class Effect(msgspec.Struct, frozen=True):
    """The effect of a word. Without any it is a label."""

    hold: bool = False
    nobody: bool = False
    tlp: str = ""
    pap: str = ""
    caveat: str = ""
    confidence: int | None = None
    withdrawn: bool = False


_PLAIN: Final = {
    "label": Effect(),
    "hold": Effect(hold=True),
    "nobody": Effect(nobody=True),
    "withdrawn": Effect(withdrawn=True),
}


class Namespace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A namespace of machine tags. ``unknown`` is the effect of a word that it does not list."""

    name: str
    unknown: str
    words: dict[str, str] = {}


class Headings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of one owner that restrict wherever they occur, by the certainty of that meaning."""

    owner: str
    source: str
    anywhere: dict[str, str] = {}
    marked: dict[str, str] = {}
    exact: dict[str, str] = {}


class _Tags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    source: str
    namespace: list[Namespace]


class _Harmless(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    source: str
    namespaces: list[str]


class _Headings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    heading: list[Headings]


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An extension of STIX marking definitions. ``unknown`` is the effect of a property that it does not list."""

    id: str
    owner: str
    source: str
    unknown: str
    words: dict[str, str]


class _Definitions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    source: str
    ids: dict[str, str]


class _Stix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    definitions: list[_Definitions]
    extension: list[Extension]


class FreeWords(msgspec.Struct, frozen=True):
    """Words of free text that restrict, of all languages; ``taxonomies/free_words.toml`` defines each list."""

    about: tuple[str, ...]
    limits: frozenset[str]
    alone: frozenset[str]
    readers: frozenset[str]
    parts: tuple[str, ...]


class _Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    about: list[str] = []
    limits: list[str] = []
    alone: list[str] = []
    readers: list[str] = []
    parts: list[str] = []


class _FreeWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    source: str
    language: list[_Language]


class _Lookalikes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    owner: str
    source: str
    letters: dict[str, str]


def effect_of(text: str) -> Effect:
    """An effect as the files write it. Raises ValueError for one that does not exist."""
    name, _, argument = text.partition(":")
    if text in _PLAIN:
        return _PLAIN[text]
    if name in ("TLP", "PAP"):
        return Effect(tlp=text) if name == "TLP" else Effect(pap=text)
    if name == "caveat":
        return Effect(caveat=Caveat(argument).value)
    if name == "confidence" and argument.isdigit() and int(argument) <= 100:
        return Effect(confidence=int(argument))
    raise ValueError(f"{text!r} is no effect of a word")


@cache
def namespaces() -> tuple[Namespace, ...]:
    """The namespaces that restrict, or state something else that counts."""
    return tuple(msgspec.convert(_file("misp"), _Tags).namespace)


@cache
def harmless_namespaces() -> tuple[str, ...]:
    """The namespaces whose words are labels, whatever they look like."""
    return tuple(msgspec.convert(_file("harmless"), _Harmless).namespaces)


@cache
def headings() -> tuple[Headings, ...]:
    """The words that restrict wherever they occur."""
    return tuple(msgspec.convert(_file("headings"), _Headings).heading)


@cache
def free_words() -> FreeWords:
    """The words of free text that restrict."""
    languages = msgspec.convert(_file("free_words"), _FreeWords).language
    return FreeWords(
        tuple(dict.fromkeys(word for each in languages for word in each.about)),
        frozenset(word for each in languages for word in each.limits),
        frozenset(word for each in languages for word in each.alone),
        frozenset(word for each in languages for word in each.readers),
        tuple(part for each in languages for part in each.parts),
    )


@cache
def stix_definitions() -> dict[str, str]:
    """The effects of well-known marking definitions, by the UUID of their ids."""
    return {uuid: effect for group in _stix().definitions for uuid, effect in group.ids.items()}


@cache
def stix_extensions() -> dict[str, Extension]:
    """The well-known extensions of marking definitions, by the UUID of their ids."""
    return {extension.id: extension for extension in _stix().extension}


@cache
def _stix() -> _Stix:
    return msgspec.convert(_file("stix"), _Stix)


@cache
def lookalikes() -> dict[str, str]:
    """For each Latin letter the letters of other scripts that look like it."""
    return msgspec.convert(_file("lookalikes"), _Lookalikes).letters


def _file(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "taxonomies" / f"{name}.toml").read_text("utf-8"))
