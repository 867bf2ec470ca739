"""The guard's fast path: passes, from the bytes alone, a record that the guard would surely pass.

A record differs from the last few thousand in its id, value, version, times and counts; markings, names and labels
repeat. So the bytes are read once, in order, against the one form that our own writer gives them
(Avro 1.12, "Binary Encoding", shortest integers, one block an array), what differs is checked each time, and what
repeats is looked up: **only bytes that ``guard.py`` itself has passed, in the same field of another record,
are known to be good.** Nothing is refused here: any other record goes to the guard, which decides.

A property test shows that both agree on any bytes (``tests/consumers/test_known_good.py``).
"""

import re
from typing import Final

from consumers.bridge import guard, guard_content
from schemas.agreement import Agreement
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_key, shard_of_key
from schemas.local_values import is_local
from schemas.normalise import normalise
from schemas.records import ReleasedIndicator
from schemas.row_writer import zigzag
from schemas.vocabulary import TYPE_BY_LABEL, TYPES_OF_V3, IndicatorType

_KNOWN_AT_MOST: Final = 65_536
_KINDS: Final = {label: kind for label, kind in TYPE_BY_LABEL.items() if kind not in TYPES_OF_V3}
_LONG: Final = rb"([\x00-\x7f]|[\x80-\xff]{1,9}[\x01-\x7f])"  # the shortest form: no trailing zero byte


def _text(text: str) -> bytes:
    return zigzag(len(text.encode())) + text.encode()


def _any_of(texts: "frozenset[str] | set[str]") -> bytes:
    return b"(?:" + (b"|".join(re.escape(_text(text)) for text in sorted(texts)) or b"(?!)") + b")"


def _list(texts: list[str]) -> bytes:
    return b"".join([zigzag(len(texts)), *map(_text, texts)] if texts else []) + b"\x00"


class _Longs(dict[bytes, int]):
    """Integers by their bytes. Times of a batch are few."""

    def __missing__(self, written: bytes) -> int:
        code = 0
        for place, byte in enumerate(written):
            code |= (byte & 0x7F) << (7 * place)
        if len(self) >= _KNOWN_AT_MOST:
            self.clear()
        found = self[written] = (code >> 1) ^ -(code & 1)
        return found


class KnownGood:
    """The bytes that the guard has passed on one link. Not safe for threads."""

    def __init__(self, codec: Codec, agreed: Agreement, shards: int) -> None:
        self._shards = shards
        self._longs, self._markings, self._labels = _Longs(), set[bytes](), set[bytes]()
        origin = re.escape(_text(agreed.nation))
        self._head = re.compile(
            re.escape(codec.reframe(RELEASED_INDICATOR, b""))
            + rb"\x5e(indicator--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\x00" + _LONG + _LONG
            + origin + rb"\x02" + origin + rb"\x00\x00\x02(" + _any_of(set(_KINDS)) + rb")" + _LONG,
            re.DOTALL,
        )  # fmt: skip
        self._marking = re.compile(
            rb"(" + _any_of((guard.FREE_TLP | guard.NAMED_TLP) & agreed.tlp) + _any_of(guard.PAP)
            + rb"(?:[\x02-\x7e](?:\x06[A-Z]{3})+)?\x00"
            + rb"(?:[\x02-\x7e]" + _any_of(agreed.caveats - guard.NEVER) + rb"+)?\x00)" + _LONG,
            re.DOTALL,
        )  # fmt: skip
        self._numbers = re.compile(_LONG * 5 + rb"([\x00-\x7f])", re.DOTALL)
        self._end = re.compile(_LONG + rb"(?:\x00|\x04[A-Z]{2})\Z", re.DOTALL)
        self._kinds = {_text(label): kind for label, kind in _KINDS.items()}

    def passes(self, value: bytes | None, key: bytes | None, partition: int, now_ms: int) -> bool:
        """Whether it is surely content that may leave. False means that the guard must decide."""
        if value is None or len(value) > guard.MAX_BYTES or (head := self._head.match(value)) is None:
            return False
        longs, latest_ms = self._longs, now_ms + guard_content.CLOCK_TOLERANCE_MS
        name, version, recalled, kind, length = head.groups()
        if name != key or not 0 <= longs[recalled] < longs[version] <= latest_ms:
            return False
        begin = head.end()
        end = begin + longs[length]
        marking = self._marking.match(value, end) if begin < end <= len(value) else None
        if marking is None or marking[1] not in self._markings or not -1 <= longs[marking[2]] <= 100:
            return False
        begin_labels = marking.end()
        end_labels = _end_of_labels(value, begin_labels)
        if value[begin_labels:end_labels] not in self._labels:
            return False
        return self._rest_is_good(value, end_labels, begin, end, now_ms) and self._is_itself(
            value[begin:end], self._kinds[kind], name, partition
        )

    def _rest_is_good(self, value: bytes, place: int, begin: int, end: int, now_ms: int) -> bool:
        """Whether times, counts and enrichment are possible."""
        numbers = self._numbers.match(value, place)
        if numbers is None:
            return False
        longs, latest_ms = self._longs, now_ms + guard_content.CLOCK_TOLERANCE_MS
        first, last, sightings, valid, expires = (longs[written] for written in numbers.groups()[:5])
        begin_domain = numbers.end()
        end_domain = begin_domain + (numbers[6][0] >> 1)
        domain = value[begin_domain:end_domain]
        tail = self._end.match(value, end_domain)
        return (
            tail is not None
            and not numbers[6][0] & 1
            and 0 <= first <= last <= latest_ms
            and 0 <= sightings <= guard_content.MAX_SIGHTINGS
            and 0 <= valid <= guard_content.LAST_TIME_MS
            and (expires == 0 or now_ms < expires <= guard_content.LAST_TIME_MS)
            and (not domain or (domain.isascii() and b"." in domain and domain in value[begin:end]))
            and 0 <= longs[tail[1]] <= guard_content.MAX_AS_NUMBER
        )

    def _is_itself(self, written: bytes, kind: IndicatorType, name: bytes, partition: int) -> bool:
        """Whether its id is that of its type and value, the value is canonical, and the partition is the id's."""
        try:
            text = written.decode()
        except UnicodeDecodeError:
            return False
        raw = indicator_key(kind, text)
        return (
            raw.hex().encode() == name[11:].replace(b"-", b"")  # the pattern has checked the dashes
            and shard_of_key(raw, self._shards) == partition
            and normalise(kind, text) == text
            and not is_local(kind, text)
        )

    def learn(self, record: ReleasedIndicator) -> None:
        """Remember the repeating fields of a record that the guard has just passed."""
        content = record["content"]
        if content is None:
            return
        marking = b"".join(
            [_text(content["tlp"]), _text(content["pap"]), _list(content["releasable_to"]), _list(content["caveats"])]
        )
        for known, written in ((self._markings, marking), (self._labels, _list(content["labels"]))):
            if len(known) >= _KNOWN_AT_MOST:
                known.clear()
            known.add(written)


def _end_of_labels(value: bytes, place: int) -> int:
    """The end of a list of short texts; its beginning if it is not one, so that the slice is empty."""
    begin, size = place, len(value)
    if place >= size:
        return begin
    count = value[place]
    place += 1
    if count:
        for _ in range(count >> 1):
            if place >= size or value[place] >= 0x80 or value[place] & 1:
                return begin
            place += 1 + (value[place] >> 1)
        if count >= 0x80 or count & 1 or place >= size or value[place]:
            return begin
        place += 1
    return place
