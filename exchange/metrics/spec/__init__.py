"""Every metric of the exchange, in one file for each role: ``docs/metrics.md`` is printed from them.

A new metric is a new entry in its role's file, and nothing else makes one (a test holds that). Values are counted once
a batch, never once an observation. Only a sensor with a key on the roster is a label, because the number of names is
unbounded: the log line and the quarantine record name all others.
"""

from typing import Any, Final

from exchange.metrics.kinds import Label, Metric
from exchange.metrics.spec import bridge, intake, output, process, produce, quality, steps, streams, taxii
from exchange.metrics.spec.bridge import *
from exchange.metrics.spec.intake import *
from exchange.metrics.spec.output import *
from exchange.metrics.spec.process import *
from exchange.metrics.spec.produce import *
from exchange.metrics.spec.quality import *
from exchange.metrics.spec.steps import *
from exchange.metrics.spec.streams import *
from exchange.metrics.spec.taxii import *

ALL: Final[tuple[Metric[*tuple[Any, ...]], ...]] = tuple(
    entry
    for role in (intake, streams, bridge, steps, produce, output, taxii, quality, process)
    for entry in vars(role).values()
    if isinstance(entry, Metric)
)
LABELS: Final[tuple[Label[Any], ...]] = tuple({label: None for metric in ALL for label in metric.labels.each})
