"""A dry run in this process: by the rules that come with the software, at a fixed time."""

import io
from collections.abc import Sequence
from typing import Final

from kakehashi.dry_run import DryRun
from kakehashi.fates import Fate, Judge
from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Defaults
from schemas.markings import SourceMarking
from streams.correlate.lifecycle import Lifetimes
from streams.enrichment.installed import installed_enricher
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.builders import NOW_MS
from tests.producers.producing import SENSOR

GREEN: Final = SourceMarking(tlp="TLP:GREEN")
ENRICHER: Final = installed_enricher()
POLICY: Final = load("GBR")


def a_dry_run(partners: Sequence[str] = ("JPN",)) -> DryRun:
    judge = Judge(partners, Classifier(Engine(POLICY)), ENRICHER, Lifetimes.load(), NOW_MS)
    return DryRun(SENSOR, judge)


def fates_of(content: bytes, name: str = "feed", format_name: str = AUTO, **defaults: object) -> list[Fate]:
    options = {"marking": GREEN, "confidence": 60} | defaults
    readings, _ = readings_of(OpenInput(name, io.BytesIO(content)), format_name, Defaults(**options))  # type: ignore[arg-type]
    return list(a_dry_run().fates(readings))
