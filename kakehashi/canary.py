"""Sends the canary through the whole path, and times each hop: report, national record, release, the partner's receipt.

The canary is asserted for an hour at most, and withdrawn at the end of each run: so the next run is news again, and
goes the way of a new indicator. An assertion left by a killed run is ended first.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from consumers.subscription.subscription import latest
from consumers.subscription.topic_reader import TopicReader
from exchange.clock import now_ms
from exchange.errors import DeliveryTimeout, Refused
from exchange.kafka.clients import Cluster
from producers.report import report_of
from producers.signing import signing
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from schemas import topics
from schemas.canary import CANARY_ID, CANARY_KEY, CANARY_VALUE
from schemas.codec import INDICATOR, RECEIPT, RELEASED_INDICATOR, SENSOR_REPORT, SENSOR_REPORT_V2, Undecodable
from schemas.identity import key_of_id, shard_of_key, shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import Receipt
from schemas.vocabulary import IndicatorType, RecordKind, Withdrawal

_TOOL: Final = "canary"
_LOOK_S: Final = 0.1
_VALID_MS: Final = 60 * 60 * 1000
_SENDS_S: Final = 30.0
_ASSERTED: Final = Observation(
    IndicatorType.DOMAIN_NAME,
    CANARY_VALUE,
    confidence=90,
    marking=SourceMarking(tlp="TLP:GREEN"),
    description="a test of the exchange, and no indicator",
)
_WITHDRAWN: Final = Observation(IndicatorType.DOMAIN_NAME, CANARY_VALUE, withdrawal=Withdrawal.LAPSED)


@dataclass(frozen=True, slots=True)
class Hop:
    """A place that the canary has reached, and how long after it was reported, in milliseconds."""

    name: str
    after_ms: int


class Canary:
    """One run from one nation to one partner. ``hops`` yields each hop as it is reached."""

    def __init__(
        self, cluster: Cluster, partner: str, shards: int, spool: Spool, sensor: str, key: Path | None
    ) -> None:
        """``key`` is the file with the sensor's key; None if it need not sign."""
        self._cluster, self._partner, self._spool, self._sensor = cluster, partner, spool, sensor
        self._codec = cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2)
        self._publisher = Publisher(cluster, spool, sensor, signing(self._codec, key))
        self._readers: dict[str, TopicReader] = {}
        self._shard, self._shard_of_sensor = shard_of_key(key_of_id(CANARY_ID), shards), shard_of_sensor(sensor, shards)

    def hops(self, timeout_s: float) -> Iterator[Hop]:
        """Send it and time each hop. Raises Refused if it does not arrive within ``timeout_s``, or is refused."""
        give_up_s = time.monotonic() + timeout_s
        with ExitStack() as stack:
            self._readers = {name: stack.enter_context(TopicReader(self._cluster, name)) for name in self._topics}
            released = topics.released(self._partner)
            if self._is_held(self._readers[released]):  # of a run that was killed, or of one a moment ago
                before = self._ends()
                self._send(_WITHDRAWN)
                self._await("ended", released, before, lambda each: each["kind"] != RecordKind.CONTENT, give_up_s)
            before = self._ends()
            try:
                self._send(_ASSERTED)
                yield from self._followed(before, give_up_s)
            finally:
                with suppress(DeliveryTimeout):  # it is in the spool: the next run sends it
                    self._send(_WITHDRAWN)

    @property
    def _topics(self) -> tuple[str, ...]:
        partner = self._partner
        return topics.SENSOR_REPORTS, topics.NATIONAL, topics.released(partner), topics.partner_receipts(partner)

    def _followed(self, before: dict[str, int], give_up_s: float) -> Iterator[Hop]:
        """Each hop after the report."""
        reports, national, released, receipts = self._topics
        sequence = self._spool.next_sequence() - 1
        began_ms, _ = self._await("reported", reports, before, self._is_ours(sequence), give_up_s)
        yield Hop("reported", 0)

        def is_content(record: dict[str, Any]) -> bool:
            return str(record["kind"]) == RecordKind.CONTENT

        at_ms, _ = self._await("merged", national, before, is_content, give_up_s)
        yield Hop("merged", at_ms - began_ms)
        at_ms, record = self._await("released", released, before, is_content, give_up_s)
        yield Hop("released", at_ms - began_ms)
        version = record["version"]
        at_ms, receipt = self._await("received", receipts, before, lambda each: each["version"] >= version, give_up_s)
        answer = cast("Receipt", receipt)
        if answer["code"] == "refused":
            raise Refused(f"{self._partner} has refused the canary: {answer['reason']}")
        yield Hop("received", at_ms - began_ms)

    def _is_ours(self, sequence: int) -> Callable[[dict[str, Any]], bool]:
        return lambda each: (
            (each["sensor"], each["epoch"], each["sequence"])
            == (
                self._sensor,
                self._spool.epoch,
                sequence,
            )
        )

    def _await(
        self,
        hop: str,
        name: str,
        before: dict[str, int],
        is_it: Callable[[dict[str, Any]], bool],
        give_up_s: float,
    ) -> tuple[int, dict[str, Any]]:
        """The time and content of its first record after ``before``. Raises Refused when time is over."""
        reader, start, nation = self._readers[name], before[name], self._cluster.nation
        while True:
            shard = self._shard_in(name)
            end = reader.bounds(shard)[1]
            for record in reader.read(shard, start, end):
                start = record.offset + 1
                found = None if record.value is None else self._decoded(name, record.value)
                is_about = name == topics.SENSOR_REPORTS or (record.key or b"").startswith(CANARY_KEY)
                if found is not None and is_about and is_it(found):
                    return record.timestamp_ms, found
            if time.monotonic() > give_up_s:
                raise Refused(
                    f"the canary was not {hop} in time: {nation} to {self._partner}. `kakehashi wait --nation "
                    f"{nation} --partner {self._partner} --timeout 1` names the workers and bridges that do not run, "
                    f"`kakehashi explain {CANARY_VALUE} --nation {nation}` has the decision, and `kakehashi quarantine "
                    f"list --nation {nation}` what was refused"
                )
            self._publisher.pump(_LOOK_S)

    def _decoded(self, topic: str, value: bytes) -> dict[str, Any] | None:
        schemas = dict(zip(self._topics, (SENSOR_REPORT, INDICATOR, RELEASED_INDICATOR, RECEIPT), strict=True))
        found = self._codec.decode(schemas[topic], value)
        return None if isinstance(found, Undecodable) else found

    def _is_held(self, released: TopicReader) -> bool:
        """Whether the partner has it now."""
        last = latest(each for each in released.records(self._shard) if each.key == CANARY_KEY)
        found = [self._codec.decode(RELEASED_INDICATOR, each.value) for each in last]
        return any(not isinstance(each, Undecodable) and each["kind"] == RecordKind.CONTENT for each in found)

    def _ends(self) -> dict[str, int]:
        return {name: reader.bounds(self._shard_in(name))[1] for name, reader in self._readers.items()}

    def _shard_in(self, topic: str) -> int:
        return self._shard_of_sensor if topic == topics.SENSOR_REPORTS else self._shard

    def _send(self, observation: Observation) -> None:
        """Report it, and wait until the cluster has it."""
        at_ms = now_ms()
        end_ms = 0 if observation.withdrawal else at_ms + _VALID_MS
        report = report_of(
            [_at(observation, at_ms, end_ms)],
            nation=self._cluster.nation,
            sensor=self._sensor,
            epoch=self._spool.epoch,
            sequence=self._spool.next_sequence(),
            produced_at_ms=at_ms,
            tool=_TOOL,
        )
        value = self._codec.encode(SENSOR_REPORT, report)
        self._spool.append(None, report=(self._sensor.encode(), value, 1), now_ms=at_ms)
        self._publisher.drain(_SENDS_S)


def _at(observation: Observation, at_ms: int, end_ms: int) -> Observation:
    return msgspec.structs.replace(observation, first_seen_ms=at_ms, last_seen_ms=at_ms, valid_until_ms=end_ms)
