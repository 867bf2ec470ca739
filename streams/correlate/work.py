"""What one batch of correlate comes to, while it is being computed."""

from collections import Counter

from exchange.protocol.record import Output, RowChange
from streams.audit import entry as audit


class Work:
    """Outputs, rows, tallies and gauges so far, and the head of the audit chain."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.outputs: list[Output] = []
        self.rows: list[RowChange] = []
        self.tally: Counter[tuple[str, ...]] = Counter()
        self.gauges: dict[tuple[str, ...], float] = {}
        self.head = audit.Head()
