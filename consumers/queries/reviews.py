"""What waits for officers: ``review.pending.v1`` as it stands."""

from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound, Refused
from schemas.codec import REVIEW_PENDING, Codec, Undecodable
from schemas.records import ReviewPending


def waiting(reader: TopicReader, codec: Codec) -> list[ReviewPending]:
    """All that waits, the next deadline first. A record that is none of ours is passed over."""
    last: dict[bytes, ReviewPending] = {}
    for partition in reader.partitions:
        for record in reader.records(partition):
            found = codec.decode(REVIEW_PENDING, record.value) if record.value is not None else None
            if found is None:
                last.pop(record.key or b"", None)
            elif not isinstance(found, Undecodable):
                last[record.key or b""] = cast("ReviewPending", found)
    return sorted(last.values(), key=lambda each: (each["deadline_ms"], each["indicator_id"], each["partner"]))


def chosen(found: list[ReviewPending], ids: list[str], partner: str) -> ReviewPending:
    """The one that is meant. Raises NotFound where nothing of it waits, Refused where several partners do."""
    matching = [each for each in found if each["indicator_id"] in ids and partner in ("", each["partner"])]
    if not matching:
        raise NotFound(
            f"nothing of {', '.join(ids)} waits for an officer{f' for {partner}' if partner else ''}: it was settled, "
            "its deadline has passed, or it was never held; `kakehashi explain` says which"
        )
    if len(matching) > 1:
        names = ", ".join(each["partner"] for each in matching)
        raise Refused(f"it waits for several partners: say --partner, one of {names}")
    return matching[0]
