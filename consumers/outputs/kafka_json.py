"""Keeps a compacted Kafka topic of JSON, for programs that do not read Avro: a record for each indicator and origin.

The key is ``ORIGIN/ID``; the value has the layout of ``docs/indicator.schema.json``; a removal deletes the key.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumers.outputs.places import activity_of
from consumers.outputs.protocol import (
    EVERY_TYPE,
    Change,
    Output,
    OutputUnavailable,
    Put,
    Target,
)
from consumers.outputs.push import Pushing, Receiver, pushing
from consumers.picture.as_record import record_of
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_NAME: Final = "kafka"
_TIMEOUT_S: Final = 30.0
_SETTINGS: Final = {
    "enable.idempotence": True,  # acks=all, and in order
    "delivery.timeout.ms": int(_TIMEOUT_S * 1000),
    "compression.type": "zstd",
    "reconnect.backoff.max.ms": 1000,
    "log_level": 2,
}


class Topic(Receiver):
    """One topic. ``config`` are librdkafka's settings, with ``bootstrap.servers``."""

    at_once = 5_000

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        self._name, self._config = name, config
        self._producer: Producer | None = None

    def is_known(self, ledger: str) -> bool:
        """Not checked: nothing that is read here shows deletions by hand."""
        return bool(ledger)

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """All of them, acknowledged by all replicas in sync; a record that is too large for the topic is refused."""
        failed = dict[int, KafkaError]()
        try:
            producer = self._producer = self._producer or Producer(self._config)
            for place, change in enumerate(changes):
                about = change.entry if isinstance(change, Put) else change
                producer.produce(
                    self._name,
                    value_of(change),
                    f"{about.origin}/{about.id}",
                    on_delivery=_noted(failed, place),
                )
                producer.poll(0)
            waiting = producer.flush(_TIMEOUT_S)
        except (KafkaException, BufferError) as error:
            self._discard()
            raise OutputUnavailable(f"the topic {self._name} cannot be written: {error}") from error
        refused = {place for place, error in failed.items() if error.code() == KafkaError.MSG_SIZE_TOO_LARGE}
        if waiting or failed.keys() - refused:
            self._discard()
            other = next((error.str() for place, error in failed.items() if place not in refused), "no acknowledgement")
            raise OutputUnavailable(f"the topic {self._name} has not taken {waiting or len(failed)} records: {other}")
        return refused

    def close(self) -> None:
        """Close the producer."""
        self._discard()

    def _discard(self) -> None:
        """Its unsent records must not arrive after those that are sent again."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None


def value_of(change: Change) -> bytes | None:
    """The value of its record: JSON, or None to delete the key."""
    if not isinstance(change, Put):
        return None
    return json.dumps(record_of(change.entry), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _noted(failed: dict[int, KafkaError], place: int) -> Any:
    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed[place] = error

    return note


def config_of(target: Target) -> dict[str, Any]:
    """librdkafka's settings: those of a file of ``name=value`` lines, and ours. Raises ConfigurationError."""
    found, file = dict[str, Any](), target.options.get("config", "")
    try:
        lines = Path(file).read_text("utf-8").splitlines() if file else []
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{_NAME}:{target.place}: config={file}: this file cannot be read: {error}") from error
    for line in lines:
        name, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals:
            raise ConfigurationError(f"{_NAME}:{target.place}: config={file}: a line is not `name=value`")
        found[name.strip()] = value.strip()
    if "brokers" in target.options:
        found["bootstrap.servers"] = target.options["brokers"]
    if not found.get("bootstrap.servers"):
        raise ConfigurationError(
            f"{_NAME}:{target.place}: write brokers=HOST:PORT, or config=FILE with bootstrap.servers"
        )
    return found | _SETTINGS


def _activity(target: Target) -> Activity:
    return activity_of(target, _NAME, Activity.PASSIVE_LOCAL)


def _open(target: Target) -> Pushing:
    _activity(target)
    config = config_of(target)
    return pushing(target, _NAME, Topic(target.place, config), f"{config['bootstrap.servers']}/{target.place}")


OUTPUT: Final = Output(
    name=_NAME,
    writes="compacted topic of JSON; a removal is a deletion",
    place="TOPIC",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={
        "brokers": "`HOST:PORT` of the brokers",
        "config": "a file of librdkafka's settings, `name=value`, for example for TLS",
        "activity": "what its readers do: `passive-local` if not given, `passive-remote` or `active`",
    },
    activity_by=_activity,
)
