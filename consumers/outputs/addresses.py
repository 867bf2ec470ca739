"""A list of addresses and networks for firewalls, aggregated: one network (RFC 4632) or address a line."""

from collections.abc import Iterable, Sequence
from typing import Final

from consumers.outputs.networks import ADDRESSES, NetworkFile
from consumers.outputs.places import file_of
from consumers.outputs.protocol import Output, Target
from schemas.markings import Activity

_NAME: Final = "addresses"


def _lines(version_4: Sequence[str], version_6: Sequence[str]) -> Iterable[str]:
    return [*version_4, *version_6]


def _open(target: Target) -> NetworkFile:
    return NetworkFile(file_of(target, _NAME), _lines)


OUTPUT: Final = Output(
    name=_NAME,
    writes="networks for firewalls, aggregated to the fewest",
    place="FILE",
    carries=ADDRESSES,
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    rewrites=True,
)
