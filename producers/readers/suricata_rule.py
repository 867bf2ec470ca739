"""What the rule of a Suricata alert states: a marking, labels, a confidence.

The alerts of a sensor are of few rules, and the object ``alert`` of a rule is the same in each of them: what follows
from its bytes is remembered.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import Any, Final, TypeVar

import msgspec

from producers.markings.marked import NOTHING, Marked, joined
from producers.markings.properties import is_about_sharing, of_properties, restricting, scheme_of
from producers.markings.understanding import of_field, of_prose
from producers.readers.document import plain
from producers.readers.suricata_record import Rule

_CONFIDENCE: Final = {"low": 15, "medium": 50, "high": 85}  # STIX 2.1, appendix A
_LABELS: Final = ("malware_family", "mitre_technique_id")
_REMEMBERED: Final = 512
LONGEST_REMEMBERED: Final = 4_096
"""Bytes of a record or of a part of it that is remembered: longer ones would fill the memory."""
FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RULE: Final = msgspec.json.Decoder(Rule, strict=False)

_Answer = TypeVar("_Answer")


class Statement(msgspec.Struct, frozen=True):
    """What a rule states. A confidence of ``None`` is not stated."""

    marked: Marked
    labels: tuple[str, ...]
    confidence: int | None


def statement_of(rule: Rule) -> Statement:
    """What a rule states in its message and its metadata."""
    metadata = rule.metadata or {}
    labels = tuple(word for key in _LABELS for word in _words(metadata.get(key)))
    confidence = next((_CONFIDENCE.get(word.lower()) for word in _words(metadata.get("confidence"))), None)
    return Statement(joined(_markings(rule)), labels, confidence)


def _remembered(function: Callable[[bytes], _Answer]) -> Callable[[bytes], _Answer]:
    kept = lru_cache(_REMEMBERED)(function)

    @wraps(function)
    def answer(rule: bytes) -> _Answer:
        return (kept if len(rule) <= LONGEST_REMEMBERED else function)(rule)

    return answer


@_remembered
def stated_in(rule: bytes) -> Statement:
    """The same of the object ``alert``. Raises msgspec.DecodeError."""
    return statement_of(_RULE.decode(rule))


@_remembered
def beside_rule(rule: bytes) -> Marked:
    """What a collector has written about sharing in the object ``alert``. Raises msgspec.DecodeError."""
    return of_fields(FIELDS.decode(rule), "rule")


def of_fields(fields: dict[str, msgspec.Raw], where: str) -> Marked:
    """What a collector has written about sharing beside Suricata's own fields: ``"tags": ["tlp:red"]``."""
    is_short = sum(map(len, fields)) <= LONGEST_REMEMBERED
    names = (restricting if is_short else restricting.__wrapped__)(tuple(fields))
    return of_properties({name: plain(fields[name]) for name in names}, (), where) if names else NOTHING


def _markings(rule: Rule) -> Iterator[Marked]:
    """What the rule states about sharing: in its metadata (``tlp amber``), or in its message."""
    yield of_prose(rule.signature or "", "signature")
    for name, cell in (rule.metadata or {}).items():
        if is_about_sharing(name):
            scheme = scheme_of(name)
            for word in _words(cell):
                yield of_field(f"{scheme}:{word}" if scheme else word, f"rule metadata {name!r}")


def _words(cell: Any) -> list[str]:
    """A rule's metadata are lists of words; a collector may write one without a list. Underscores, for blanks, stay."""
    words = cell if isinstance(cell, list) else [cell]
    return [word if isinstance(word, str) else str(word) for word in words if word is not None]
