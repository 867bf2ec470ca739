"""Reads one direction of a running exchange from two clusters, again and again, and audits it."""

from typing import Final

from exchange import clock
from exchange.authority.roster import Roster
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import RECEIPT, Codec
from streams.enrichment.enrich import Enricher
from tests.reference.audit import Audit, Stand, arrivals, audited, undone
from tests.reference.model import Expected, expected
from tests.reference.reading import Reading

_CODEC: Final = Codec()


class Direction:
    """Reads one direction from two clusters, again and again, and audits it."""

    def __init__(self, home: Cluster, partner: Cluster, shards: int, enricher: Enricher, roster: Roster) -> None:
        self._roster = roster
        self._home, self._partner, self._shards, self._enricher = home.nation, partner.nation, shards, enricher
        released, accepted, inbox = (
            topics.released(partner.nation),
            topics.accepted(home.nation),
            topics.inbox(home.nation),
        )
        self._urgent = topics.urgent(partner.nation)
        at_home = [topics.SENSOR_REPORTS, topics.COMMANDS, topics.QUARANTINE, topics.NATIONAL, topics.AUDIT]
        self._here = Reading(home, [*at_home, released, self._urgent], shards)
        self._there = Reading(partner, [inbox, accepted], shards)
        self._names = (released, inbox, accepted)
        self._expected: tuple[int, Expected] | None = None

    def stand(self) -> Stand:
        """The records that are there now."""
        self._here.look()
        self._there.look()
        released, inbox, accepted = self._names
        here, there = self._here.records, self._there.records
        return Stand(
            here[topics.SENSOR_REPORTS],
            here[topics.QUARANTINE],
            here[topics.NATIONAL],
            here[topics.AUDIT],
            here[released],
            [record for record in there[inbox] if _CODEC.schema_of(record.value) != RECEIPT],
            there[accepted],
            here[self._urgent],
            here[topics.COMMANDS],
        )

    def audit(self) -> Audit:
        """Read on, and compare."""
        stand = self.stand()
        return audited(stand, self._wanted(stand), clock.now_ms())

    def undone(self) -> tuple[str, ...]:
        """Read on, and look only for vetoed indicators that the partner still has."""
        stand = self.stand()
        return undone(stand, self._wanted(stand))

    def _wanted(self, stand: Stand) -> Expected:
        """The model's result, computed again only if there are more reports."""
        if self._expected is None or self._expected[0] != len(stand.reports):
            wanted = expected(
                arrivals(stand.reports), self._home, self._partner, self._shards, self._enricher, self._roster
            )
            self._expected = len(stand.reports), wanted
        return self._expected[1]

    def begin_again(self, topic: str) -> None:
        """A topic was recreated under its name: forget the records of the old one."""
        for reading in (self._here, self._there):
            reading.begin_again(topic)

    def forget_inbox(self) -> None:
        """Forget the inbox: a bridge that lost its position carries all records again."""
        self._there.look()
        self._there.records[self._names[1]].clear()

    def close(self) -> None:
        """Stop reading."""
        self._here.close()
        self._there.close()
