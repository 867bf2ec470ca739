"""(i) The cost of a decision: cached by its facets, and by a call of Cedar each time; and of the redaction."""

import time
from collections.abc import Callable
from typing import Any, Final

from bench.stand import HOME, PARTNER
from bench.state import rows_for
from schemas.vocabulary import Outcome
from streams.correlate.content import content_for
from streams.correlate.included import Included
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.units import facets_in, units
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load

REPETITION: Final = 10
_ASKED_PART: Final = 20  # Cedar itself is called for a part of them, because it is slow


def measure(indicators: int, now_ms: int) -> dict[str, Any]:
    """Decisions a second on so many distinct indicators, in this process on one core; and the cost of each."""
    pieces = [(row, units(row)) for _, row in rows_for(indicators, now_ms)]
    engine = Engine(load(HOME))
    classifier = Classifier(engine)
    remembered_s = _seconds(
        lambda: [classifier.decide(facets_in(row, unit, classifier.ratings), PARTNER) for row, unit in pieces]
    )
    asked = pieces[: max(1, indicators // _ASKED_PART)]
    forgetful = Engine(load(HOME), cache_size=0)
    asked_s = _seconds(
        lambda: [Classifier(forgetful).decide(facets_in(row, unit, classifier.ratings), PARTNER) for row, unit in asked]
    )
    lifetimes = Lifetimes.load()

    def classify_and_redact() -> None:
        for row, _ in pieces:
            unit = units(row)
            judgement = classifier.decide(facets_in(row, unit, classifier.ratings), PARTNER)
            if judgement.decision.outcome is Outcome.RELEASE:
                content_for(
                    Included.of(row, unit, judgement.decision),
                    judgement.decision.obligations,
                    PARTNER,
                    lifetimes,
                    now_ms,
                )

    whole_s = _seconds(classify_and_redact)
    return {
        "indicators": indicators,
        "distinct_facets": engine.cache_misses,
        "remembered_rate": round(indicators / remembered_s),
        "asked": len(asked),
        "asked_rate": round(len(asked) / asked_s),
        "times": round(asked_s / len(asked) / (remembered_s / indicators), 1),
        "indicator_us": round(whole_s / indicators * 1e6, 2),
        "observation_us": round(whole_s / indicators / REPETITION * 1e6, 2),
    }


def _seconds(work: Callable[[], object]) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began
