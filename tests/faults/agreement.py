"""Whether two nations are of one mind about what one has released: digests, records and receipts."""

from consumers.reconciliation import Side, reconcile
from consumers.released import Answer, standings
from schemas import topics
from schemas.codec import Codec
from tests.integration.nations import Nations, partner_of
from tests.reference.reading import Reading


def agree(nations: Nations, home: str) -> bool:
    """Whether the digests of both sides are equal, and every record, too, however young."""
    ours, theirs = (Side.of(nations.clusters[nation]) for nation in (home, partner_of(home)))
    found = reconcile(ours, theirs, range(nations.shards), full=True, grace_ms=-60_000)
    return not (found.windows or found.differences)


def is_answered(nations: Nations, home: str) -> bool:
    """Whether each of a nation's last releases has its partner's receipt, at home."""
    names = [topics.released(partner_of(home)), topics.partner_receipts(partner_of(home))]
    with Reading(nations.clusters[home], names, nations.shards) as reading:
        reading.look()
    found = standings(reading.records[names[0]], reading.records[names[1]], Codec())
    return all(each.answer is not Answer.WAITING for each in found)
