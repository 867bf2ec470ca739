"""The metrics of a picture, in a process that reads it."""

import time
from pathlib import Path
from typing import Final

from consumers.picture.filters import Filter
from consumers.picture.keeping import Keeping
from consumers.picture.picture import Picture
from exchange.clock import now_ms
from exchange.errors import NotFound
from exchange.metrics import spec
from exchange.metrics.registry import Metrics

LOOK_EVERY_S: Final = 2.0
_COUNT_S: Final = 30.0


class Shown:
    """A nation's picture, and the outputs that follow it, in the metrics of a process that reads it.

    Outputs are shown whatever process they run in, and above all if they run in none. Indicators are counted less often
    than all else is looked at, because that reads an index.
    """

    def __init__(self, metrics: Metrics, path: Path, nation: str, keeping: Keeping) -> None:
        self._metrics, self._path, self._nation, self._keeping = metrics, path, nation, keeping
        self._rebuilds, self._count_at_s = 0, 0.0
        self._outputs = frozenset[str]()

    def look(self) -> bool:
        """Show what it is now; false while it is made."""
        rebuilds, now_s = self._keeping.made_anew, time.monotonic()
        self._metrics.add(spec.PICTURE_REBUILDS, rebuilds - self._rebuilds)
        self._rebuilds = rebuilds
        try:
            with Picture(self._path, self._nation, now_ms) as picture:
                at_ms = now_ms()
                self._show(picture, at_ms, counts=now_s >= self._count_at_s)
                self._show_outputs(picture, at_ms)
        except NotFound:
            return False
        if now_s >= self._count_at_s:
            self._count_at_s = now_s + _COUNT_S
        return True

    def _show(self, picture: Picture, at_ms: int, *, counts: bool) -> None:
        metrics = self._metrics
        for origin in picture.origins():
            if counts:
                live = picture.count(Filter(origins=frozenset({origin.origin})))
                metrics.set(spec.PICTURE_INDICATORS, live, origin.origin)
            metrics.set(spec.PICTURE_BEHIND_SECONDS, max(0, at_ms - origin.current_ms) / 1000, origin.origin)
            metrics.set(spec.PICTURE_GAP, origin.gap_ms / 1000, origin.origin)
        metrics.set(spec.PICTURE_DUE_ERASURES, picture.erasure_is_due())

    def _show_outputs(self, picture: Picture, at_ms: int) -> None:
        """One that was forgotten lacks nothing any more."""
        head_us, found = picture.head_us(), picture.followers()
        shown: dict[str, tuple[float, float]] = dict.fromkeys(self._outputs, (0.0, 0.0))
        for each in found:
            waits_s = (at_ms * 1000 - each.applied_us) / 1e6 if each.applied_us < head_us else 0.0
            shown[each.name] = (each.unapplied_recalls, max(0.0, waits_s))
        for name, (recalls, waits_s) in shown.items():
            self._metrics.set(spec.OUTPUT_UNAPPLIED_RECALLS, recalls, name)
            self._metrics.set(spec.OUTPUT_BEHIND_SECONDS, waits_s, name)
        self._outputs = frozenset(each.name for each in found)
