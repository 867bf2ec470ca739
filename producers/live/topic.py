"""Takes the lines of a Kafka topic, each record once: ``kafka+tls://HOST:PORT/TOPIC``, or ``kafka://`` without TLS.

A document has the values of records that state the same about sharing, in the order of their partitions. The position
is the next offset of each partition; no group commits anything. Records of aborted transactions are not read.

What a record's headers or key state about sharing counts for its lines, as the properties that a collector writes do.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from exchange.errors import ConfigurationError, TransientError
from producers.live.documents import Document, Documents, Gap, LiveInput, Position
from producers.live.server import secret_in
from producers.markings.marked import Marked, joined
from producers.markings.properties import of_properties
from producers.markings.understanding import of_prose

SCHEMES: Final = ("kafka+tls://", "kafka://")
MOST_BYTES: Final = 4 << 20
"""Lines of one document; the rest goes into the next one."""
_LONGEST_REMEMBERED: Final = 1024
_AT_ONCE: Final = 10_000
_CALL_S: Final = 10.0
_WAIT_S: Final = 0.5
_ASK_AGAIN_S: Final = 60.0  # partitions may have been added
_MECHANISM: Final = "SCRAM-SHA-512"
_ALL_DOWN: Final = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - the client names it so
_DENIED: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)


class _State(Position):
    """``offsets`` are the next ones, by partition."""

    offsets: dict[int, int] = msgspec.field(default_factory=dict)


def lines(place: LiveInput) -> Generator[Document | Gap, None, None]:
    """Documents of the records behind the last ones: those that are there now, or if it is followed until it stops.

    Raises TransientError if the cluster does not answer, ConfigurationError if it refuses or does not have the topic.
    """
    documents = Documents(place.folder, place.address, _State())
    yield from documents.unread()
    trouble: list[KafkaError] = []
    topic, settings = _settings(place)
    consumer = Consumer(settings | {"error_cb": trouble.append})
    try:
        while not place.is_stopping:
            partitions, gaps = _begun(consumer, topic, documents.state.offsets, trouble)
            yield from gaps
            ended, asked_again_at = set[int](), time.monotonic() + _ASK_AGAIN_S
            while time.monotonic() < asked_again_at:
                got = consumer.consume(_AT_ONCE, _WAIT_S)
                for around, group in groupby(_taken(got, ended, trouble), key=_around):
                    yield from _documents(documents, around, group)
                if place.stop.requested or (not place.is_followed and ended >= partitions):
                    return
    finally:
        consumer.close()


def _settings(place: LiveInput) -> tuple[str, dict[str, Any]]:
    """The topic, and the consumer's settings. Raises ConfigurationError for credentials that would not be encrypted."""
    parts = urlsplit(place.address)
    topic, query = parts.path.strip("/"), parse_qs(parts.query)
    is_secured = parts.scheme == "kafka+tls"
    settings: dict[str, Any] = {
        "bootstrap.servers": parts.netloc,
        "group.id": "kakehashi-produce",  # the client needs one; nothing is committed to it
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",  # records that are gone are a gap, never passed over in silence
        "isolation.level": "read_committed",
        "security.protocol": "SSL" if is_secured else "PLAINTEXT",
    }
    if place.authorities is not None:
        settings["ssl.ca.location"] = str(place.authorities)
    if place.credentials is not None:
        user, colon, secret = secret_in(place.credentials).partition(":")
        if not is_secured or not colon:
            raise ConfigurationError(f"{place.credentials}: has user:password, for a topic at kafka+tls://…")
        settings |= {"security.protocol": "SASL_SSL", "sasl.username": user, "sasl.password": secret}
        settings["sasl.mechanism"] = query.get("mechanism", [_MECHANISM])[0]
    return topic, settings


def _begun(
    consumer: Consumer, topic: str, offsets: dict[int, int], trouble: list[KafkaError]
) -> tuple[set[int], list[Gap]]:
    """Begin to read all partitions where the last document has ended; records lost there are a gap."""
    try:
        found = consumer.list_topics(topic, _CALL_S).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        bounds = {n: consumer.get_watermark_offsets(TopicPartition(topic, n), _CALL_S) for n in found.partitions}
    except KafkaException as error:
        raise _failure(topic, trouble[-1] if trouble else error.args[0]) from error
    gaps = []
    for number, (low, high) in bounds.items():
        at = offsets.get(number, low)
        if not low <= at <= high:
            why = f"from {at} to {low} are gone: they were deleted" if at < low else "was made anew"
            gaps.append(Gap(f"{topic}: partition {number} {why} before they were read"))
            at = low
        offsets[number] = at
    consumer.assign([TopicPartition(topic, number, offsets[number]) for number in bounds])
    return set(bounds), gaps


def _taken(got: list[Message], ended: set[int], trouble: list[KafkaError]) -> list[Message]:
    """The records among what the client gives, and which partitions have no more for now."""
    for each in got:
        error = each.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            ended.add(_number(each.partition()))
        elif error is not None:
            raise _failure(str(each.topic()), error)
        else:
            ended.discard(_number(each.partition()))
    refused = next((error for error in trouble if error.code() in _DENIED), None)
    unreachable = next((error for error in trouble if error.code() == _ALL_DOWN), None)
    trouble.clear()
    if refused or (unreachable and not got):
        raise _failure("the cluster", refused or unreachable)
    return sorted((each for each in got if each.error() is None), key=lambda each: _number(each.partition()))


def _documents(documents: Documents[_State], stated: Marked, records: Iterable[Message]) -> Iterator[Document]:
    """Documents of records that state the same."""
    content, size, offsets = list[bytes](), 0, dict(documents.state.offsets)
    for each in records:
        value = each.value() or b""
        content.append(value.rstrip(b"\r\n") + b"\n")
        size += len(value)
        offsets[_number(each.partition())] = _number(each.offset()) + 1
        if size >= MOST_BYTES:
            yield documents.put(content, _State(offsets=offsets, stated=stated), ".txt")
            content, size, offsets = [], 0, dict(offsets)
    if content:
        yield documents.put(content, _State(offsets=offsets, stated=stated), ".txt")


def _around(record: Message) -> Marked:
    """What a record's headers and key state about sharing."""
    headers: tuple[Any, ...] = tuple(record.headers() or ())
    key: Any = record.key() or b""
    size = len(key) + sum(len(name) + len(value or b"") for name, value in headers)
    return (_remembered if size <= _LONGEST_REMEMBERED else _stated)(headers, key)


def _stated(headers: tuple[tuple[str, bytes | None], ...], key: bytes) -> Marked:
    texts = ({name: (value or b"").decode("utf-8", "replace")} for name, value in headers)  # a name may be there twice
    of_headers = joined(of_properties(each, (), "header") for each in texts)
    return of_headers.join(of_prose(key.decode("utf-8", "replace"), "key"))


_remembered: Final = lru_cache(1024)(_stated)


def _failure(topic: str, error: KafkaError | None) -> TransientError | ConfigurationError:
    if error is not None and error.code() in _DENIED:
        return ConfigurationError(f"{topic} may not be read: {error.str()}: check the credentials and the ACLs")
    if error is not None and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return ConfigurationError(f"there is no topic {topic}: is the address right?")
    return TransientError(f"{topic} cannot be read: {'' if error is None else error.str()}. Run it again")


def _number(stated: int | None) -> int:
    if stated is None:
        raise RuntimeError("a record of Kafka without a position")
    return stated
