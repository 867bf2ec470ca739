"""Where an officer's decision becomes a signed command on ``command.v1``, and where it is asked what became of it.

The service behind ``kakehashi review``, ``recall`` and ``revoke``, and behind whatever desk comes later. It decides
nothing: the shard that owns the indicator does, and says why where it does not obey.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.errors import DeliveryTimeout
from exchange.kafka.clients import Cluster, end_offset, idempotent_producer
from exchange.kafka.committed import committed
from exchange.kafka.log import KafkaLog
from schemas import topics
from schemas.codec import COMMAND, QUARANTINED, Codec, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Command, MarkingRecord
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind

LASTS_MS: Final = 24 * 60 * 60 * 1000
_STEP: Final = "correlate"
_DELIVERY_S: Final = 30.0
_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command stands, and where the quarantine of its shard ended before it was sent."""

    command_id: str
    partition: int
    offset: int
    quarantine_from: int

    @property
    def quarantine_key(self) -> str:
        """Under which it would be in quarantine."""
        return f"{topics.COMMANDS}-{self.partition}-{self.offset}--1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: obeyed where ``reason`` is empty."""

    reason: str = ""
    detail: str = ""


def command(
    kind: CommandKind,
    nation: str,
    indicator_id: str,
    *,
    reason: str,
    now_ms: int,
    partner: str = "",
    verdict: str = "",
    question: bytes = b"",
    about: str = "",
    version: int = 0,
    marking: MarkingRecord | None = None,
    reason_code: str = "",
    lasts_ms: int = LASTS_MS,
    command_id: str = "",
) -> Command:
    """A command, not signed yet."""
    return Command(
        command_id=command_id or str(uuid.uuid4()),
        kind=str(kind),
        nation=nation,
        indicator_id=indicator_id,
        partner=partner,
        verdict=verdict,
        question=question,
        about=about,
        version=version,
        marking=marking,
        reason_code=reason_code,
        reason=reason,
        issued_ms=now_ms,
        expires_ms=now_ms + lasts_ms,
        officer="",
        signature=b"",
    )


class CommandDesk:
    """Signs with one officer's key, and sends to one nation's cluster."""

    def __init__(self, cluster: Cluster, shards: int, private: Ed25519PrivateKey, codec: Codec | None = None) -> None:
        self._cluster, self._shards, self._private = cluster, shards, private
        self._codec = codec or cluster.codec()

    def send(self, commands: Sequence[Command]) -> list[Place]:
        """Sign and send; where each stands, in their order, once the cluster has acknowledged all of them.

        Raises DeliveryTimeout where it has not: send them again, the same command twice changes nothing.
        """
        producer = idempotent_producer(self._cluster)
        shards = [shard_of_key(key_of_id(each["indicator_id"]), self._shards) for each in commands]
        ends = {shard: end_offset(self._cluster, topics.QUARANTINE, shard) for shard in set(shards)}
        offsets: dict[int, int] = {}
        failed: list[str] = []
        for number, (each, shard) in enumerate(zip(commands, shards, strict=True)):

            def told(error: KafkaError | None, message: Message, number: int = number) -> None:
                if error is None:
                    offsets[number] = message.offset() or 0
                else:
                    failed.append(error.str())

            value = self._codec.encode(COMMAND, signed_command(self._codec, each, self._private))
            key = each["indicator_id"].encode()
            while True:
                try:
                    producer.produce(topics.COMMANDS, value, key, partition=shard, on_delivery=told)
                    break
                except BufferError:  # the client's queue is full: wait for what is on its way
                    producer.poll(0.5)
            producer.poll(0)
        producer.flush(_DELIVERY_S)
        if len(offsets) < len(commands):
            producer.purge()
            why = failed[0] if failed else f"no answer within {_DELIVERY_S:g} s"
            raise DeliveryTimeout(
                f"{self._cluster.nation}'s Kafka at {self._cluster.bootstrap} took {len(offsets)} of {len(commands)} "
                f"commands ({why}): run the same command again"
            )
        return [
            Place(each["command_id"], shard, offsets[number], ends[shard])
            for number, (each, shard) in enumerate(zip(commands, shards, strict=True))
        ]

    def answer(self, place: Place, within_s: float) -> Answer | None:
        """What became of a command; None where its shard has not come to it in time."""
        return self.answers([place], within_s)[0]

    def answers(self, places: Sequence[Place], within_s: float) -> list[Answer | None]:
        """What became of these commands, in their order; None for those that their shard has not come to, while it has
        not come any further for ``within_s``."""
        reached: dict[int, int] = {}
        refused: dict[str, Answer] = {}
        for partition in sorted({place.partition for place in places}):
            here = [place for place in places if place.partition == partition]
            reached[partition] = self._await(partition, max(place.offset for place in here), within_s)
            refused |= self._refused(partition, min(place.quarantine_from for place in here))
        return [
            refused.get(place.quarantine_key, Answer()) if place.offset < reached[place.partition] else None
            for place in places
        ]

    def _await(self, partition: int, offset: int, within_s: float) -> int:
        """Up to where a shard's commands are decided, once it is behind this offset or comes no further."""
        reached, give_up = self._decided(partition), time.monotonic() + within_s
        while reached <= offset and time.monotonic() < give_up:
            time.sleep(_AGAIN_S)
            before, reached = reached, self._decided(partition)
            if reached > before:
                give_up = time.monotonic() + within_s
        return reached

    def _decided(self, partition: int) -> int:
        """The next command that the shard will decide, by its committed position."""
        progress = KafkaLog(self._cluster, _STEP, partition, input_ids={}, state_format=None).progress()
        inputs = () if progress is None else progress["inputs"]
        return next((source["next_offset"] for source in inputs if source["topic"] == topics.COMMANDS), 0)

    def _refused(self, partition: int, start: int) -> dict[str, Answer]:
        """What quarantine has from an offset on, by its key."""
        end = end_offset(self._cluster, topics.QUARANTINE, partition)
        found: dict[str, Answer] = {}
        for message in committed(self._cluster, topics.QUARANTINE, partition, start, end):
            kept = self._codec.decode(QUARANTINED, message.value())
            if not isinstance(kept, Undecodable):
                found[kept["key"]] = Answer(kept["reason"], kept["detail"])
        return found
