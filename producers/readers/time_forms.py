"""Names the option that reads a time whose form is not known, such as ``1/28/2021``."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import product
from typing import Final

_DATES: Final = (
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%m.%d.%Y", "%d.%m.%y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y%m%d", "%Y/%d/%m"),
)
_TIMES: Final = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S %z", "%H:%M:%S%z")
# What a part of a form may be at most; a blank stands for several, as for strptime.
_PARTS: Final = {
    **dict.fromkeys(("%d", "%m", "%H", "%I", "%M", "%S"), r"\d{1,2}"),
    **{"%Y": r"\d{4}", "%y": r"\d{2}", "%f": r"\d{1,6}", "%b": r"\w+", "%B": r"\w+", "%p": r"\w+"},
    **{"%z": r"(?:[Zz]|[+-]\d.*)", " ": r"\s+"},
}
_BETWEEN: Final = (" ", "T", ", ", "-")


def advice_on_time(text: str) -> str:
    """What to do about a text that is no time of a known form. Of several forms that read it only its source knows the
    right one."""
    found = {moment: form for form, moment in reversed(list(_forms_of(text.strip())))}
    if not found:
        return "state the form of times, as in --date-format %d/%m/%Y"
    if len(found) == 1:
        return f"read it with --date-format {_quoted(*found.values())}"
    ways = " or ".join(f"--date-format {_quoted(form)} ({moment:%Y-%m-%d})" for moment, form in reversed(found.items()))
    return f"it has several meanings, so state the one of its source: {ways}"


def _forms_of(text: str) -> Iterator[tuple[str, datetime]]:
    for form, shape in _shapes():
        if not shape.fullmatch(text):  # strptime compiles each form anew: too slow to ask it for all of them
            continue
        try:
            yield form, datetime.strptime(text, form)  # noqa: DTZ007 - only whether the form fits is asked
        except ValueError:
            continue


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """All forms, each with an expression for what may have it."""
    return tuple(
        (form, re.compile("".join(_PARTS.get(part, re.escape(part)) for part in re.findall("%.|.", form))))
        for date, (time, between) in product(_DATES, [("", ""), *product(_TIMES[1:], _BETWEEN)])
        for form in (f"{date}{between}{time}",)
    )


def _quoted(form: str) -> str:
    return f"'{form}'" if " " in form else form
