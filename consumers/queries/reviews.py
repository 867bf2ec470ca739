"""The questions that are open for officers: the latest records of ``review.pending.v1``."""

from collections.abc import Sequence
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound, Refused
from schemas.codec import REVIEW_PENDING, Codec, Undecodable
from schemas.records import ReviewPending


def waiting(reader: TopicReader, codec: Codec) -> list[ReviewPending]:
    """The open questions, the next deadline first. A record that is not of this schema is skipped."""
    last: dict[bytes, ReviewPending] = {}
    for partition in reader.partitions:
        for record in reader.records(partition):
            found = codec.decode(REVIEW_PENDING, record.value) if record.value is not None else None
            if found is None:
                last.pop(record.key or b"", None)
            elif not isinstance(found, Undecodable):
                last[record.key or b""] = cast("ReviewPending", found)
    return sorted(last.values(), key=lambda each: (each["deadline_ms"], each["indicator_id"], each["partner"]))


def chosen(found: Sequence[ReviewPending], ids: Sequence[str], partner: str) -> ReviewPending:
    """The question on one of these indicators. Raises NotFound if none, Refused if several partners have one."""
    matching = [each for each in found if each["indicator_id"] in ids and partner in ("", each["partner"])]
    if not matching:
        raise NotFound(
            f"no question on {', '.join(ids)}{f' for {partner}' if partner else ''} is open: it was settled, its "
            f"deadline has passed, or it was never held; `kakehashi explain {ids[0]} --nation NATION` shows which"
        )
    if len(matching) > 1:
        names = ", ".join(each["partner"] for each in matching)
        raise Refused(f"it is open for several partners: choose one with --partner: {names}")
    return matching[0]


def approvals(each: ReviewPending) -> int:
    """How many people have approved it."""
    return len({verdict["person"] for verdict in each["verdicts"] if verdict["verdict"] == "approve"})
