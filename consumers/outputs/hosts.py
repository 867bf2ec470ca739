"""A hosts file (hosts(5)): names that resolve to nowhere on the machine that has it."""

from typing import Final

from consumers.outputs.edit import Named
from consumers.outputs.line_file import LineFile
from consumers.outputs.names import is_name
from consumers.outputs.places import file_of
from consumers.outputs.protocol import LeftOut, Output, Target
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

_NAME: Final = "hosts"
_SINK: Final = "0.0.0.0"  # noqa: S104  # no address is bound: the name resolves to none


def _lines(entry: Named) -> tuple[str] | LeftOut:
    return (f"{_SINK} {entry.value}",) if is_name(entry.value) else LeftOut.VALUE


def _value_of(line: str) -> str:
    return line.removeprefix(f"{_SINK} ") if line.startswith(f"{_SINK} ") else ""


def _open(target: Target) -> LineFile:
    return LineFile(file_of(target, _NAME), _lines, _value_of)


OUTPUT: Final = Output(
    name=_NAME,
    writes="a hosts file: each name resolves to `0.0.0.0`",
    place="FILE",
    carries=frozenset({IndicatorType.DOMAIN_NAME}),
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    rewrites=True,
)
