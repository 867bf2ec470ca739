"""The state, positions and records of an earlier version are taken over, in the middle of its work.

``state_of_2e57002.json.gz`` is what the in-memory exchange of 2e57002 had left after 12 reports of mixed traffic (seed
11): rows of intake, correlate and receive, positions, all topics, and blocks and releases that no one had read yet.
"""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Final

from schemas import topics
from streams.enrichment.installed import installed_enricher
from tests.builders import NOW_MS
from tests.reference.traffic import Traffic
from tests.streams.memory_exchange import HOME, MemoryExchange

_SAVED: Final = Path(__file__).parent / "state_of_2e57002.json.gz"


def test_what_an_earlier_version_has_left_comes_out_as_the_model_states() -> None:
    exchange = MemoryExchange(installed_enricher())
    exchange.take_over(json.loads(gzip.decompress(_SAVED.read_bytes())))
    assert not exchange.audit().clean, "work was left"
    before = len(exchange.log(topics.accepted(HOME)))
    exchange.settle()
    audit = exchange.audit()
    assert audit.clean, str(audit)
    assert len(exchange.log(topics.accepted(HOME))) > before, "its releases have arrived"


def test_reports_behind_an_upgrade_continue_the_rows_of_before() -> None:
    random, exchange = Random(12), MemoryExchange(installed_enricher())
    exchange.take_over(json.loads(gzip.decompress(_SAVED.read_bytes())))
    for report in list(Traffic(Random(13), HOME, NOW_MS).reports(30)):
        exchange.send(report)
        exchange.go_on(random)
    exchange.settle(random)
    audit = exchange.audit()
    assert audit.clean, str(audit)
    assert audit.replicated > 5
