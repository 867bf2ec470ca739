"""How a step refuses an input: the record in quarantine, and the count of it."""

from exchange.metrics import spec
from exchange.metrics.labels import QuarantineStage
from exchange.protocol.effects import EffectsBuilder
from exchange.protocol.record import Output, Record
from schemas import topics
from schemas.codec import QUARANTINED, Codec, Undecodable
from schemas.quarantine import WHOLE, Location, Refused, original_of, quarantined


def location_of(record: Record, index: int = WHOLE) -> Location:
    """The location of a record that was read."""
    return Location(record.topic, record.partition, record.offset, index)


class Quarantine:
    """Writes the refusals of one shard of one step."""

    def __init__(self, stage: QuarantineStage, shard: int, codec: Codec) -> None:
        self._stage, self._shard, self._codec = stage, shard, codec

    def put(
        self,
        location: Location,
        refused: Refused | Undecodable,
        original: bytes,
        work: EffectsBuilder,
        *,
        sensor: str = "",
        content_type: str = "avro",
        keep_bytes: bool = True,
    ) -> None:
        """Add the quarantine record to the batch's effects, and count it. The arguments are ``quarantined``'s."""
        record = quarantined(
            location.key,
            location,
            Refused(refused.reason, refused.detail),
            original_of(original, keep_bytes=keep_bytes),
            stage=str(self._stage),
            at_ms=work.now_ms,
            sensor=sensor,
            content_type=content_type,
        )
        value = self._codec.encode(QUARANTINED, record)
        work.outputs.append(Output(topics.QUARANTINE, self._shard, record["key"].encode(), value))
        work.tally[spec.QUARANTINED_RECORDS.tally(self._stage, refused.reason)] += 1
