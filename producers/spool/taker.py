"""What takes the pieces that a filler has decided on: a batch of the spool, or a dry run."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from producers.readers.reading import Rejected
from producers.spool.batch import Kept, Step
from schemas.observation import Observation


class Taker(Protocol):
    """``producers.spool.batch.Batch`` has what each of these does."""

    left_out: Counter[str]

    @property
    def is_full_of_refusals(self) -> bool: ...

    def moves_to(self, line: int, /) -> bool: ...

    def room_for(self, observation: Observation, /, *, of_reading: bool = True) -> Iterator[Step]: ...

    def add(self, observation: Observation, /, *, of_reading: bool = True) -> Iterator[Step]: ...

    def refuse(self, rejected: Rejected, /) -> None: ...

    def keep(self, kept: Kept, /) -> None: ...

    def commit(self) -> Step: ...
