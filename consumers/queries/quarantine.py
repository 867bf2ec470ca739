"""Reads ``quarantine.v1``: what was refused, why, and how much of it."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from schemas.codec import QUARANTINED, Codec, Undecodable
from schemas.records import Quarantined


@dataclass(frozen=True, slots=True)
class Pile:
    """The entries that were refused for one reason by one stage."""

    reason: str
    stage: str
    count: int
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Summary:
    """All of quarantine at a glance: the piles, the largest first, and the newest entries, the newest first."""

    piles: tuple[Pile, ...]
    newest: tuple[Quarantined, ...]

    @property
    def count(self) -> int:
        """How many entries there are."""
        return sum(pile.count for pile in self.piles)


def entries(reader: TopicReader, codec: Codec) -> Iterator[Quarantined]:
    """Everything in quarantine, each key once: a refusal at the border may be written again after a crash.

    A record of another schema is skipped: it was not written by this exchange.
    """
    for partition in reader.partitions:
        seen: set[str] = set()
        for record in reader.records(partition):
            found = codec.decode(QUARANTINED, record.value)
            if isinstance(found, Undecodable) or found["key"] in seen:
                continue
            seen.add(found["key"])
            yield cast("Quarantined", found)


def summarise(found: Iterable[Quarantined], newest: int) -> Summary:
    """Count by reason and stage, and keep the ``newest`` entries; memory does not grow with the rest."""
    counts: Counter[tuple[str, str]] = Counter()
    latest: dict[tuple[str, str], int] = {}
    kept: list[tuple[int, str, Quarantined]] = []
    for entry in found:
        pile = entry["reason"], entry["stage"]
        counts[pile] += 1
        latest[pile] = max(entry["at_ms"], latest.get(pile, 0))
        heapq.heappush(kept, (entry["at_ms"], entry["key"], entry))
        if len(kept) > newest:
            heapq.heappop(kept)
    return Summary(
        tuple(Pile(*pile, count, latest[pile]) for pile, count in counts.most_common()),
        tuple(entry for _, _, entry in sorted(kept, key=lambda each: each[:2], reverse=True)),
    )
