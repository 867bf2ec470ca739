"""What one report costs the brokers: a transaction of each step on its way, over as few partitions as there are."""

from schemas import topics
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType
from streams.enrichment.installed import installed_enricher
from tests.builders import a_report, an_observation
from tests.streams.memory_exchange import HOME, PARTNER, MemoryExchange, Work

FIRST = an_observation(kind=IndicatorType.FILE_SHA256, value="5e" * 32)
SEEN = an_observation(kind=IndicatorType.FILE_SHA256, value="5f" * 32)  # of no special use, so it is released


class Counted(MemoryExchange):
    """An exchange that notes the topics of each batch."""

    def __init__(self) -> None:
        super().__init__(installed_enricher(), shards=1)
        self.batches: list[tuple[str, list[str]]] = []
        self.came(FIRST)  # a shard's first batch is followed by one for the rules in force

    def came(self, seen: Observation, sequence: int = 0) -> list[tuple[str, list[str]]]:
        """The batches that a report of it causes."""
        self.batches.clear()
        self.send(a_report([seen], sequence=sequence))
        self.run()
        return sorted(self.batches)

    def turn(self, work: Work, most: int | None = None) -> bool:
        before = {source: len(records) for source, records in self._logs.items()}
        turned = super().turn(work, most)
        if turned:
            written = [source.topic for source, records in self._logs.items() if len(records) > before.get(source, 0)]
            self.batches.append((work.step.name, sorted(written)))
        return turned


def test_a_report_of_a_new_indicator_is_four_transactions_up_to_the_partner_and_writes_each_topic_once() -> None:
    assert Counted().came(SEEN, 1) == [
        (topics.bridge_step(HOME), [topics.inbox(HOME)]),
        ("correlate", sorted([topics.NATIONAL, topics.AUDIT, topics.released(PARTNER)])),
        ("intake", [topics.OBSERVATIONS]),
        (f"receive.{HOME}", sorted([topics.accepted(HOME), topics.receipts(HOME)])),
    ]


def test_a_sighting_by_the_same_sensor_is_two_transactions_at_home_and_none_abroad() -> None:
    exchange = Counted()
    exchange.came(SEEN, 1)
    assert exchange.came(SEEN, 2) == [("correlate", []), ("intake", [topics.OBSERVATIONS])]
