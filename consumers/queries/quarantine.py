"""Reads ``quarantine.v1``: what was refused, why, and how much of it."""

import enum
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from consumers.subscription.topic_reader import TopicReader
from exchange.metrics.labels import QuarantineStage
from schemas import topics
from schemas.codec import QUARANTINED, Codec, Undecodable
from schemas.records import Quarantined


class Kind(enum.StrEnum):
    """Whose input an entry was, and so who corrects it."""

    SENSOR = "sensor"
    OFFICER = "officer"
    RELEASE = "release"
    PARTNER = "partner"


_KINDS: Final = {
    str(QuarantineStage.BRIDGE): Kind.RELEASE,
    str(QuarantineStage.RECEIVE): Kind.PARTNER,
    str(QuarantineStage.SETTLE): Kind.PARTNER,
}


@dataclass(frozen=True, slots=True)
class Pile:
    """The entries of one kind that were refused for one reason by one stage."""

    of: str
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


def kind_of(entry: Quarantined) -> Kind:
    """Whose input it was: a sensor's report, an officer's command, our own release, or a partner's record."""
    if entry["topic"] == topics.COMMANDS:
        return Kind.OFFICER
    return _KINDS.get(entry["stage"], Kind.SENSOR)


def summarise(found: Iterable[Quarantined], newest: int) -> Summary:
    """Count by kind, reason and stage, and keep the ``newest`` entries; memory does not grow with the rest."""
    counts: Counter[tuple[str, str, str]] = Counter()
    latest: dict[tuple[str, str, str], int] = {}
    kept: list[tuple[int, str, Quarantined]] = []
    for entry in found:
        pile = str(kind_of(entry)), entry["reason"], entry["stage"]
        counts[pile] += 1
        latest[pile] = max(entry["at_ms"], latest.get(pile, 0))
        heapq.heappush(kept, (entry["at_ms"], entry["key"], entry))
        if len(kept) > newest:
            heapq.heappop(kept)
    return Summary(
        tuple(Pile(*pile, count, latest[pile]) for pile, count in counts.most_common()),
        tuple(entry for _, _, entry in sorted(kept, key=lambda each: each[:2], reverse=True)),
    )
