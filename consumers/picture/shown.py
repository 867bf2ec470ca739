"""What a process that reads a picture shows of it in its metrics."""

from consumers.picture.filters import Filter
from consumers.picture.picture import Picture
from exchange.metrics import spec
from exchange.metrics.registry import Metrics


def show(metrics: Metrics, picture: Picture, at_ms: int, *, counts: bool) -> None:
    """How current it is, and with ``counts`` how many indicators it has, which reads an index."""
    for origin in picture.origins():
        if counts:
            live = picture.count(Filter(origins=frozenset({origin.origin})))
            metrics.set(spec.PICTURE_INDICATORS, live, origin.origin)
        metrics.set(spec.PICTURE_BEHIND_SECONDS, max(0, at_ms - origin.current_ms) / 1000, origin.origin)
        metrics.set(spec.PICTURE_GAP, origin.gap_ms / 1000, origin.origin)
    metrics.set(spec.PICTURE_DUE_ERASURES, picture.erasure_is_due())
