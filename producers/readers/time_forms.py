"""Names the option that reads a time whose form is not known, such as ``1/28/2021``."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Final

_DATES: Final = (
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%m.%d.%Y", "%d.%m.%y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y%m%d", "%Y/%d/%m"),
)
_TIMES: Final = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S %z", "%H:%M:%S%z")
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
    for date, (time, between) in product(_DATES, [("", ""), *product(_TIMES[1:], _BETWEEN)]):
        form = f"{date}{between}{time}"
        try:
            yield form, datetime.strptime(text, form)  # noqa: DTZ007 - only whether the form fits is asked
        except ValueError:
            continue


def _quoted(form: str) -> str:
    return f"'{form}'" if " " in form else form
