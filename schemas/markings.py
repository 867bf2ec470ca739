"""Markings: limits on sharing and use, as closed, ordered vocabularies that form a lattice.

A marking only ever gets stricter by joining. ``join`` is commutative, associative and idempotent, so the
effective marking of many observations is the same in every order (property-tested).

Labels are the standards' own and are never translated (TLP 2.0, FIRST, August 2022: "labels MUST remain in
their original form"). Other forms of a source (TLP 1 ``WHITE``, lower case, a space) are mapped here; a
label that cannot be mapped becomes ``Caveat.UNRECOGNISED``, which is never released automatically.
"""

import enum
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import msgspec


class Tlp(enum.IntEnum):
    """TLP 2.0 in order of strictness.

    UNMARKED is not a label: the source gave none. It is above AMBER+STRICT, because unmarked data is released only
    after an officer has marked it, and below RED, which may never be released.
    """

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    UNMARKED = 4
    RED = 5

    @property
    def label(self) -> str:
        """As FIRST spells it (``TLP:AMBER+STRICT``); empty for UNMARKED."""
        return _TLP_LABELS[self]


_TLP_LABELS: Final = {tlp: "" if tlp is Tlp.UNMARKED else f"TLP:{tlp.name.replace('_', '+')}" for tlp in Tlp}


class Activity(enum.IntEnum):
    """Who can notice the use of an indicator, from no one upwards. PAP limits it."""

    PASSIVE_LOCAL = 1
    """No one: answered from data on this machine, searched in our own logs. Allowed even under PAP:RED."""
    PASSIVE_REMOTE = 2
    """A third party sees the question, as in a whois or reputation look-up. Up to PAP:AMBER."""
    ACTIVE = 3
    """The target can notice: a probe, a block. Up to PAP:GREEN."""

    @property
    def label(self) -> str:
        """``passive-local``."""
        return self.name.lower().replace("_", "-")


class Pap(enum.IntEnum):
    """Permissible Actions Protocol (MISP taxonomy ``PAP`` v3), in order of strictness."""

    UNSTATED = 0
    CLEAR = 1
    GREEN = 2
    AMBER = 3
    RED = 4

    @property
    def label(self) -> str:
        """``PAP:AMBER``; empty for UNSTATED."""
        return _PAP_LABELS[self]

    def allows(self, activity: Activity) -> bool:
        """Whether this may be done. UNSTATED limits nothing; what joining makes stricter never allows more."""
        return activity <= _MOST_ALLOWED[self]


_MOST_ALLOWED: Final = {
    Pap.UNSTATED: Activity.ACTIVE,
    Pap.CLEAR: Activity.ACTIVE,
    Pap.GREEN: Activity.ACTIVE,
    Pap.AMBER: Activity.PASSIVE_REMOTE,
    Pap.RED: Activity.PASSIVE_LOCAL,
}
_PAP_LABELS: Final = {pap: "" if pap is Pap.UNSTATED else f"PAP:{pap.name}" for pap in Pap}


class Caveat(enum.StrEnum):
    """National and handling caveats we know. The value is the label as its owner spells it.

    BENIGN and DRAFT are a source's statements about its own data; FOREIGN HANDLING is a handling word of another nation
    or organisation, for which no correspondence is agreed.

    Which of them stop a release is policy (``policy/``). The sources are the UK Government Security
    Classifications Policy (national caveats, OFFICIAL-SENSITIVE) and Japan's common standards for government
    agencies (confidentiality class 3; handling limits).
    """

    UK_EYES_ONLY = "UK EYES ONLY"
    JAPAN_EYES_ONLY = "JAPAN EYES ONLY"
    OFFICIAL_SENSITIVE = "OFFICIAL-SENSITIVE"
    CONFIDENTIALITY_3 = "機密性3情報"
    CONCERNED_ONLY = "関係者限り"
    NO_FORWARDING = "転送禁止"
    NO_DISTRIBUTION = "配付禁止"
    NO_COPYING = "複製禁止"
    PERSONAL_DATA = "PERSONAL DATA"
    EMBARGO = "EMBARGO"
    INCIDENT = "INCIDENT"
    BENIGN = "BENIGN"
    DRAFT = "DRAFT"
    FOREIGN_HANDLING = "FOREIGN HANDLING"
    UNRECOGNISED = "UNRECOGNISED"


NATIONAL_EYES_ONLY: Final = frozenset({Caveat.UK_EYES_ONLY, Caveat.JAPAN_EYES_ONLY})

_TLP_BY_WORD: Final = {tlp.name.replace("_", "+"): tlp for tlp in Tlp if tlp is not Tlp.UNMARKED} | {
    "WHITE": Tlp.CLEAR,  # TLP 1
    "AMBERSTRICT": Tlp.AMBER_STRICT,
    "AMBER STRICT": Tlp.AMBER_STRICT,
    "AMBER-STRICT": Tlp.AMBER_STRICT,
}
_PAP_BY_WORD: Final = {pap.name: pap for pap in Pap if pap is not Pap.UNSTATED} | {"WHITE": Pap.CLEAR}
_CAVEAT_BY_LABEL: Final = {caveat.value: caveat for caveat in Caveat} | {
    "UK EYES-ONLY": Caveat.UK_EYES_ONLY,
    "UKEO": Caveat.UK_EYES_ONLY,
    "OFFICIAL SENSITIVE": Caveat.OFFICIAL_SENSITIVE,
    "機密性3": Caveat.CONFIDENTIALITY_3,
    "EMBARGOED": Caveat.EMBARGO,
    "UNDER EMBARGO": Caveat.EMBARGO,
}


class Marking(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """The limits on sharing and use of one assertion. ``join`` defines strictness.

    ``releasable_to`` holds ISO 3166-1 alpha-3 codes, sorted. ``None`` is "any nation the TLP label allows" and
    exists for CLEAR and GREEN only: from AMBER up a nation is named or it is not a recipient, so that joining
    with a more open assertion can never name one. ``caveats`` is sorted and without repeats.
    """

    tlp: Tlp = Tlp.UNMARKED
    pap: Pap = Pap.UNSTATED
    releasable_to: tuple[str, ...] | None = ()
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        if self.releasable_to is None and self.tlp >= Tlp.AMBER:
            raise ValueError(f"{self.tlp.label or 'unmarked'} needs its recipients named")

    @property
    def is_understood(self) -> bool:
        """Whether its source stated a TLP label, and nothing that is unknown."""
        return self.tlp is not Tlp.UNMARKED and Caveat.UNRECOGNISED not in self.caveats

    def read_as(self, stated: "Marking") -> "Marking":
        """This marking after a person has read it and stated what it means; unchanged if it was understood before.

        Its understood part remains: a person can add a label that is missing, and can only tighten one.
        """
        if self.is_understood:
            return self
        named = self.releasable_to
        if named is not None:
            named = tuple([nation for nation in named if _is_nation(nation)])
        caveats = tuple([caveat for caveat in self.caveats if caveat is not Caveat.UNRECOGNISED])
        read = msgspec.structs.replace(self, releasable_to=named, caveats=caveats)
        if self.tlp is Tlp.UNMARKED:
            read = msgspec.structs.replace(read, tlp=stated.tlp, releasable_to=named or stated.releasable_to)
            return read.join(msgspec.structs.replace(stated, releasable_to=read.releasable_to))
        return read.join(stated)

    def join(self, other: "Marking") -> "Marking":
        """The least strict marking that is as strict as both."""
        return self if self == other else _join(self, other)


UNMARKED: Final = Marking()


@lru_cache(maxsize=65_536)
def _join(one: Marking, other: Marking) -> Marking:
    if one.releasable_to is None or other.releasable_to is None:
        releasable_to = other.releasable_to if one.releasable_to is None else one.releasable_to
    else:
        releasable_to = tuple(sorted(set(one.releasable_to) & set(other.releasable_to)))
    return Marking(
        tlp=max(one.tlp, other.tlp),
        pap=max(one.pap, other.pap),
        releasable_to=releasable_to,
        caveats=tuple(sorted(set(one.caveats) | set(other.caveats))),
    )


class SourceMarking(msgspec.Struct, frozen=True, gc=False):
    """A marking as a source wrote it, before it is mapped."""

    tlp: str = ""
    pap: str = ""
    releasable_to: tuple[str, ...] | None = None
    caveats: tuple[str, ...] = ()


def understand(source: SourceMarking) -> Marking:
    """Map a source's own labels. Never raises: a label that cannot be mapped adds ``Caveat.UNRECOGNISED``."""
    labels = [_folded(label) for label in source.caveats]
    caveats = {_CAVEAT_BY_LABEL.get(label, Caveat.UNRECOGNISED) for label in labels if label}
    tlp, pap = Tlp.UNMARKED, Pap.UNSTATED
    if source.tlp.strip():
        tlp = _TLP_BY_WORD.get(_label(source.tlp, "TLP"), Tlp.UNMARKED)
        if tlp is Tlp.UNMARKED:
            caveats.add(Caveat.UNRECOGNISED)
    if source.pap.strip():
        known = _PAP_BY_WORD.get(_label(source.pap, "PAP"))
        pap = Pap.RED if known is None else known
        if known is None:
            caveats.add(Caveat.UNRECOGNISED)
    releasable_to: tuple[str, ...] | None = None if tlp < Tlp.AMBER else ()
    if source.releasable_to is not None:
        nations = {_folded(nation) for nation in source.releasable_to}
        if not all(map(_is_nation, nations)):
            caveats.add(Caveat.UNRECOGNISED)
        releasable_to = tuple(sorted(nations))
    return Marking(tlp=tlp, pap=pap, releasable_to=releasable_to, caveats=tuple(sorted(caveats)))


def joined(markings: Iterable[Marking]) -> Marking:
    """The join of all of them; UNMARKED if there are none, so that nothing is released."""
    result: Marking | None = None
    for marking in markings:
        result = marking if result is None else result.join(marking)
    return UNMARKED if result is None else result


def _is_nation(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha()


def _label(text: str, scheme: str) -> str:
    """``AMBER+STRICT`` of ``tlp: Amber + Strict``."""
    return _folded(text).removeprefix(f"{scheme}:").strip().replace(" +", "+").replace("+ ", "+")


def _folded(text: str) -> str:
    """Compatibility forms, case and outer blanks folded: full-width ``ＴＬＰ：ＲＥＤ`` is ``TLP:RED``."""
    return unicodedata.normalize("NFKC", text).strip().upper()
