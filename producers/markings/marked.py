"""What was understood of a source's words about sharing, and how such findings join: only ever stricter.

A word that is not understood stays among the caveats as it was written. ``schemas.markings`` does not know it either,
so it holds, whatever else was stated and whatever the operator's default is.
"""

from collections.abc import Iterable
from functools import reduce
from itertools import chain, islice
from typing import Final

import msgspec

from producers.markings.remembered import remembered
from schemas.markings import Caveat, Pap, SourceMarking, Tlp, understand

UNSTATED: Final = SourceMarking()
MAX_WORDS_LENGTH: Final = 200
"""Characters that are kept of words that are not understood."""
MOST_WORDS: Final = 64
"""Words that are not understood, and origins, that are kept of many findings."""
_FEW: Final = 32
OPERATOR: Final = "the operator's options"
PERSONAL: Final = Caveat.PERSONAL_DATA.value


def names_people(marking: SourceMarking) -> SourceMarking:
    """The marking of a value that may name people, such as the name of an e-mail's attachment."""
    return msgspec.structs.replace(marking, caveats=tuple(dict.fromkeys((*marking.caveats, PERSONAL))))


class Marked(msgspec.Struct, frozen=True):
    """What a source stated about sharing in one place, or in all of them.

    ``origins`` name the places for people: ``event tag "tlp:red"``. ``confidence`` is the source's own, 0 to 100, if
    its words state one. ``withdrawn`` are the words by which it takes the indicator back.
    """

    marking: SourceMarking = UNSTATED
    origins: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    confidence: int | None = None
    withdrawn: str = ""

    def join(self, other: "Marked") -> "Marked":
        """Both at once: the stricter marking, the lower confidence, every label."""
        if other is NOTHING or other is self:
            return self
        if self is NOTHING:
            return other
        stated = [each for each in (self.confidence, other.confidence) if each is not None]
        return Marked(
            stricter(self.marking, other.marking),
            tuple(dict.fromkeys((*self.origins, *other.origins))),
            tuple(dict.fromkeys((*self.labels, *other.labels))),
            min(stated, default=None),
            self.withdrawn or other.withdrawn,
        )

    def with_default(self, default: SourceMarking) -> "Marked":
        """The operator's default fills in what the source is silent about, and never loosens what it states."""
        marking = stricter(self.marking, default)
        if marking == self.marking:
            return self
        return msgspec.structs.replace(self, marking=marking, origins=(*self.origins, OPERATOR))

    @property
    def restricting(self) -> "Marked":
        """What of it restricts others than its own line: never more than silence would release.

        A TLP label below RED would release what is not marked, so ``TLP:CLEAR`` and ``TLP:GREEN`` do not count, and
        any other label holds.
        """
        stated = understand(self.marking)
        doubtful = self.marking.tlp if stated.tlp not in (Tlp.CLEAR, Tlp.GREEN, Tlp.RED) else ""
        return Marked(
            SourceMarking(
                tlp=self.marking.tlp if stated.tlp is Tlp.RED else "",
                pap=self.marking.pap if stated.pap not in (Pap.CLEAR, Pap.GREEN) else "",
                releasable_to=self.marking.releasable_to,
                caveats=(*self.marking.caveats, *((f"in doubt: {doubtful}",) if doubtful else ())),
            ),
            self.origins,
        )


NOTHING: Final = Marked()


def joined(findings: Iterable[Marked]) -> Marked:
    """All of them at once; of no finding, that nothing was stated. Time is linear in the number of findings.

    Of many words that are not understood the first ones are kept: more would hold no more.
    """
    found = [each for each in findings if each is not NOTHING]
    if not found:
        return NOTHING
    found = list(dict.fromkeys(found))
    if len(found) <= _FEW:
        return reduce(Marked.join, found, NOTHING)
    whole = joined(msgspec.structs.replace(each, labels=(), origins=()) for each in found[:_FEW])
    for each in found[_FEW:]:
        marking, kept = each.marking, whole.marking
        if len(kept.caveats) >= MOST_WORDS and marking.caveats:
            known = tuple(word for word in marking.caveats if is_caveat(word))
            marking = msgspec.structs.replace(marking, caveats=known)
        rest = Marked(marking, (), (), each.confidence, each.withdrawn)
        whole = whole if rest == NOTHING else whole.join(rest)
    labels = tuple(dict.fromkeys(chain.from_iterable(each.labels for each in found)))
    origins = tuple(islice(dict.fromkeys(chain.from_iterable(each.origins for each in found)), MOST_WORDS))
    return msgspec.structs.replace(whole, labels=labels, origins=origins)


def unrecognised(text: str, where: str) -> Marked:
    """Words that could restrict and are not understood: they hold."""
    kept = " ".join(text.split())[:MAX_WORDS_LENGTH] or where
    return Marked(SourceMarking(caveats=(kept,)), (f"{where} (not understood)",))


def of_caveat(caveat: Caveat, where: str) -> Marked:
    """A caveat that the source's own structure states without a word of ours."""
    return Marked(SourceMarking(caveats=(caveat.value,)), (where,))


@remembered(4_096)
def is_caveat(word: str) -> bool:
    """Whether a word is a national or handling caveat of the contract, in any of its spellings."""
    return understand(SourceMarking(caveats=(word,))).caveats not in ((), (Caveat.UNRECOGNISED,))


def stricter(one: SourceMarking, other: SourceMarking) -> SourceMarking:
    """Both markings at once. What one does not state, the other decides; if both do, the stricter holds."""
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
    """Its unknown TLP and PAP words. They must not be lost when a stricter word takes their place."""
    words = [SourceMarking(tlp=marking.tlp), SourceMarking(pap=marking.pap)]
    return [word.tlp or word.pap for word in words if Caveat.UNRECOGNISED in understand(word).caveats]
