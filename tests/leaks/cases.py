"""Made-up indicators, random and adversarial, in the words that sources would use. Seeded, and plain data only.

It knows nothing of how the project reads a marking: the oracle, which reads these same words, must not either.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

NOW_MS: Final = 1_795_392_000_000  # 2026-11-23T00:00:00Z
DAY_MS: Final = 24 * 60 * 60 * 1000
CANARY: Final = "canary"  # in everything of a source that has no place in a release

_OPEN: Final = (
    "TLP:CLEAR", "TLP:WHITE", "tlp:white", "TLP:GREEN", "tlp:green", "ｔｌｐ：green", " TLP: Green ", "GREEN",
)  # fmt: skip
_NAMED: Final = (
    "TLP:AMBER",
    "tlp:amber",
    "ＴＬＰ：ＡＭＢＥＲ",
    "TLP:AMBER+STRICT",
    "tlp:amber strict",
    "Amber + Strict",
)
_CLOSED: Final = ("TLP:RED", "tlp:red", "ＴＬＰ：ＲＥＤ", "Red", " TLP:RED\t")
_WRONG: Final = (
    "", " ", "TLP:PURPLE", "TLP:赤", "緑", "TLP:GREEN TLP:RED", "TLP:CLEAR,TLP:RED", "TLP:GR EEN", "TLP:EX:CHR",
    "TLP:GREEN\u200b", "TLP:CLEAR\x00", "TLP:АMBER", "PAP:GREEN", "TLP:", "TLP:AMBER+", "TLP:NOT RED", "0", "null",
)  # fmt: skip
_PAPS: Final = ("", "", "", "PAP:CLEAR", "pap:white", "PAP:GREEN", "pap:amber", "ＰＡＰ：ＧＲＥＥＮ")
_BAD_PAPS: Final = ("PAP:RED", "pap:red", "ＰＡＰ：ＲＥＤ", "PAP:PURPLE", "TLP:GREEN", "PAP:赤")
_CAVEATS: Final = (
    "UK EYES ONLY", "uk eyes only", "ＵＫ ＥＹＥＳ ＯＮＬＹ", "UKEO", "UK EYES-ONLY", "JAPAN EYES ONLY",
    "Japan Eyes Only", "転送禁止", "配付禁止", "複製禁止", "関係者限り", "機密性3情報", "機密性３情報",
    "OFFICIAL-SENSITIVE", "official sensitive", "PERSONAL DATA", "UK EYES 0NLY", "EYES OF THE BEHOLDER",
    "英国限り", "NOFORN", "U K EYES ONLY",
    "REL TO JPN", "EMBARGO", "embargoed", "ＥＭＢＡＲＧＯ", "INCIDENT", "Incident",
    "benign", "Draft", "FOREIGN HANDLING",
)  # fmt: skip
_NATIONS: Final = (
    ("JPN",), ("GBR", "JPN"), ("JPN", "USA"), ("jpn",), ("ＪＰＮ",), ("USA",), ("FRA", "USA"), ("GBR",), (),
    ("JP",), ("Japan",), ("JPN", ""), ("日本",), ("JPNX",), (" jpn ",),
)  # fmt: skip
_CONFIDENCES: Final = (-1, -1, 0, 1, 29, 30, 50, 69, 70, 100)
_LIST_WORDS: Final = ("phishing", "botnet", "c2", "scanner")

VALUES: Final = (
    ("ipv4-addr", "192.0.2.7"), ("ipv6-addr", "2001:db8::7"), ("ipv4-net", "198.51.100.0/24"),
    ("ipv6-net", "2001:db8:7::/48"), ("domain-name", "c2.example.com"), ("url", "http://c2.example.com/x"),
    ("file-md5", "0" * 31 + "a"), ("file-sha1", "0" * 39 + "b"), ("file-sha256", "0" * 63 + "c"),
    ("file-sha512", "0" * 127 + "d"), ("email-addr", "bait@example.com"), ("autonomous-system", "AS64496"),
    ("ja3", "0" * 31 + "e"), ("ipv4-net", "198.0.0.0/8"), ("ipv4-net", "203.0.0.0/9"), ("ipv4-net", "198.50.0.0/15"),
    ("ipv4-net", "203.0.0.0/16"), ("ipv6-net", "2000::/12"), ("ipv6-net", "2001:d80::/25"),
    ("ipv6-net", "2001:db8::/32"), ("x509-sha1", "0" * 39 + "f"), ("mutex", "Global\\made-up"),
    ("user-agent", "made-up/1.0"), ("registry-key", "HKEY_LOCAL_MACHINE\\software\\made-up"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """What one report of one source states, in the source's own words. A later ``sequence`` is a later report."""

    source: int
    sequence: int
    tlp: str
    pap: str
    releasable_to: tuple[str, ...] | None
    caveats: tuple[str, ...]
    confidence: int
    count: int
    first_seen_ms: int
    last_seen_ms: int
    valid_until_ms: int
    labels: tuple[str, ...]
    tearline: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One indicator, and the nation that it might go to."""

    kind: str
    value: str
    well_known: bool
    special_use: bool
    partner: str
    claims: tuple[Claim, ...]


def a_case(random: Random) -> Case:
    """One indicator of one to four sources, some of which have changed their mind."""
    kind, value = VALUES[int(random.random() * len(VALUES))]
    hostile = random.random()
    claims: list[Claim] = []
    for source in range(1 + int(random.random() ** 2 * 4)):
        words = 2 if random.random() < 0.15 else 1
        claims += [_claim(random, source, sequence, len(claims) + sequence, hostile) for sequence in range(words)]
    random.shuffle(claims)
    partner = "JPN" if random.random() < 0.97 else random.choice(("USA", "jpn", "", "OTHER"))
    return Case(kind, value, random.random() < 0.04, random.random() < 0.04, partner, tuple(claims))


def _claim(random: Random, source: int, sequence: int, bit: int, hostile: float) -> Claim:
    """Counts are distinct powers of two: a sum of them states whose they were."""
    pick = random.random()
    if pick < 0.5:
        tlp, nations = random.choice(_OPEN), None if random.random() < 0.7 else random.choice(_NATIONS)
    elif pick < 0.75:
        tlp, nations = random.choice(_NAMED), None if random.random() < 0.1 else random.choice(_NATIONS)
    else:
        tlp = random.choice(_CLOSED) if pick < 0.87 else random.choice(_WRONG)
        nations = None if random.random() < 0.5 else random.choice(_NATIONS)
    if hostile > 0.9:
        tlp = _mangled(random, tlp)
    caveats: tuple[str, ...] = ()
    if random.random() < 0.15:
        caveats = tuple(random.choice(_CAVEATS) for _ in range(1 + int(random.random() * 2)))
        if hostile > 0.9:
            caveats = (*caveats[1:], _mangled(random, caveats[0]))
    first = NOW_MS - (1 + bit) * 37 * 60_000 - int(random.random() * 5 * DAY_MS)
    return Claim(
        source=source,
        sequence=sequence,
        tlp=tlp,
        pap=random.choice(_PAPS) if random.random() < 0.93 else random.choice(_BAD_PAPS),
        releasable_to=nations,
        caveats=caveats,
        confidence=random.choice(_CONFIDENCES),
        count=1 << bit,
        first_seen_ms=first,
        last_seen_ms=first + int(random.random() * (NOW_MS - first)),
        valid_until_ms=0 if random.random() < 0.7 else NOW_MS + (bit + 1) * DAY_MS,
        labels=(f"{CANARY} of-{source}-{sequence}", random.choice(_LIST_WORDS)),
        tearline=_tearline(random, source, sequence) if random.random() < 0.3 else "",
    )


def _tearline(random: Random, source: int, sequence: int) -> str:
    """What a source wrote for release: it states whose it is, now and then over two lines or at such a length that not
    all have room."""
    text = f"written by {source}-{sequence} for release"
    pick = random.random()
    if pick < 0.2:
        return f"{text}\nand a line more\u3000公開"
    if pick < 0.4:
        return f"{text} " + "長" * (200 + int(random.random() * 124))
    return "written by many for release" if pick < 0.5 else text


def _mangled(random: Random, word: str) -> str:
    """The word with a character left out, doubled, or another in its place."""
    if not word:
        return random.choice(("\u3000", "\n", "?"))
    place = int(random.random() * len(word))
    middle = random.choice(("", word[place] * 2, "\u200b", "Ａ", " ", word[place].lower()))
    return word[:place] + middle + word[place + 1 :]
