"""What the cells of a row state: values with their types, times, count, confidence and texts."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Final

from producers.markings.marked import Marked
from producers.readers.csv_row_marking import several
from producers.readers.list_times import list_milliseconds
from producers.readers.reading import Defaults
from producers.readers.time_forms import advice_on_time
from producers.readers.type_words import ANY, Types, is_type_word, parts_of, type_of
from schemas.normalise import detect
from schemas.observation import Observation
from schemas.tearline import TEARLINE
from schemas.vocabulary import IndicatorType

PLACEHOLDERS: Final = frozenset({"", "-", "--", "n/a", "na", "none", "null", "unknown", "なし", "不明"})
_NO_END: Final = PLACEHOLDERS | {"never", "無期限"}
# STIX 2.1, appendix A: None / Low / Med / High, and the words of its other scales.
_CONFIDENCE_WORDS: Final = {
    **{"none": 0, "very low": 5, "low": 15, "medium": 50, "med": 50, "moderate": 50, "high": 85, "very high": 95},
    **{"unlikely": 20, "possible": 50, "likely": 70, "confirmed": 95, "certain": 95},
    **{"低": 15, "低い": 15, "中": 50, "高": 85, "高い": 85},
}
_MAX_DIGITS: Final = 18
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:([,.' ])\d{3})(?:\1\d{3})*")
_BETWEEN_THOUSANDS: Final = re.compile(r"\D")
_DECIMAL: Final = re.compile(r"([0-9]{1,3})[.,]([0-9]{1,9})")
_FORMS: Final = {
    "count": "write a whole number",
    "confidence": "write 0 to 100, a share as 0.85 or 4/5, or a word such as high",
}
_FRACTION: Final = re.compile(r"([0-9]{1,3}) ?(?:/|of|out of) ?([0-9]{1,3})")


def values_of(cell: str, column: str, stated: str) -> Iterator[tuple[str, IndicatorType | str]]:
    """The values of a cell, each with its type or why it has none.

    ``column`` is the word of the column's name, ``stated`` that of the row's type column; both may be empty.
    """
    word = column or stated
    if word and not is_type_word(word):
        yield cell, f"the exchange carries no indicators of the type {word!r}"
        return
    for value, types in parts_of(word, cell) if word else ((cell, ANY),):
        for part in _divided(value, types):
            yield part, type_of(part, types)


def _divided(value: str, types: Types) -> tuple[str, ...]:
    """A cell whose type follows from its value may hold several of them."""
    return (value,) if len(types) == 1 or detect(value) is not None else several(value)


def template_of(
    cells: Mapping[str, str], zones: Mapping[str, tzinfo], marked: Marked, defaults: Defaults
) -> Observation | str:
    """An observation with all but type and value, or why the row cannot be read. ``zones`` are those of columns."""
    times = {}
    for role in ("first_seen", "last_seen", "valid_until"):
        text = cells.get(role, "")
        moment = list_moment(text, defaults, zones.get(role, defaults.time_zone), is_end=role == "valid_until")
        if moment is None:
            if defaults.date_format:
                return f"{text[:40]!r} is not a time of the form {defaults.date_format}"
            return f"{text[:40]!r} is not an ISO 8601 time: {advice_on_time(text[:40])}"
        times[role] = moment
    count = whole_number(cells.get("count", ""), 1)
    confidence = _confidence(cells.get("confidence", ""), defaults.confidence)
    if count is None or confidence is None:
        role = "count" if count is None else "confidence"
        return f"{cells[role][:40]!r} in the column {role} is not a {role}: {_FORMS[role]}"
    if marked.confidence is not None:
        confidence = marked.confidence if confidence < 0 else min(confidence, marked.confidence)
    return Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value="",
        first_seen_ms=times["first_seen"],
        last_seen_ms=times["last_seen"] or times["first_seen"],
        count=count,
        confidence=confidence,
        valid_until_ms=times["valid_until"],
        marking=marked.with_default(defaults.marking).marking,
        labels=tuple(dict.fromkeys((*marked.labels, *defaults.labels))),
        description=cells.get("description", ""),
        context=_context(cells),
    )


def list_moment(text: str, defaults: Defaults, zone: tzinfo, *, is_end: bool) -> int | None:
    """The moment of a cell, 0 of an empty one; ``None`` if it cannot be read. A value without an end never ends."""
    silent = _NO_END if is_end else PLACEHOLDERS
    return 0 if text.lower() in silent else list_milliseconds(text, defaults.date_format, zone)


def _context(cells: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    facts = tuple((role, cells[role]) for role in ("reporter", "reference") if cells.get(role))
    tearline = cells.get(TEARLINE, "")
    return facts if tearline.lower() in PLACEHOLDERS else (*facts, (TEARLINE, tearline))


def whole_number(cell: str, absent: int) -> int | None:
    """The number of a cell, or ``absent`` of an empty one; ``None`` if it is no number.

    A whole number may be written with its thousands apart (``1,234``, ``1.234``, ``1 234``), and with ``.0`` behind it.
    """
    if len(cell) > _MAX_DIGITS * 2:
        return None
    if not (cell.isascii() and cell.isdigit()):
        if cell.lower() in PLACEHOLDERS:
            return absent
        cell = unicodedata.normalize("NFKC", cell).removesuffix(".0")
        cell = _BETWEEN_THOUSANDS.sub("", cell) if _THOUSANDS.fullmatch(cell) else cell
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MAX_DIGITS else None


def _confidence(cell: str, absent: int) -> int | None:
    """A confidence of 0 to 100, also in per cent; a decimal below 1 is a share of 1. ``1.0`` may be either."""
    stated = _CONFIDENCE_WORDS.get(cell.lower().replace("-", " "))
    if stated is not None:
        return stated
    fraction = _FRACTION.fullmatch(cell)
    if fraction is not None and 0 < int(fraction[2]) >= int(fraction[1]):
        return int(fraction[1]) * 100 // int(fraction[2])
    number = unicodedata.normalize("NFKC", cell[: _MAX_DIGITS + 1])
    is_percent, number = number.endswith("%"), number.removesuffix("%").rstrip()
    decimal = _DECIMAL.fullmatch(number)
    if decimal is None:
        return whole_number(number, absent)
    if is_percent or int(decimal[1]) > 1:
        return int(decimal[1])
    return int(decimal[2].ljust(2, "0")[:2]) if int(decimal[1]) == 0 else None
