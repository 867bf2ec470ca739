"""Local zones of Unbound (unbound.conf(5)): each name, and all below it, does not exist for the resolver's clients."""

from typing import Final

from consumers.outputs.edit import Named
from consumers.outputs.line_file import LineFile
from consumers.outputs.names import is_name
from consumers.outputs.places import file_of
from consumers.outputs.protocol import LeftOut, Output, Target
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

_NAME: Final = "unbound"


def _lines(entry: Named) -> tuple[str] | LeftOut:
    return (f'local-zone: "{entry.value}." always_nxdomain',) if is_name(entry.value) else LeftOut.VALUE


def _heading() -> tuple[str]:
    return ("server:",)


def _value_of(line: str) -> str:
    return line.split('"')[1].rstrip(".") if line.startswith('local-zone: "') else ""


def _open(target: Target) -> LineFile:
    return LineFile(file_of(target, _NAME), _lines, _value_of, heading=_heading)


OUTPUT: Final = Output(
    name=_NAME,
    writes="to include: `always_nxdomain` for a name and below",
    place="FILE",
    carries=frozenset({IndicatorType.DOMAIN_NAME}),
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    rewrites=True,
)
