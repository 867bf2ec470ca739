"""Times in lists: those of ``times``, and other forms that can mean one moment only."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

from producers.readers.times import milliseconds

_LONGEST_TIME: Final = 128
_EPOCH_SECONDS: Final = re.compile(r"(\d{10})(?:\.(\d{1,9}))?")
_EPOCH_MILLISECONDS: Final = re.compile(r"\d{13}")
# The year first, so that no month can be a day (2026/11/5, 2026年11月5日); then a time of day, if there is one.
_YEAR_FIRST: Final = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})\.?|年(\d{1,2})月(\d{1,2})日)(.*)", re.DOTALL)
# Eras of Japan, by the year before their first: 令和8年11月20日, R8.11.20 is not read.
_ERAS: Final = {"令和": 2018, "平成": 1988}
_OF_ERA: Final = re.compile(r"(令和|平成)(\d{1,2}|元)(?=年\d{1,2}月\d{1,2}日)")
_TIME_OF_DAY: Final = re.compile(r"[Tt, ]\s*(\d{1,2}):(\d\d)(?::(\d\d))?((?:[.,]\d{1,9})?)\s*(.*)", re.DOTALL)
_TIME_IN_JAPANESE: Final = re.compile(r"\s*(\d{1,2})時(?:(\d{1,2})分)?(?:(\d{1,2})秒)?\s*(.*)", re.DOTALL)
_ZONES: Final = {"UTC": UTC, "GMT": UTC, "JST": timezone(timedelta(hours=9))}
_ZONE: Final = re.compile(r"(.+\d) ?(UTC|GMT|JST)", re.IGNORECASE)


def list_milliseconds(text: str, date_format: str = "", zone: tzinfo = UTC) -> int | None:
    """The moment that a cell names, in milliseconds since 1970, UTC; ``None`` if it names none.

    With ``date_format`` nothing else is read. Without: ISO 8601, seconds (10 digits) and milliseconds (13 digits) since
    1970, RFC 5322, dates with the year first, and those of Japan's present eras; the zones UTC, GMT and JST by name. A
    time without one is in ``zone``.
    """
    text = text.strip()
    if len(text) > _LONGEST_TIME:
        return None
    if date_format:
        return milliseconds(text, date_format, zone)
    seconds = _EPOCH_SECONDS.fullmatch(text)
    if seconds is not None:
        return int(seconds[1]) * 1000 + int((seconds[2] or "0").ljust(3, "0")[:3])
    if _EPOCH_MILLISECONDS.fullmatch(text):
        return int(text)
    text = unicodedata.normalize("NFKC", text)
    text = _with_all_digits(_OF_ERA.sub(_in_our_calendar, text))
    named = _ZONE.fullmatch(text)
    if named is not None and "," not in text:
        return milliseconds(named[1], zone=_ZONES[named[2].upper()])
    found = milliseconds(text, zone=zone)
    return _of_mail(text) if found is None else found


def _in_our_calendar(found: re.Match[str]) -> str:
    return str(_ERAS[found[1]] + (1 if found[2] == "元" else int(found[2])))


def _with_all_digits(text: str) -> str:
    """A date with the year first, and a time of day, as ISO 8601 writes them: ``2026/11/20 9:05``."""
    found = _YEAR_FIRST.fullmatch(text)
    if found is None:
        return text
    year, _, *numbers, rest = found.groups()
    month, day = filter(None, numbers)
    time = _TIME_OF_DAY.fullmatch(rest) or _TIME_IN_JAPANESE.fullmatch(rest)
    if time is not None:
        hour, minute, second, *more = time.groups()
        fraction, zone = more if len(more) == 2 else ("", *more)
        rest = f"T{hour:0>2}:{minute or '0':0>2}:{second or '0':0>2}{fraction.replace(',', '.')}"
        rest += f" {zone}" if zone[:1].isalpha() and zone.upper() != "Z" else zone
    return f"{year}-{month:0>2}-{day:0>2}{rest}"


def _of_mail(text: str) -> int | None:
    """A date of RFC 5322, section 3.3, with its zone."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None or not 1970 <= moment.year <= 9999:
        return None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
