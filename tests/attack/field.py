"""Where attacks take place: two nations at work on real clusters, and the hands of those who attack them."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer

from consumers.desk.commands import CommandDesk, command
from exchange.clock import now_ms
from exchange.kafka.clients import idempotent_producer
from exchange.protocol.record import Headers, Record
from schemas import topics
from schemas.codec import (
    COMMAND,
    INDICATOR,
    QUARANTINED,
    RELEASED_INDICATOR,
    REVIEW_PENDING,
    SENSOR_REPORT,
    Codec,
    Undecodable,
)
from schemas.identity import indicator_id, indicator_key, key_of_id, shard_of_key, shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import Command, ReleasedIndicator
from schemas.vocabulary import CommandKind, IndicatorType
from tests.builders import a_report
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.officers import key_of, signed_by
from tests.reference.reading import Reading

HOME: Final = "GBR"
PARTNER: Final = "JPN"
WITHIN_S: Final = 25.0
_AGAIN_S: Final = 0.2
CODEC: Final = Codec()


@dataclass(frozen=True, slots=True)
class Target:
    """An indicator of one attack alone."""

    value: str
    kind: IndicatorType = IndicatorType.FILE_SHA256

    @property
    def name(self) -> str:
        """Its id."""
        return indicator_id(indicator_key(self.kind, self.value))

    def seen(self, tlp: str, **fields: Any) -> Observation:
        """Someone's observation of it."""
        marking = {name: fields.pop(name) for name in ("releasable_to", "caveats", "pap") if name in fields}
        return Observation(
            kind=self.kind, value=self.value, marking=SourceMarking(tlp, **marking), **{"confidence": 80, **fields}
        )


def a_target() -> Target:
    """A hash that no one has seen."""
    return Target(sha256(uuid.uuid4().bytes).hexdigest())


@dataclass
class Field:
    """GBR is attacked, JPN is its partner. ``folder`` is for files."""

    nations: Nations
    folder: Path
    _readings: dict[str, Reading] = field(default_factory=dict)
    _producers: dict[str, Producer] = field(default_factory=dict)
    _sequences: dict[tuple[str, int], int] = field(default_factory=dict)
    _epoch: int = field(default_factory=lambda: now_ms() - 60_000)

    # -- hands ---------------------------------------------------------------------------------------------------

    def reports(
        self,
        sensor: str,
        *seen: Observation,
        by: str = "",
        later_ms: int = 0,
        sequence: int | None = None,
        **fields: Any,
    ) -> str:
        """A report under a sensor's name, ``later_ms`` after its epoch, with the signature of ``by``; its quarantine
        key if it is refused."""
        epoch = self._epoch + later_ms
        number = self._sequences.get((sensor, epoch), -1) + 1 if sequence is None else sequence
        self._sequences[sensor, epoch] = number
        report = a_report(seen, nation=HOME, sensor=sensor, epoch=epoch, sequence=number, **fields)
        value = CODEC.encode(SENSOR_REPORT, report)
        return self.sends(sensor, value, signed_by(by, value) if by else ())

    def sends(self, sensor: str, value: bytes, headers: Headers = ()) -> str:
        """Any bytes as a sensor's report; its quarantine key."""
        shard = shard_of_sensor(sensor, self.nations.shards)
        return f"{self.writes(HOME, topics.SENSOR_REPORTS, shard, sensor.encode(), value, headers)}--1"

    def writes(
        self, nation: str, topic: str, shard: int, key: bytes, value: bytes | None, headers: Headers = ()
    ) -> str:
        """Any record onto any topic; its position."""
        placed: list[int] = []
        if nation not in self._producers:
            self._producers[nation] = idempotent_producer(self.nations.clusters[nation])
        producer = self._producers[nation]
        producer.produce(
            topic,
            value,
            key,
            shard,
            headers=[*headers],
            on_delivery=lambda error, message: placed.append(-1 if error else message.offset() or 0),
        )
        producer.flush(30)
        if not placed or placed[0] < 0:
            raise TimeoutError(f"{topic} of {nation} has not taken the record")
        return f"{topic}-{shard}-{placed[0]}"

    def releases_by_hand(self, record: ReleasedIndicator) -> str:
        """A record onto GBR's released topic, past the rules; its quarantine key."""
        return self._by_hand(HOME, topics.released(PARTNER), record)

    def sends_as_partner(self, record: ReleasedIndicator) -> str:
        """A record into JPN's inbox of GBR, as a hostile bridge of GBR writes it."""
        return self._by_hand(PARTNER, topics.inbox(HOME), record)

    def _by_hand(self, nation: str, topic: str, record: ReleasedIndicator) -> str:
        shard = shard_of_key(key_of_id(record["id"]), self.nations.shards)
        value = CODEC.encode(RELEASED_INDICATOR, record)
        return f"{self.writes(nation, topic, shard, record['id'].encode(), value)}--1"

    def commands(self, person: str, kind: CommandKind, target: Target, **fields: Any) -> str:
        """An officer's command through the desk; why it was refused, "obeyed" if it was not."""
        desk = CommandDesk(self.nations.clusters[HOME], self.nations.shards, key_of(person))
        made = command(kind, HOME, target.name, reason="an attack", now_ms=now_ms(), **fields)
        [sent] = desk.send([made])
        result = desk.result(sent, WITHIN_S)
        return "no answer" if result is None else result.reason or "obeyed"

    def writes_command(self, made: Command | bytes, name: str) -> str:
        """Any command's bytes, once more or by anyone; its quarantine key."""
        value = made if isinstance(made, bytes) else CODEC.encode(COMMAND, made)
        shard = shard_of_key(key_of_id(name), self.nations.shards)
        return f"{self.writes(HOME, topics.COMMANDS, shard, name.encode(), value)}--1"

    def command_line(self, *arguments: str) -> Any:
        """The real command line with the settings of all roles."""
        return kakehashi(*arguments, within=self.folder, **self.nations.environ)

    # -- eyes ----------------------------------------------------------------------------------------------------

    def records(self, nation: str, topic: str) -> Sequence[Record]:
        """All records of a topic."""
        key = f"{nation}/{topic}"
        if key not in self._readings:
            self._readings[key] = Reading(self.nations.clusters[nation], [topic], self.nations.shards)
        self._readings[key].look()
        return self._readings[key].records[topic]

    def decoded(self, nation: str, topic: str, schema: str, name: str = "") -> list[dict[str, Any]]:
        """Those that can be read, of one key if ``name`` is given."""
        found = [
            CODEC.decode(schema, record.value)
            for record in self.records(nation, topic)
            if record.value is not None and name in ("", (record.key or b"").decode())
        ]
        return [each for each in found if not isinstance(each, Undecodable)]

    def refused(self, key: str, nation: str = HOME) -> str:
        """Why the record with this quarantine key was refused; "accepted" if it was not (yet)."""
        found = self.decoded(nation, topics.QUARANTINE, QUARANTINED, key)
        return f"refused: {found[-1]['reason']}" if found else "accepted"

    def detail(self, key: str) -> str:
        """What the refusal of the record with this quarantine key states; "accepted" if there is none (yet)."""
        found = self.decoded(HOME, topics.QUARANTINE, QUARANTINED, key)
        return str(found[-1]["detail"]) if found else "accepted"

    def accepted(self, target: Target) -> list[dict[str, Any]]:
        """What JPN has accepted of it, version by version."""
        return self.decoded(PARTNER, topics.accepted(HOME), RELEASED_INDICATOR, target.name)

    def kinds(self, target: Target) -> str:
        """The kinds of what JPN has accepted of it; "nothing" if there is none."""
        return ", ".join(each["kind"] for each in self.accepted(target)) or "nothing"

    def national(self, target: Target) -> list[dict[str, Any]]:
        """GBR's own records of it."""
        return self.decoded(HOME, topics.NATIONAL, INDICATOR, target.name)

    def question(self, target: Target) -> dict[str, Any] | None:
        """What officers are asked about it now."""
        key = f"{target.name}/{PARTNER}".encode()
        last = [record.value for record in self.records(HOME, topics.REVIEW_PENDING) if record.key == key][-1:]
        found = CODEC.decode(REVIEW_PENDING, last[0]) if last and last[0] is not None else None
        return None if found is None or isinstance(found, Undecodable) else found

    def questions(self, target: Target) -> list[dict[str, Any]]:
        """All that officers were ever asked about it."""
        return self.decoded(HOME, topics.REVIEW_PENDING, REVIEW_PENDING, f"{target.name}/{PARTNER}")

    def until(self, look: Callable[[], str], expected: str, within_s: float = WITHIN_S) -> str:
        """What is seen, once it is what is expected, or when the time is over."""
        give_up = time.monotonic() + within_s
        while (found := look()) != expected and time.monotonic() < give_up:
            time.sleep(_AGAIN_S)
        return found

    def after_a_probe(self, look: Callable[[], str]) -> str:
        """What is seen once a later, harmless indicator has gone all the way: what was to come by then has come."""
        for shard in range(self.nations.shards):
            probe = next(each for each in iter(a_target, None) if self._shard_of(each) == shard)
            self.reports("probe-1", probe.seen("TLP:CLEAR"))
            if self.until(lambda probe=probe: self.kinds(probe), "content") != "content":  # type: ignore[misc]
                return f"no indicator of shard {shard} passes any more"
        return look()

    def _shard_of(self, target: Target) -> int:
        return shard_of_key(key_of_id(target.name), self.nations.shards)

    def close(self) -> None:
        """Stop reading."""
        for reading in self._readings.values():
            reading.close()
