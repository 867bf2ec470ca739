"""Recorded feeds through the whole path: the model agrees, and both guards pass what the rules release."""

from collections.abc import Iterator
from random import Random

from schemas import topics
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from streams.enrichment.installed import installed_enricher
from tests.builders import DAY_MS, NOW_MS, a_report
from tests.producers.reading_feeds import defaults_of, manifest, observations, recorded
from tests.streams.memory_exchange import MemoryExchange

MOST_OF_A_FILE = 250
IN_A_REPORT = 50


def reports() -> Iterator[SensorReport]:
    """The beginning of every recorded file, as its sensor reports it to GBR."""
    sequences: dict[str, int] = {}
    for entry in manifest():
        if entry["format"] is None:
            continue
        sensor = f"{entry['nation']} {entry['sensor']}"
        defaults = defaults_of(entry["options"])
        found = observations(recorded(entry["file"], entry["format"], **defaults_as_arguments(defaults)))
        for place in range(0, min(len(found), MOST_OF_A_FILE), IN_A_REPORT):
            sequence = sequences[sensor] = sequences.get(sensor, -1) + 1
            rows = found[place : place + IN_A_REPORT]
            yield a_report(rows, sensor=sensor, epoch=NOW_MS - DAY_MS, sequence=sequence)


def defaults_as_arguments(defaults: object) -> dict[str, object]:
    """A reader's defaults by name."""
    names = ("marking", "confidence", "labels", "encoding", "columns", "date_format", "home_networks")
    return {name: getattr(defaults, name) for name in names}


def test_recorded_feeds_have_the_models_result_and_no_guard_refuses_a_release() -> None:
    random = Random("recorded feeds")
    exchange = MemoryExchange(installed_enricher())
    played = 0
    for report in reports():
        exchange.send(report)
        exchange.now_ms += random.randint(0, 2000)
        if random.random() < 0.2:
            exchange.run()
        played += len(report["values"])
    exchange.settle()
    audit = exchange.audit()
    assert audit.clean, str(audit)
    assert audit.counts.observations == played > 5000
    assert min(audit.counts.released, audit.counts.held, audit.counts.withheld) > 50
    assert audit.replicated == len({record.key for record in exchange.log(topics.inbox("GBR"))})
    kinds = {picture.indicator["type"] for picture in exchange.expected().national.values()}
    assert {kind.label for kind in IndicatorType} - kinds <= {
        "ja3",
        "ja4",
        "file-sha512",
        "autonomous-system",
        "ipv6-net",
        "x509-sha1",
        "x509-sha256",
        "user-agent",
        "mutex",
        "registry-key",
    }
