"""What the columns of a CSV list mean: by the names in its header, else by what stands in them.

Names are compared without case, blanks and punctuation; English and Japanese ones are known. A list without a
header is read if it has the shape of a known feed or if a column holds nothing but indicators; otherwise the
operator names the columns.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from producers.readers.times import milliseconds
from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

_IP = IndicatorType.IPV4_ADDR  # of the four types of address and network: normalising tells them by the value

KIND_BY_WORD: Final[dict[str, IndicatorType]] = {
    **dict.fromkeys(("ip", "ipv4", "ipv6", "ipaddr", "ipaddress", "ipdst", "ipsrc", "cidr", "ipアドレス"), _IP),
    **dict.fromkeys(("domain", "domainname", "hostname", "fqdn", "ドメイン", "ドメイン名"), IndicatorType.DOMAIN_NAME),
    **dict.fromkeys(("url", "uri", "urls"), IndicatorType.URL),
    **dict.fromkeys(("md5", "md5hash", "filehashmd5"), IndicatorType.FILE_MD5),
    **dict.fromkeys(("sha1", "sha1hash", "filehashsha1"), IndicatorType.FILE_SHA1),
    **dict.fromkeys(("sha256", "sha256hash", "filehashsha256"), IndicatorType.FILE_SHA256),
    **dict.fromkeys(("sha512", "sha512hash", "filehashsha512"), IndicatorType.FILE_SHA512),
    **dict.fromkeys(("email", "emailaddr", "emailaddress", "メールアドレス"), IndicatorType.EMAIL_ADDR),
    **dict.fromkeys(("asn", "as", "asnumber"), IndicatorType.AUTONOMOUS_SYSTEM),
    **dict.fromkeys(("ja3", "ja3hash", "ja3fingerprint"), IndicatorType.JA3),
    **dict.fromkeys(("ja4", "ja4fingerprint"), IndicatorType.JA4),
    **dict.fromkeys(("filename", "filepath", "ファイル名"), IndicatorType.FILE_NAME),
}
"""The types that a column's name or a cell of a type column can state."""

OPEN_WORDS: Final = frozenset(
    {"file", "hash", "filehash", "indicator", "ioc", "c2", "c2server", "c2domain", "c2host", "ハッシュ", "ハッシュ値"}
)
"""Words that say too little: the type follows from the value, and a cell may hold several values."""

# In order of preference, where two columns have names of one role.
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "value": ("indicatorvalue", "iocvalue", "indicator", "ioc", "observable", "value", "値", "指標", "インジケータ"),
    "kind": ("indicatortype", "ioctype", "entitytype", "valuetype", "type", "kind", "種別", "種類"),
    "first_seen": (
        *("firstseen", "firstseenutc", "date", "datetime", "dateadded", "timestamp", "timegenerated", "created"),
        *("日時", "検知日時", "日付"),
    ),
    "last_seen": ("lastseen", "lastseenutc", "lastonline", "updated", "最終検知日時"),
    "valid_until": ("validuntil", "expirationdatetime", "expiration", "expires", "expiry", "有効期限"),
    "count": ("count", "sightings", "hits", "件数"),
    "confidence": ("confidence", "confidencescore", "信頼度"),
    "tlp": ("tlp", "trafficlightprotocollevel", "trafficlightprotocol", "tlpmarking", "marking"),
    "pap": ("pap",),
    "releasable_to": ("releasableto", "releasability"),
    "caveats": ("caveats", "caveat", "handling", "取扱制限", "取扱い制限"),
    "tags": ("tags", "tag", "labels", "label", "タグ", "分類"),
    "description": ("description", "notes", "note", "comment", "comments", "備考", "説明"),
    "tearline": ("tearline", "公開要旨"),
    "reporter": ("user", "reporter", "reportedby", "報告者"),
    "reference": ("link", "reference", "references", "source", "出典"),
    "active": ("active", "isactive"),
}
_TYPED_FEED: Final = ("date", "user", "type", "value", "tags", "link")
_KIND_COLUMN: Final = _TYPED_FEED.index("type")


class Columns(msgspec.Struct, frozen=True):
    """Where each role stands. ``indicators`` are (place, type or ``None``) of each column of indicators."""

    indicators: tuple[tuple[int, IndicatorType | None], ...]
    roles: dict[str, int]


@lru_cache(65_536)
def folded(name: str) -> str:
    """A name without case, blanks and punctuation: ``IoC_Type`` is ``ioctype``."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def columns_of(names: Sequence[str]) -> Columns | None:
    """The columns by their names; ``None`` where none of them holds indicators."""
    words = [folded(name) for name in names]
    roles = {
        role: words.index(found)
        for role, known in _ROLES.items()
        if (found := next((word for word in known if word in words), None)) is not None
    }
    indicators: list[tuple[int, IndicatorType | None]] = [
        (place, KIND_BY_WORD.get(word))
        for place, word in enumerate(words)
        if word in KIND_BY_WORD or word in OPEN_WORDS
    ]
    if "value" in roles:
        indicators = [(roles["value"], None)]
    return Columns(tuple(indicators), roles) if indicators else None


def has_header(names: Sequence[str]) -> bool:
    """Whether a first row names columns: a name of an indicator column is among them, and no indicator."""
    return columns_of(names) is not None and not any(detect(name) for name in names)


def guessed_names(sample: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names for the columns of rows without a header; an empty name for a column that says nothing to us."""
    width = max(map(len, sample), default=0)
    if width == len(_TYPED_FEED) and _mostly(sample, _KIND_COLUMN, lambda cell: folded(cell) in KIND_BY_WORD):
        return _TYPED_FEED
    names = []
    for place in range(width):
        if _mostly(sample, place, lambda cell: detect(cell) is not None):
            names.append("c2")
        elif "date" not in names and _mostly(sample, place, lambda cell: milliseconds(cell) is not None):
            names.append("date")
        else:
            names.append("")
    return tuple(names)


def _mostly(sample: Sequence[Sequence[str]], place: int, holds: Callable[[str], bool]) -> bool:
    """Whether it holds for nine of ten cells of a column that are filled, and for one at least."""
    cells = [row[place] for row in sample if len(row) > place and row[place]]
    return bool(cells) and sum(map(holds, cells)) * 10 >= len(cells) * 9
