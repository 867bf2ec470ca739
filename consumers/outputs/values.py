"""A plain list: one value a line, as proxies, mail gateways and the external lists of firewalls take it."""

from typing import Final

from consumers.outputs.edit import Named
from consumers.outputs.line_file import LineFile
from consumers.outputs.places import activity_of, file_of
from consumers.outputs.protocol import EVERY_TYPE, LONGEST_VALUE, LeftOut, Output, Target
from schemas.markings import Activity

_NAME: Final = "values"


def _lines(entry: Named) -> tuple[str] | LeftOut:
    value = entry.value
    if len(value) > LONGEST_VALUE:
        return LeftOut.LIMIT
    is_a_line = value.isprintable() and value.strip() == value and value and not value.startswith(("#", ";"))
    return (value,) if is_a_line else LeftOut.VALUE


def _value_of(line: str) -> str:
    return "" if line.startswith("#") else line


def _activity(target: Target) -> Activity:
    return activity_of(target, _NAME, Activity.ACTIVE)


def _open(target: Target) -> LineFile:
    _activity(target)
    return LineFile(file_of(target, _NAME), _lines, _value_of, is_whole=True)  # a hash may be of two types


OUTPUT: Final = Output(
    name=_NAME,
    writes="one value a line: narrow it with `--type`",
    place="FILE",
    carries=EVERY_TYPE,
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    options={"activity": "what the reader does: `active` if not given, `passive-remote` or `passive-local`"},
    activity_by=_activity,
    rewrites=True,
)
