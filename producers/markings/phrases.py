"""Finds phrases that restrict (``taxonomies/headings.toml``) among folded words, the longest first."""

import enum
from functools import cache
from typing import Final

from producers.markings.folding import words
from producers.markings.taxonomy import Effect, effect_of, headings

_Phrases = tuple[tuple[str, Effect], ...]
_LATIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class Strength(enum.IntEnum):
    """How much of the headings counts in a place: ``anywhere``, or also ``marked`` and ``exact``."""

    ANYWHERE = 0
    EXACT = 1


def effect_of_whole(found: tuple[str, ...]) -> Effect | None:
    """The effect of these words if they are a phrase that is known, and no more; ``None`` if they are not."""
    return _exact().get(" ".join(found)) or _solid().get("".join(found))


def effects_in(found: tuple[str, ...], strength: Strength) -> tuple[Effect, ...]:
    """The effects of the phrases in these words. Of Japanese, phrases are found within words, too."""
    line, solid, effects = f" {' '.join(found)} ", "".join(found), list[Effect]()
    whole = _exact().get(line.strip()) or _solid().get(solid)
    if strength is Strength.EXACT and whole is not None:
        return (whole,)
    for phrase, effect in _phrases(strength):
        if phrase[0] in _LATIN:
            if f" {phrase} " in line:
                effects.append(effect)
                line = line.replace(f" {phrase} ", " | ")
        elif phrase in solid:
            effects.append(effect)
            solid = solid.replace(phrase, "|")
    return tuple(effects)


@cache
def _phrases(strength: Strength) -> _Phrases:
    known = dict[str, Effect]()
    for each in headings():
        known |= _folded(each.anywhere)
        known |= _folded(each.marked) if strength is Strength.EXACT else {}
    return tuple(sorted(known.items(), key=lambda entry: -len(entry[0])))


@cache
def _exact() -> dict[str, Effect]:
    return {phrase: effect for each in headings() for phrase, effect in _folded(each.exact).items()}


@cache
def _solid() -> dict[str, Effect]:
    """All phrases without their blanks, as hashtags and columns have them: ``donotshare``."""
    known = {"".join(phrase.split()): effect for phrase, effect in _phrases(Strength.EXACT)}
    return known | {"".join(phrase.split()): effect for phrase, effect in _exact().items()}


def _folded(phrases: dict[str, str]) -> dict[str, Effect]:
    """Phrases as they are compared: Latin ones as words with blanks, Japanese ones without."""
    return {_line(phrase): effect_of(effect) for phrase, effect in phrases.items()}


def _line(phrase: str) -> str:
    found = words(phrase)
    return (" " if found[0][0] in _LATIN else "").join(found)
