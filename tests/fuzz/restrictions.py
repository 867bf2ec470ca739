"""Restrictions as sources write them, in many forms, with what the exchange must make of each at least.

The oracle of the hunt for overlooked markings. It shares no code with ``producers.markings``: what each text means
stands beside it here.
"""

from random import Random
from typing import Final

import msgspec

from schemas.markings import Caveat, Marking, Tlp


class Meant(msgspec.Struct, frozen=True):
    """The least that must come out. ``held``: a person must look, because no one can say what it means."""

    tlp: Tlp = Tlp.CLEAR
    nobody: bool = False
    caveats: frozenset[Caveat] = frozenset()
    held: bool = False

    def join(self, other: "Meant") -> "Meant":
        """Both restrictions at once."""
        return Meant(
            max(self.tlp, other.tlp),
            self.nobody or other.nobody,
            self.caveats | other.caveats,
            self.held or other.held,
        )

    def is_exactly(self, found: Marking) -> bool:
        """Whether a marking says this, and no more."""
        return (found.tlp, found.releasable_to == ()) == (self.tlp, self.nobody) and set(
            found.caveats
        ) == self.caveats | ({Caveat.UNRECOGNISED} if self.held else set())

    def overlooked(self, found: Marking) -> str:
        """What of it a marking does not have; empty if it is as strict. What is held may not be understood."""
        held = Caveat.UNRECOGNISED in found.caveats
        closed = held or found.releasable_to == () or found.tlp is Tlp.RED
        if found.tlp < self.tlp and not (held or found.releasable_to == ()):
            return f"{self.tlp.label} came out as {found.tlp.label}"
        if self.nobody and not closed:
            return "what is for nobody came out as for somebody"
        if self.held and not closed:
            return "what nobody understands came out as understood"
        missing = self.caveats - set(found.caveats)
        return f"{', '.join(missing)} came out as nothing" if missing and not closed else ""


_UK: Final = Meant(caveats=frozenset({Caveat.UK_EYES_ONLY}))
LABELS: Final = {
    "TLP:RED": Meant(Tlp.RED),
    "TLP:AMBER+STRICT": Meant(Tlp.AMBER_STRICT),
    "TLP:AMBER": Meant(Tlp.AMBER),
    "TLP:GREEN": Meant(Tlp.GREEN),
    "TLP:CLEAR": Meant(),
    "TLP:WHITE": Meant(),
}
_PHRASES: Final = {
    "UK EYES ONLY": _UK,
    "NOFORN": Meant(nobody=True),
    "Do not share": Meant(nobody=True),
    "Not for onward sharing": Meant(nobody=True),
    "転送禁止": Meant(caveats=frozenset({Caveat.NO_FORWARDING})),
    "配布禁止": Meant(caveats=frozenset({Caveat.NO_DISTRIBUTION})),
    "関係者限り": Meant(caveats=frozenset({Caveat.CONCERNED_ONLY})),
    "部外秘": Meant(nobody=True),
    "取扱注意": Meant(held=True),
    "OFFICIAL-SENSITIVE": Meant(caveats=frozenset({Caveat.OFFICIAL_SENSITIVE})),
}
_UNKNOWN: Final = {
    word: Meant(held=True) for word in ("TLP:PURPLE", "TLP:UNCLEAR", "tlp:ex:chr", "TLP=BLACK", "TLP: see contract")
}
_MACHINE_TAGS: Final = {
    "misp:should-not-sync": Meant(nobody=True),
    'dni-ism:dissem="NF"': Meant(nobody=True),
    'de-vs:einstufung="VS-NfD"': Meant(caveats=frozenset({Caveat.FOREIGN_HANDLING})),
    'nato:classification="NR"': Meant(caveats=frozenset({Caveat.FOREIGN_HANDLING})),
    'thales_group:distribution="team_eyes_only"': Meant(nobody=True),
    'workflow:state="draft"': Meant(caveats=frozenset({Caveat.DRAFT})),
    'false-positive:risk="high"': Meant(caveats=frozenset({Caveat.BENIGN})),
    "handling:UK EYES ONLY": _UK,
    "sharing:ask first": Meant(held=True),
    "euci:S-UE/EU-S": Meant(nobody=True),
    'fr-classif:classifiees="SECRET"': Meant(nobody=True),
}
_CYRILLIC: Final = dict(zip("TPEAMBCeapc", "ТРЕАМВСеарс", strict=True))
_SEPARATORS: Final = (":", "-", " ", ".", "=", "_", "/", " : ", "\u2011", "\u2013", "\u00a0", "：", ":\u200b", "::")
_AROUND: Final = (("", ""), ('"', '"'), ("'", "'"), ("[", "]"), ("(", ")"), (" ", " "), ("“", "”"), ("#", ""))


def label(random: Random) -> tuple[str, Meant]:
    """A TLP label in any form."""
    word, meant = random.choice(list(LABELS.items()))
    return disguised(random, word), meant


def phrase(random: Random) -> tuple[str, Meant]:
    """A label, a heading, or a label that no one knows."""
    if random.random() < 0.5:
        return label(random)
    word, meant = random.choice([*_PHRASES.items(), *_UNKNOWN.items()])
    return (word if word in _UNKNOWN else _cased(random, word)), meant


def tag(random: Random) -> tuple[str, Meant]:
    """The same, or a machine tag."""
    return random.choice(list(_MACHINE_TAGS.items())) if random.random() < 0.3 else phrase(random)


def disguised(random: Random, word: str) -> str:
    """A label as careless people and tools write it."""
    name, _, colour = word.partition(":")
    colour = colour.replace("+", random.choice(("+", " ", "-", " + ", "_"))) if "+" in colour else colour
    text = _cased(random, name) + random.choice(_SEPARATORS) + _cased(random, colour)
    if random.random() < 0.15:
        text = "".join(_CYRILLIC.get(letter, letter) if random.random() < 0.4 else letter for letter in text)
    if random.random() < 0.1:
        text = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    if random.random() < 0.1:
        at = random.randrange(len(text) + 1)
        text = text[:at] + random.choice(("\u200b", "\u00ad", "\u200d", "\ufeff", "\u202e")) + text[at:]
    before, behind = random.choice(_AROUND)
    return before + text + behind


def _cased(random: Random, word: str) -> str:
    return random.choice((word, word.lower(), word.upper(), word.title()))
