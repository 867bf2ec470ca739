"""What the cells of a row state: values with their types, times, count, confidence and texts."""

import re
from collections.abc import Iterator, Mapping
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


def template_of(cells: Mapping[str, str], marked: Marked, defaults: Defaults) -> Observation | str:
    """An observation with all but type and value, or why the row cannot be read."""
    times = {}
    for role in ("first_seen", "last_seen", "valid_until"):
        text = cells.get(role, "")
        moment = list_moment(text, defaults, is_end=role == "valid_until")
        if moment is None:
            if defaults.date_format:
                return f"{text[:40]!r} is not a time of the form {defaults.date_format}"
            return f"{text[:40]!r} is not an ISO 8601 time: {advice_on_time(text[:40])}"
        times[role] = moment
    count = whole_number(cells.get("count", ""), 1)
    confidence = _confidence(cells.get("confidence", ""), defaults.confidence)
    if count is None or confidence is None:
        role = "count" if count is None else "confidence"
        return f"{cells[role][:40]!r} in the column {role} is not a {role}"
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


def list_moment(text: str, defaults: Defaults, *, is_end: bool) -> int | None:
    """The moment of a cell, 0 of an empty one; ``None`` if it cannot be read. A value without an end never ends."""
    silent = _NO_END if is_end else PLACEHOLDERS
    return 0 if text.lower() in silent else list_milliseconds(text, defaults.date_format, defaults.time_zone)


def _context(cells: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    facts = tuple((role, cells[role]) for role in ("reporter", "reference") if cells.get(role))
    tearline = cells.get(TEARLINE, "")
    return facts if tearline.lower() in PLACEHOLDERS else (*facts, (TEARLINE, tearline))


def whole_number(cell: str, absent: int) -> int | None:
    """The number of a cell, or ``absent`` of an empty one; ``None`` if it is no number."""
    if cell.lower() in PLACEHOLDERS:
        return absent
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MAX_DIGITS else None


def _confidence(cell: str, absent: int) -> int | None:
    stated = _CONFIDENCE_WORDS.get(cell.lower().replace("-", " "))
    fraction = _FRACTION.fullmatch(cell)
    if fraction is not None and 0 < int(fraction[2]) >= int(fraction[1]):
        return int(fraction[1]) * 100 // int(fraction[2])
    return whole_number(cell.removesuffix("%").removesuffix(".0"), absent) if stated is None else stated
