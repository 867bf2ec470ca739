"""Each implementation of a state, and what the laws need of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from exchange.protocol.rows import State
from exchange.protocol.state import RocksState
from tests.exchange.model_gate import Fate
from tests.exchange.model_parts import Disk, ModelState

StateSubject = Callable[[int], State]
"""Opens the state of this changelog id, in the same place each time."""


def _rocks(folder: Path) -> StateSubject:
    return lambda changelog: RocksState(folder / "state", str(changelog), 1)


def _model(_folder: Path) -> StateSubject:
    disk = Disk()
    return lambda changelog: ModelState(changelog, disk, lambda _: Fate.FINE, lambda _batch, _rows: None)


STATES: Final[Mapping[str, Callable[[Path], StateSubject]]] = {"RocksState": _rocks, "ModelState": _model}
