"""What a nation released to its partners, and what each partner did with it: two topics, read side by side."""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec, Undecodable
from schemas.records import Receipt, ReleasedIndicator

_ORDER: Final = ("refused", "received", "applied", "recall_applied", "purged")


class Answer(enum.StrEnum):
    """What the partner did with the last version of an indicator."""

    WAITING = "waiting"  # no receipt for this version
    REFUSED = "refused"  # it was not accepted; the receipt has the reason
    RECEIVED = "received"
    APPLIED = "applied"  # it is in the partner's picture
    RECALL_APPLIED = "recall applied"  # it is no longer in the partner's picture
    PURGED = "purged"  # and no topic there holds a copy


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """One indicator and one partner. ``receipts`` are the highest of each code, the earliest first."""

    released: ReleasedIndicator
    released_ms: int
    receipts: tuple[Receipt, ...]

    @property
    def answer(self) -> Answer:
        """What the partner did with the last version; a receipt for version n settles all up to n."""
        answers = [each for each in self.receipts if each["version"] >= self.released["version"]]
        codes = [each["code"] for each in answers if each["code"] in _ORDER]
        return Answer(max(codes, key=_ORDER.index).replace("_", " ")) if codes else Answer.WAITING

    @property
    def dispute(self) -> Receipt | None:
        """The partner's dispute; None once a newer version was released."""
        return next(
            (
                each
                for each in self.receipts
                if each["code"] == "disputed" and each["version"] >= self.released["version"]
            ),
            None,
        )

    @property
    def recall_waits(self) -> bool:
        """Whether it was recalled and the partner has not confirmed since that it acted on it."""
        taken = max((each["version"] for each in self.receipts if each["code"] in _ORDER[2:]), default=0)
        return taken <= self.released["recalled_through"] != 0


def released_to(
    cluster: Cluster, partners: Sequence[str], shards: Iterable[int], ids: frozenset[str] = frozenset()
) -> Iterator[tuple[str, ReleaseStatus]]:
    """Each partner with what was released to it in these shards; with ``ids``, these indicators and no others.

    Raises NotFound if a topic is missing, BrokerUnavailable if no broker answers.
    """
    for partner in partners:
        with (
            TopicReader(cluster, topics.released(partner)) as released,
            TopicReader(cluster, topics.partner_receipts(partner)) as receipts,
        ):
            for shard in shards:
                for status in statuses(released.records(shard), receipts.records(shard), cluster.codec(), ids):
                    yield partner, status


def statuses(
    released: Iterable[Record], receipts: Iterable[Record], codec: Codec, only: frozenset[str] = frozenset()
) -> Iterator[ReleaseStatus]:
    """Each indicator of these records, in the order of its last release; with ``only``, these and no others.

    Both are of the same partitions. A record that is not of its topic's schema is left out: the guard has refused it.
    """
    last: dict[str, tuple[ReleasedIndicator, int]] = {}
    for record in released:
        name = (record.key or b"").decode("utf-8", "replace")
        if only and name not in only:
            continue
        last.pop(name, None)
        found = codec.decode(RELEASED_INDICATOR, record.value)
        if not isinstance(found, Undecodable):
            last[name] = cast("ReleasedIndicator", found), record.timestamp_ms
    answers: dict[str, dict[str, Receipt]] = {}
    for record in receipts:
        answer = codec.decode(RECEIPT, record.value)
        if not isinstance(answer, Undecodable) and answer["indicator_id"] in last:
            of_code = answers.setdefault(answer["indicator_id"], {})
            before = of_code.get(answer["code"])
            if before is None or answer["version"] >= before["version"]:  # an older one may come again
                of_code[answer["code"]] = cast("Receipt", answer)
    for name, (indicator, at_ms) in last.items():
        given = sorted(answers.get(name, {}).values(), key=lambda each: (each["at_ms"], each["version"]))
        yield ReleaseStatus(indicator, at_ms, tuple(given))
