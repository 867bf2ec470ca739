"""Whether two nations are of one mind about what one has released: digests, records and receipts."""

from consumers.reconcile.run import Side, reconcile
from tests.integration.nations import Nations, partner_of


def agree(nations: Nations, home: str) -> bool:
    """Whether the digests of both sides are equal, and every record, too, and each has its answer, however young."""
    ours, theirs = (Side.of(nations.clusters[nation]) for nation in (home, partner_of(home)))
    found = reconcile(ours, theirs, range(nations.shards), full=True, grace_ms=-60_000)
    return not (found.windows or found.differences)
