"""Signs an officer's decision as a command on ``command.v1``, sends it, and reports its result.

The service behind ``kakehashi review``, ``recall`` and ``revoke``, and behind any later desk. It decides nothing: the
shard that owns the indicator does, and gives a reason if it does not obey.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.desk.sending import send
from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.committed import committed
from exchange.kafka.progress import last_progress
from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import COMMAND, QUARANTINED, Codec, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Command, MarkingRecord
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind

LASTS_MS: Final = 24 * 60 * 60 * 1000
_STEP: Final = "correlate"
_AGAIN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class SentCommand:
    """A command's position on ``command.v1``, and the end of its shard's quarantine before it was sent."""

    command_id: str
    partition: int
    offset: int
    quarantine_from: int

    @property
    def quarantine_key(self) -> str:
        """The key that it has in quarantine if it is refused."""
        return f"{topics.COMMANDS}-{self.partition}-{self.offset}--1"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command: obeyed if ``reason`` is empty."""

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

    def send(self, commands: Sequence[Command]) -> list[SentCommand]:
        """Sign and send; the position of each, in their order, once the cluster has acknowledged all of them.

        Raises DeliveryTimeout if it has not: send them again, the same command twice changes nothing.
        """
        shards = [shard_of_key(key_of_id(each["indicator_id"]), self._shards) for each in commands]
        ends = {shard: end_offset(self._cluster, topics.QUARANTINE, shard) for shard in set(shards)}
        outputs = [
            Output(
                topics.COMMANDS,
                shard,
                each["indicator_id"].encode(),
                self._codec.encode(COMMAND, signed_command(self._codec, each, self._private)),
            )
            for each, shard in zip(commands, shards, strict=True)
        ]
        return [
            SentCommand(each["command_id"], shard, offset, ends[shard])
            for each, shard, offset in zip(commands, shards, send(self._cluster, outputs), strict=True)
        ]

    def result(self, sent: SentCommand, within_s: float) -> CommandResult | None:
        """The result of a command; None if its shard has not decided it in time."""
        return self.results([sent], within_s)[0]

    def results(self, sent: Sequence[SentCommand], within_s: float) -> list[CommandResult | None]:
        """The results of these commands, in their order; None for those that their shard has not decided when it has
        made no progress for ``within_s``."""
        reached: dict[int, int] = {}
        refused: dict[str, CommandResult] = {}
        for partition in sorted({each.partition for each in sent}):
            here = [each for each in sent if each.partition == partition]
            reached[partition] = self._await(partition, max(each.offset for each in here), within_s)
            refused |= self._refused(partition, min(each.quarantine_from for each in here))
        return [
            refused.get(each.quarantine_key, CommandResult()) if each.offset < reached[each.partition] else None
            for each in sent
        ]

    def _await(self, partition: int, offset: int, within_s: float) -> int:
        """The next command that a shard will decide, once it is behind this offset or makes no more progress."""
        reached, give_up = self._decided(partition), time.monotonic() + within_s
        while reached <= offset and time.monotonic() < give_up:
            time.sleep(_AGAIN_S)
            before, reached = reached, self._decided(partition)
            if reached > before:
                give_up = time.monotonic() + within_s
        return reached

    def _decided(self, partition: int) -> int:
        """The next command that the shard will decide, by its committed position."""
        progress = last_progress(self._cluster, _STEP, partition, self._codec)
        inputs = () if progress is None else progress["inputs"]
        return next((source["next_offset"] for source in inputs if source["topic"] == topics.COMMANDS), 0)

    def _refused(self, partition: int, start: int) -> dict[str, CommandResult]:
        """The refusals in quarantine from an offset on, by their key."""
        end = end_offset(self._cluster, topics.QUARANTINE, partition)
        found: dict[str, CommandResult] = {}
        for message in committed(self._cluster, topics.QUARANTINE, partition, start, end):
            kept = self._codec.decode(QUARANTINED, message.value())
            if not isinstance(kept, Undecodable):
                found[kept["key"]] = CommandResult(kept["reason"], kept["detail"])
        return found
