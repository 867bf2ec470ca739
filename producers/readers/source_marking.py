"""A source's marking from the places where sources put it: tags, the operator's defaults, several levels at once."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from schemas.markings import Caveat, SourceMarking, understand

UNSTATED: Final = SourceMarking()


def stricter(one: SourceMarking, other: SourceMarking) -> SourceMarking:
    """Both markings at once. What one does not state, the other decides; where both do, the stricter holds.

    So a default given on the command line fills what a feed leaves open and never loosens what it says.
    """
    if other in (UNSTATED, one):
        return one
    if one == UNSTATED:
        return other
    releasable_to = one.releasable_to if other.releasable_to is None else other.releasable_to
    if one.releasable_to is not None and other.releasable_to is not None:
        releasable_to = tuple(nation for nation in one.releasable_to if nation in other.releasable_to)
    unknown = [word for marking in (one, other) for word in _unrecognised(marking)]
    return SourceMarking(
        tlp=max(one.tlp, other.tlp, key=_tlp_strictness),
        pap=max(one.pap, other.pap, key=_pap_strictness),
        releasable_to=releasable_to,
        caveats=tuple(dict.fromkeys((*one.caveats, *other.caveats, *unknown))),
    )


def _tlp_strictness(word: str) -> int:
    return understand(SourceMarking(tlp=word)).tlp if word.strip() else -1


def _pap_strictness(word: str) -> int:
    return understand(SourceMarking(pap=word)).pap if word.strip() else -1


def _unrecognised(marking: SourceMarking) -> list[str]:
    """Its TLP and PAP words that nobody can map. They must not be lost when a stricter word takes their place."""
    words = [SourceMarking(tlp=marking.tlp), SourceMarking(pap=marking.pap)]
    return [word.tlp or word.pap for word in words if Caveat.UNRECOGNISED in understand(word).caveats]


def marking_of_tags(tags: Iterable[str]) -> tuple[SourceMarking, tuple[str, ...]]:
    """The marking among a source's tags, and the tags that are labels.

    A tag is a marking if it is of MISP's ``tlp`` or ``PAP`` taxonomy, also where it is written with a blank or a
    hyphen, or a caveat that we know.
    """
    marking, labels = UNSTATED, dict[str, None]()
    for tag in tags:
        folded = unicodedata.normalize("NFKC", tag).strip()
        namespace, separator, word = folded[:3].upper(), folded[3:4], folded[4:].strip()
        if namespace in ("TLP", "PAP") and separator and separator in ":=- _":
            stated = folded if separator == ":" else f"{namespace}:{word}"
            marking = stricter(marking, SourceMarking(tlp=stated) if namespace == "TLP" else SourceMarking(pap=stated))
        elif is_caveat(tag):
            marking = stricter(marking, SourceMarking(caveats=(tag,)))
        elif tag.strip():
            labels[tag.strip()] = None
    return marking, tuple(labels)


@lru_cache(4096)
def is_caveat(word: str) -> bool:
    """Whether a word is a national or handling caveat that we know, in any of its spellings."""
    return understand(SourceMarking(caveats=(word,))).caveats not in ((), (Caveat.UNRECOGNISED,))
