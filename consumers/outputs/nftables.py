"""Sets of nftables (nft(8)) as one script: ``nft -f FILE`` replaces what the sets hold in one transaction.

The elements have no timeout: a timeout that runs out before the next load would let through what is still listed.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from consumers.outputs.networks import ADDRESSES, NetworkFile
from consumers.outputs.places import file_of
from consumers.outputs.protocol import Output, Target
from schemas.markings import Activity

_NAME: Final = "nftables"
_TABLE: Final = "inet kakehashi"


def _lines(version_4: Sequence[str], version_6: Sequence[str]) -> Iterator[str]:
    yield f"add table {_TABLE}"
    for version, networks in ((4, version_4), (6, version_6)):
        name = f"{_TABLE} blocked{version}"
        yield f"add set {name} {{ type ipv{version}_addr; flags interval; }}"
        yield f"flush set {name}"
        if networks:
            yield f"add element {name} {{"
            yield from (f"\t{network}," for network in networks)
            yield "}"


def _open(target: Target) -> NetworkFile:
    return NetworkFile(file_of(target, _NAME), _lines)


OUTPUT: Final = Output(
    name=_NAME,
    writes="`nft -f`: sets in the table `inet kakehashi`",
    place="FILE",
    carries=ADDRESSES,
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    rewrites=True,
)
