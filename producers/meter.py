"""Shows a producer's work as metrics: reports in the spool, acknowledged reports, refusals."""

from collections import Counter
from collections.abc import Callable, Mapping

from exchange.metrics import spec
from exchange.metrics.labels import HitFate, QuarantineStage
from exchange.metrics.registry import Metrics
from producers.beside import Beside
from producers.produce import View
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.summary import Summary
from schemas.vocabulary import RejectReason


class Meter(Beside):
    """A view that counts, and lets another one watch as well. Once a second at most; ``finish`` counts the rest.

    What waits in the spool, and since when, is looked up at each scrape: it is current even while the run waits.
    """

    def __init__(
        self,
        metrics: Metrics,
        watcher: View,
        spool: Spool,
        publisher: Publisher,
        now_ms: Callable[[], int],
        fates: Mapping[str, HitFate] | None = None,
    ) -> None:
        """With ``fates`` each observation is a hit, and so is what one of these rules leaves out."""
        super().__init__(watcher, lambda _spool, summary: self.finish(summary))
        self._metrics, self._publisher = metrics, publisher
        self._reports = self._observations = self._errors = 0
        self._rejected: Counter[RejectReason] = Counter()
        self._fates, self._hits = fates, Counter[HitFate]()

        def oldest_seconds() -> float:
            oldest = spool.oldest_at_ms
            return max(0, now_ms() - oldest) / 1000 if oldest else 0

        metrics.ask(spec.SPOOL_REPORTS, lambda: spool.pending_reports)
        metrics.ask(spec.SPOOL_OLDEST_SECONDS, oldest_seconds)

    def gap(self, text: str) -> None:
        """Something that was written could not be read."""
        self._metrics.add(spec.FOLLOW_GAPS, 1)
        super().gap(text)

    def failed(self, text: str) -> None:
        """A live input could not be read for now."""
        self._metrics.add(spec.INPUT_FAILURES, 1)
        super().failed(text)

    def finish(self, summary: Summary) -> None:
        """Bring all counters up to date."""
        publisher = self._publisher
        self._metrics.add(spec.PUBLISHED_REPORTS, publisher.reports - self._reports)
        self._metrics.add(spec.PUBLISHED_OBSERVATIONS, publisher.observations - self._observations)
        self._metrics.add(spec.PUBLISH_ERRORS, publisher.errors - self._errors)
        for reason, count in (summary.rejected - self._rejected).items():
            self._metrics.add(spec.QUARANTINED_RECORDS, count, QuarantineStage.PRODUCE, reason)
        self._reports, self._observations, self._errors = publisher.reports, publisher.observations, publisher.errors
        self._rejected = summary.rejected.copy()
        if self._fates is not None:
            self._count_hits(summary, self._fates)

    def _count_hits(self, summary: Summary, fates: Mapping[str, HitFate]) -> None:
        hits = Counter({fate: summary.left_out[rule] for rule, fate in fates.items()})
        hits[HitFate.SIGHTED] = summary.observations
        for fate, count in (hits - self._hits).items():
            self._metrics.add(spec.HITS, count, fate)
        self._hits = hits
