"""What the columns of a CSV list mean, by their names.

Names are compared without case, blanks and punctuation; English and Japanese ones are known. A column whose name is not
known is not searched for indicators; a restriction in it counts nevertheless. A column whose name is about sharing is a
column of markings, in whatever words, and all columns of markings join.

A mapping states the field of columns with other names. It decides which columns hold indicators; all other columns are
still understood by their names, and one whose name is about sharing stays a column of markings.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final

import msgspec

from producers.markings.properties import is_about_sharing
from producers.readers.csv_status import is_status
from producers.readers.type_words import DESTINATION_ADDRESS, SOURCE_ADDRESS, TYPES, folded
from schemas.vocabulary import IndicatorType

# In order of preference, if two columns have names of one role.
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "value": ("indicatorvalue", "iocvalue", "indicator", "ioc", "observable", "value", "値", "指標", "インジケータ"),
    "kind": ("indicatortype", "ioctype", "entitytype", "valuetype", "type", "kind", "種別", "種類"),
    "first_seen": (
        *("firstseen", "date", "datetime", "dateadded", "timestamp", "timegenerated", "created"),
        "listingdate",
        *(
            "日時",
            "検知日時",
            "日付",
            "初回観測日時",
            "初回観測日",
            "初回検知日時",
            "初回検知日",
            "検知日",
            "観測日時",
            "観測日",
        ),
        *("登録日時", "登録日"),
    ),
    "last_seen": (
        *("lastseen", "lastonline", "updated", "最終検知日時", "最終検知日", "最終観測日時", "最終観測日"),
        *("更新日時", "更新日", "最終更新日時", "最終更新日"),
    ),
    "valid_until": (
        *("validuntil", "validto", "validthrough", "expirationdatetime", "expirationdate", "expirationtime"),
        *(
            "expiration",
            "expires",
            "expiry",
            "expirydate",
            "expiresat",
            "expireson",
            "expiredate",
            "expireat",
            "expire",
        ),
        *("有効期限", "失効日", "失効日時", "満了日", "gültigbis", "ablaufdatum", "dateexpiration", "datedexpiration"),
        *("expirele", "valablejusquau", "fechadeexpiración", "fechadecaducidad", "válidohasta", "scadenza"),
    ),
    "count": ("count", "sightings", "hits", "件数"),
    "confidence": ("confidence", "confidencescore", "confidencelevel", "certainty", "信頼度", "確度", "確信度"),
    "description": ("description", "notes", "note", "comment", "comments", "metadesc", "listingreason", "備考", "説明"),
    "tearline": ("tearline", "公開要旨"),
    "reporter": ("user", "reporter", "reportedby", "報告者"),
    "reference": ("link", "reference", "references", "source", "metasource", "metaurl", "urlhauslink", "出典"),
    "to_ids": ("toids",),
    "prefix": ("netmask", "subnetmask", "mask", "prefixlength", "prefixlen", "prefix", "サブネットマスク"),
    "uuid": ("uuid",),
}
_TIME_ROLES: Final = ("first_seen", "last_seen", "valid_until")
# By which the name of a column of times states their zone: ``first_seen_utc``, 検知日時（JST）.
_ZONES: Final[Mapping[str, tzinfo]] = {
    **{"utc": UTC, "gmt": UTC, "協定世界時": UTC},
    **dict.fromkeys(("jst", "日本時間", "日本標準時"), timezone(timedelta(hours=9))),
}
_ZONE: Final = re.compile(f"(.+?)({'|'.join(_ZONES)})")
_TAGS: Final = frozenset({"tags", "tag", "labels", "label", "タグ", "分類", "classification"})
_RECIPIENTS: Final = frozenset({"releasableto", "releasability", "relto", "sharewith", "recipients", "提供先"})
_MARKINGS: Final = frozenset({"tlp", "pap", "marking", "caveats", "caveat", "handling", "取扱制限", "取扱い制限"})
_SEVERITY: Final = ("sever", "threat", "risk", "prior", "critic", "level", "深刻", "危険", "重要度")


_PROPERTIES: Final = frozenset(
    {IndicatorType.USER_AGENT, IndicatorType.MUTEX, IndicatorType.REGISTRY_KEY, IndicatorType.IMPHASH}
)
# abuse.ch's SSLBL is a list of certificates, which names its columns Listingdate, SHA1 and Listingreason.
_SSLBL: Final = frozenset({"listingdate", "sha1", "listingreason"})
_MARKING_FIELDS: Final = ("tlp", "marking", "releasable_to")
FIELDS: Final = (
    *("value", "type", "first_seen", "last_seen", "valid_until", "count", "confidence", "description", "tearline"),
    *("reporter", "reference", "prefix", "tags", "status", *_MARKING_FIELDS, "ignore"),
    *(kind.label for kind in IndicatorType),
)
"""What a mapping may make of a column: ``value`` with a ``type``, or values of a stated type. In an ignored column
a restriction counts nevertheless."""
REPEATED_FIELDS: Final = frozenset(
    ("value", "tags", "status", "ignore", *_MARKING_FIELDS, *FIELDS[-len(IndicatorType) :])
)
"""Those that several columns may have."""
_ROLE_OF_FIELD: Final = {"type": "kind"}
_NO_MAPPING: Final[Mapping[str, str]] = {}


class Columns(msgspec.Struct, frozen=True):
    """The positions of each role, from 0. A position of ``markings`` has the column's name as it was written.

    ``indicators`` are the columns of indicators with the word for their type; it is empty if a type column or the value
    decides. ``zones`` are those that the names of columns of times state. ``statuses`` are the columns that may end a
    row's assertion, ``unknown`` those whose name is not known.
    """

    width: int
    indicators: tuple[tuple[int, str], ...]
    roles: dict[str, int]
    markings: tuple[tuple[int, str], ...]
    recipients: tuple[tuple[int, str], ...]
    tags: tuple[int, ...]
    statuses: tuple[tuple[int, str], ...]
    unknown: tuple[tuple[int, str], ...]
    zones: dict[str, tzinfo] = {}

    @property
    def marking_positions(self) -> frozenset[int]:
        """All columns that state how far a row may travel."""
        return frozenset((*(place for place, _ in (*self.markings, *self.recipients)), *self.tags))


def may_be_mapped(name: str, field: str) -> bool:
    """Whether a column may have this field: a column about sharing stays a marking."""
    return field in _MARKING_FIELDS or not _is_marking(name)


def _is_marking(name: str) -> bool:
    return folded(name) in _MARKINGS | _RECIPIENTS or is_about_sharing(name)


def columns_of(names: Sequence[str], mapping: Mapping[str, str] = _NO_MAPPING) -> Columns | None:
    """The columns by their names, or by the fields that ``mapping`` has for them; ``None`` if none of them holds
    indicators."""
    stated = {folded(column): field for column, field in mapping.items() if may_be_mapped(column, field)}
    fields = [stated.get(folded(name)) for name in names]
    words = [folded(name) if field is None else _word_of(field) for name, field in zip(names, fields, strict=True)]
    if any(field is not None and _holds_indicators(word) for field, word in zip(fields, words, strict=True)):
        words = [
            "" if field is None and _holds_indicators(word) else word for field, word in zip(fields, words, strict=True)
        ]
    if set(words) >= _SSLBL and not mapping:
        words[words.index("sha1")] = folded(IndicatorType.X509_SHA1.label)
    undated = [_ZONE.sub(r"\1", word) if _ZONE.fullmatch(word) else word for word in words]
    roles = {
        role: among.index(found)
        for role, known in _ROLES.items()
        for among in (undated if role in _TIME_ROLES else words,)
        if (found := next((word for word in known if word in among), None)) is not None
    }
    roles |= {
        role: place
        for place, field in reversed(list(enumerate(fields)))
        if field is not None and (role := _ROLE_OF_FIELD.get(field, field)) in _ROLES
    }
    values = [place for place, word in enumerate(words) if word in _ROLES["value"]]
    if "value" in roles:
        indicators = tuple((place, "") for place in values)
    else:
        typed = tuple((place, word) for place, word in enumerate(words) if word in TYPES)
        # Beside a hash or an address it describes that one, as a file name does; a mapping may ask for it.
        indicators = tuple(each for each in typed if fields[each[0]] or not is_property(each[1])) or typed
    if not indicators or _has_both_sides(words):
        return None
    taken = {place for place, _ in indicators} | set(roles.values())
    free = [(place, names[place], word) for place, word in enumerate(words) if place not in taken]
    recipients = tuple((place, name) for place, name, word in free if word in _RECIPIENTS)
    tags = tuple(place for place, _, word in free if word in _TAGS or (word.endswith(("tag", "tags")) and word))
    named = {place for place, _ in recipients} | set(tags)
    markings = tuple(
        (place, name)
        for place, name, word in free
        if place not in named and (word in _MARKINGS or is_about_sharing(name))
    )
    named |= {place for place, _ in markings}
    statuses = tuple(
        (place, "status" if fields[place] else name)
        for place, name, word in free
        if place not in named and (word == "status" if fields[place] else is_status(name))
    )
    known = named | {place for place, _ in statuses}
    unknown = tuple((place, name) for place, name, _ in free if place not in known)
    stated_zones: dict[str, re.Match[str] | None] = {
        role: _ZONE.fullmatch(folded(names[roles[role]])) for role in _TIME_ROLES if role in roles
    }
    zones = {role: _ZONES[zone[2]] for role, zone in stated_zones.items() if zone is not None}
    return Columns(len(names), indicators, roles, markings, recipients, tags, statuses, unknown, zones)


def _word_of(field: str) -> str:
    return "" if field == "ignore" else folded(field)


def _holds_indicators(word: str) -> bool:
    return word in TYPES or word in _ROLES["value"]


def _has_both_sides(words: Sequence[str]) -> bool:
    """Whether the list has addresses of both sides of a flow: no one can tell which one is the threat."""
    return bool(SOURCE_ADDRESS & set(words)) and bool(DESTINATION_ADDRESS & set(words))


def is_severity(name: str) -> bool:
    """Whether a column may use the colours of TLP for something else."""
    return any(stem in folded(name) for stem in _SEVERITY)


def is_property(word: str) -> bool:
    """Whether a column holds what many files, programs or hosts have."""
    types = TYPES.get(word, ())
    return bool(types) and _PROPERTIES.issuperset(types)


def is_file_name(word: str) -> bool:
    """Whether a column of indicators holds file names."""
    return TYPES.get(word) == (IndicatorType.FILE_NAME,)
