"""Where a shard's records come from."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from exchange.errors import FatalError
from exchange.protocol.record import Input, Output, Record
from exchange.protocol.step import FactsT_co


class Feed(Protocol[FactsT_co]):
    """The inputs of a shard, and facts besides their records. One thread uses it.

    A feed inherits the defaults of unused methods. ``facts`` has none: a feed without facts returns None.
    """

    looks_ahead: bool = False
    """Whether ``ahead`` may ever have records: if so, a batch that waits for its turn waits in short intervals."""

    idle_s: float = 1.0
    """How long ``poll`` may wait: a record of any input ends the wait, or the feed asks for a shorter one. Due rows and
    facts wait no longer. If it is longer than a second, so does ``wake``, and the shard waits no longer than until rows
    become due."""

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at these offsets; an input that is not named starts at its beginning.

        Returns the number of gaps: inputs that no longer hold all records from their offset on. A gap is logged, and
        reading continues behind it. Raises RecordDamaged if an input ends before its offset.
        """
        ...

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records in the order of each input; empty if there are none in time."""
        ...

    def more(self) -> Sequence[Record]:
        """What has arrived since ``poll`` and continues its batch, within the limits of one batch: asked for when the
        turn of that batch has come. Does not wait."""
        return ()

    def places(self) -> Mapping[Input, int] | None:
        """The next offset of each input, for a feed that can do without clients; None if it cannot now, because
        something else than a record of an input is to be done."""
        return None

    def close_clients(self) -> None:
        """Close all clients. Then comes ``open_clients``, ``resume`` or ``close``. Raises FatalError if it cannot."""
        raise FatalError(f"{type(self).__name__} keeps its clients")

    def open_clients(self, places: Mapping[Input, int]) -> None:  # noqa: ARG002  # as ``close_clients``
        """Read on at these offsets, between which and ``places`` is no record. Raises as ``close_clients``."""
        raise FatalError(f"{type(self).__name__} keeps its clients")

    def wake(self) -> None:
        """End a wait of ``poll`` that may be long. From any thread."""
        return

    def wake_for(self, other: Input) -> None:  # noqa: ARG002  # for one that never waits long
        """Called before ``resume``: a record of this input, which another feed reads, is to end a wait of ``poll``."""
        return

    def rung(self) -> int:
        """The offset behind the last record for which a wait was ended, since the last call; 0 if there was none."""
        return 0

    def ahead(self) -> Sequence[Record]:
        """Records that need not wait with the batch that ``poll`` returned last: of other inputs than that one's."""
        return ()

    def gathering_s(self) -> float:
        """For how long ``poll`` lets records gather behind the last batch before it returns some."""
        return 0.0

    def facts(self, records: Sequence[Record]) -> FactsT_co:
        """What the step must know to compute these records, or without any. Facts that are not empty are a reason to
        compute. Asked for right before each computation."""
        ...

    def ask(self, questions: Mapping[bytes, int]) -> None:
        """A committed batch's questions (``Effects.questions``). Does not wait: the answers are facts of a later
        batch. Raises FatalError if this feed answers none."""
        raise FatalError(f"{type(self).__name__} answers no questions: {len(questions)} were asked")

    def marks(self) -> Mapping[Input, int]:
        """Offsets of other inputs to be committed with the next position, beside those of the records."""
        return {}

    def recheck(self, outputs: Sequence[Output]) -> None:  # noqa: ARG002  # for most, nothing changes meanwhile
        """Called before outputs are written again, after an abort or an uncertain commit. Raises TransientError if
        they must not be written any more."""
        return

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:  # noqa: ARG002  # for most, retention is enough
        """Everything before these offsets is committed, and will not be asked for again. Does not wait."""
        return

    def lag(self) -> int:
        """How many records are there that were not handed out yet, as far as is known without asking."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...
