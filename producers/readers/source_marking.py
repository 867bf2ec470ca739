"""The marking among tags, for readers of lists; ``producers.markings`` has what is understood of one word."""

from collections.abc import Iterable
from functools import lru_cache

from producers.markings.marked import UNSTATED, joined, stricter
from producers.markings.understanding import of_tag
from schemas.markings import Caveat, SourceMarking, understand

__all__ = ["UNSTATED", "is_caveat", "marking_of_tags", "stricter"]


def marking_of_tags(tags: Iterable[str]) -> tuple[SourceMarking, tuple[str, ...]]:
    """The marking among a source's tags, and the tags that are labels."""
    found = joined(of_tag(tag, "tag") for tag in tags)
    return found.marking, found.labels


@lru_cache(4096)
def is_caveat(word: str) -> bool:
    """Whether a word is a national or handling caveat that we know, in any of its spellings."""
    return understand(SourceMarking(caveats=(word,))).caveats not in ((), (Caveat.UNRECOGNISED,))
