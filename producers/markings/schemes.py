"""Finds TLP, PAP and PFC labels, and lists of recipients (``REL TO``), among folded words.

TLP 2.0 and 1.0: FIRST. PAP: MISP taxonomy ``PAP``, version 3. PFC is the French edition of TLP (MISP taxonomy ``pfc``).
A label's name may be followed by a version or a word such as "level"; several colours behind one name all count.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

_Scheme = dict[tuple[str, ...], str]
_TLP: Final[_Scheme] = {
    ("red",): "TLP:RED",
    ("amber", "strict"): "TLP:AMBER+STRICT",
    ("amberstrict",): "TLP:AMBER+STRICT",
    ("amber",): "TLP:AMBER",
    ("green",): "TLP:GREEN",
    ("clear",): "TLP:CLEAR",
    ("white",): "TLP:CLEAR",
}
_PFC: Final[_Scheme] = {
    ("rouge",): "TLP:RED",
    ("ambre", "strict"): "TLP:AMBER+STRICT",
    ("ambre",): "TLP:AMBER",
    ("vert",): "TLP:GREEN",
    ("libre",): "TLP:CLEAR",
    ("blanc",): "TLP:CLEAR",
}
_PAP: Final[_Scheme] = {
    (colour,): f"PAP:{'CLEAR' if colour == 'white' else colour.upper()}"
    for colour in ("red", "amber", "green", "clear", "white")
}
_SCHEMES: Final[dict[str, _Scheme]] = {
    **dict.fromkeys(("tlp", "tlpmarking", "tlplevel", "trafficlightprotocol"), _TLP),
    "pap": _PAP,
    "permissibleactionsprotocol": _PAP,
    "pfc": _PFC,
}
_LONG_NAMES: Final = {("traffic", "light", "protocol"): "tlp", ("permissible", "actions", "protocol"): "pap"}
_FILLERS: Final = frozenset(
    {
        *("0", "1", "2", "v1", "v2", "version", "level", "label", "marking", "color", "colour", "is", "ver"),
        *("classification", "rating", "status", "designation"),
    }
)
_MOST_FILLERS: Final = 4
_BETWEEN: Final = frozenset({"or", "and", "to", "und", "ou", "et"})
_NATIONS: Final = {
    **{"uk": "GBR", "gb": "GBR", "us": "USA", "jp": "JPN", "japan": "JPN", "jap": "JPN"},
    **{"au": "AUS", "ca": "CAN", "nz": "NZL", "de": "DEU", "fr": "FRA"},
    **{
        code: code.upper()
        for code in (
            *("gbr", "jpn", "usa", "aus", "can", "nzl", "deu", "fra", "ita", "esp", "prt", "nld", "bel", "lux", "dnk"),
            *("nor", "swe", "fin", "isl", "irl", "pol", "cze", "svk", "hun", "rou", "bgr", "grc", "tur", "est", "lva"),
            *("ltu", "svn", "hrv", "alb", "mkd", "mne", "kor", "ind", "sgp", "phl", "isr", "ukr", "che", "aut", "bra"),
        )
    },
}
_RELEASE: Final = (("releasable", "to"), ("releasable", "only", "to"), ("rel", "to"))
# How the first word of any label begins: most words of a long text are skipped by it.
_FIRST_LETTERS: Final = (*_SCHEMES, *(name[0] for name in (*_LONG_NAMES, *_RELEASE)))


class Labels(msgspec.Struct, frozen=True):
    """What was found. ``unknown``: a scheme is named and its colour is invalid. ``rest``: the words that remain."""

    tlp: tuple[str, ...] = ()
    pap: tuple[str, ...] = ()
    releasable_to: tuple[str, ...] | None = None
    unknown: bool = False
    rest: tuple[str, ...] = ()

    @property
    def are_any(self) -> bool:
        """Whether a label or recipients were found and understood."""
        return bool(self.tlp or self.pap) or self.releasable_to is not None


def labels_in(found: tuple[str, ...]) -> Labels:
    """All labels among these words (``folding.words``)."""
    tlp, pap, rest = list[str](), list[str](), list[str]()
    releasable_to: tuple[str, ...] | None = None
    unknown, place = False, 0
    while place < len(found):
        if not found[place].startswith(_FIRST_LETTERS):
            rest.append(found[place])
            place += 1
            continue
        if found[place : place + 1] == found[place + 1 : place + 2]:  # "tlp tlp red"; a long line of them stays cheap
            place += 1
            continue
        scheme, colours, place_after = _scheme_at(found, place)
        if scheme is not None:
            labels, place = _colours(found, place_after, scheme) if not colours else (colours, place_after)
            (pap if scheme is _PAP else tlp).extend(labels)
            unknown = unknown or not (labels or _names_again(found, place, scheme))
            continue
        named = next((name for name in _RELEASE if found[place : place + len(name)] == name), None)
        if named is not None:
            nations, place = _nations(found, place + len(named))
            unknown = unknown or not nations
            if nations:
                releasable_to = nations if releasable_to is None else tuple(n for n in releasable_to if n in nations)
            continue
        rest.append(found[place])
        place += 1
    return Labels(tuple(tlp), tuple(pap), releasable_to, unknown, tuple(rest))


def bare_colours(found: tuple[str, ...]) -> tuple[str, ...]:
    """The TLP labels of a cell of a marking column that holds only colours: ``AMBER+STRICT``, ``GREEN/RED``."""
    labels, place = _colours(found, 0, _TLP)
    return labels if place == len(found) else ()


def nations_in(found: tuple[str, ...]) -> tuple[str, ...] | None:
    """The ISO 3166-1 alpha-3 codes that these words are; ``None`` if one of them is no nation."""
    return tuple(_NATIONS[word] for word in found) if found and all(word in _NATIONS for word in found) else None


def _names_again(found: Sequence[str], place: int, scheme: _Scheme) -> bool:
    """Whether the scheme's name follows once more, as in "Traffic Light Protocol (TLP): RED"."""
    return place < len(found) and _scheme_at(found, place)[0] is scheme


def _scheme_at(found: Sequence[str], place: int) -> tuple[_Scheme | None, tuple[str, ...], int]:
    """The scheme that is named here, colours that are glued to its name (``tlpred``), and the place behind it."""
    for long_name, short in _LONG_NAMES.items():
        if tuple(found[place : place + len(long_name)]) == long_name:
            return _SCHEMES[short], (), place + len(long_name)
    word = found[place]
    if word.rstrip("0123456789v") in _SCHEMES:
        return _SCHEMES[word.rstrip("0123456789v")], (), place + 1
    for name, colours in _SCHEMES.items():
        glued = (word.removeprefix(name).lstrip("v0123456789"),)
        if word.startswith(name) and glued in colours:
            if glued == ("amber",) and tuple(found[place + 1 : place + 2]) == ("strict",):
                return colours, ("TLP:AMBER+STRICT",), place + 2
            return colours, (colours[glued],), place + 1
    return None, (), place


def _colours(found: Sequence[str], place: int, scheme: _Scheme) -> tuple[tuple[str, ...], int]:
    """The colours from here on, behind words without a meaning; and the place behind the last of them."""
    labels, start, fillers = list[str](), place, 0
    while place < len(found):
        longest = next((n for n in (2, 1) if len(found) - place >= n and tuple(found[place : place + n]) in scheme), 0)
        if longest:
            labels.append(scheme[tuple(found[place : place + longest])])
            start = place = place + longest
        elif found[place] in _BETWEEN if labels else _says_nothing(found[place]) and fillers < _MOST_FILLERS:
            fillers += 1
            place += 1
        else:
            break
    return tuple(labels), start


def _says_nothing(word: str) -> bool:
    """Whether a word may stand between a scheme's name and its colour: "level", or one of another script."""
    return word in _FILLERS or not word.isascii()


def _nations(found: Sequence[str], place: int) -> tuple[tuple[str, ...], int]:
    nations = list[str]()
    while place < len(found) and (found[place] in _NATIONS or (nations and found[place] in _BETWEEN)):
        nations += [_NATIONS[found[place]]] if found[place] in _NATIONS else []
        place += 1
    return tuple(nations), place
