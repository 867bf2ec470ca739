"""(j) The picture: how fast it is built, its size, its answers.

In a process of its own, so that its peak memory is its own. The records come encoded from memory, as they come from a
topic: what Kafka takes to hand them on is not in it.
"""

import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.released import release
from bench.role import answered
from bench.stand import HOME, PARTNER
from consumers.picture.erase import Erasing
from consumers.picture.filters import Filter
from consumers.picture.keep import Origin, take
from consumers.picture.picture import Picture
from consumers.picture.tables import connect, path_of
from consumers.subscription.subscription import Look, Portion
from exchange.clock import now_ms
from exchange.protocol.record import Record
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.records import ReleasedIndicator
from schemas.topics import DAY_MS, accepted
from schemas.vocabulary import IndicatorType

SHARDS: Final = 4
ASKED: Final = 1_000
_LABELS: Final = ("botnet", "phishing", "attack.t1566.001", "malware:quartz", "c2", "scanner", "attack.t1071", "loader")
_TLPS: Final = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER")


class Records:
    """A partner's topic in memory: as many encoded records as asked for, each of another indicator."""

    def __init__(self, size: int, seed: int, at_ms: int) -> None:
        self._shards: dict[int, list[Record]] = {number: [] for number in range(SHARDS)}
        codec, chance = Codec(), Random(seed)
        words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(2_000)]
        for number in range(size):
            kind, value = _value(number, chance, words)
            key = indicator_key(kind, value)
            record = _released(indicator_id(key), kind, value, chance, at_ms)
            held = self._shards[shard_of_key(key, SHARDS)]
            held.append(
                Record(
                    accepted(HOME),
                    shard_of_key(key, SHARDS),
                    len(held),
                    record["id"].encode(),
                    codec.encode(RELEASED_INDICATOR, record),
                    at_ms - chance.randrange(30 * DAY_MS),
                )
            )

    def look(self) -> Look:
        """All of it."""
        return Look("bench", {number: (0, len(records)) for number, records in self._shards.items()})

    def read(self, partition: int, start: int, end: int) -> Iterator[Record]:
        """From one offset to another."""
        yield from self._shards[partition][start:end]

    def follow(self, next_offsets: Mapping[int, int], stopping: Callable[[], bool]) -> Iterator[Portion]:
        """Nothing comes after it."""
        del next_offsets, stopping
        yield from ()

    @contextmanager
    def opened(self) -> Iterator["Records"]:
        """As a source."""
        yield self

    def ids(self, chance: Random, count: int) -> list[str]:
        """Some of their ids."""
        every = [record for records in self._shards.values() for record in records]
        return [(record.key or b"").decode() for record in chance.choices(every, k=count)]


def measure(size: int, seed: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        return answered([sys.executable, "-m", "bench.picture", folder, str(size), str(seed)])


def built(folder: Path, records: Records) -> Path:
    """The file of a picture of these records of one partner."""
    path = path_of(folder, PARTNER)
    keeper = take(path, PARTNER, now_ms)
    if keeper is None:
        raise RuntimeError("the picture is new")
    with keeper:
        keeper.catch_up({HOME: Origin(HOME, accepted(HOME), records.opened)}, Codec())
    return path


def _measure(folder: Path, size: int, seed: int) -> dict[str, Any]:
    at_ms = now_ms()
    records, chance = Records(size, seed, at_ms), Random(seed)
    before_mib = _peak_mib()
    began, began_cpu = time.monotonic(), time.process_time()
    path = built(folder, records)
    built_s, built_cpu_s = time.monotonic() - began, time.process_time() - began_cpu
    with Picture(path, PARTNER, now_ms) as picture:
        if picture.count() != size:
            raise RuntimeError(f"the picture has {picture.count()} indicators of {size}")
        asked = records.ids(chance, ASKED)
        answers = [_timed("get", lambda: picture.get(asked.pop()), ASKED)]
        answers += [
            _timed(name, partial(_found, picture, filters), ASKED // 20) for name, filters in _searches(at_ms).items()
        ]
    mib = sum(file.stat().st_size for file in path.parent.iterdir()) / (1 << 20)
    return {
        "indicators": size,
        "built_s": round(built_s, 1),
        "built_cpu_s": round(built_cpu_s, 1),
        "rate": round(size / built_s),
        "mib": round(mib),
        "peak_mib": round(_peak_mib() - before_mib),
        **_erase(connect(path, writes=True), path),
        "answers": answers,
    }


def _searches(at_ms: int) -> dict[str, Filter]:
    return {
        "search: two words": Filter(text="aster quartz"),
        "search: the beginning of a word": Filter(text="ab"),
        "search: a label": Filter(labels=("malware:quartz",)),
        "search: a technique": Filter(techniques=("T1566",)),
        "search: the beginning of a value": Filter(prefix="10.4"),
        "search: an address, both ways": Filter(cidr="10.20.30.40"),
        "search: a network, both ways": Filter(cidr="10.20.0.0/16"),
        "search: since an hour, from 90": Filter(since_ms=at_ms - 3_600_000, confidence=90),
        "search: facets that nothing has": Filter(ceiling="TLP:CLEAR", confidence=100, seen_since_ms=at_ms + 1),
    }


def _found(picture: Picture, filters: Filter) -> object:
    """The first hundred, as `kakehashi search` shows them."""
    return list(picture.search(filters, 100))


def _timed(name: str, ask: Callable[[], Any], times: int) -> dict[str, Any]:
    """The median and the 99th percentile, in milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return {"name": name, "p50_ms": round(taken[times // 2], 2), "p99_ms": round(taken[times * 99 // 100], 2)}


def _erase(database: sqlite3.Connection, path: Path) -> dict[str, float]:
    """How long the files take to lose recalled content, and the longest time for which a change waits."""
    database.execute("UPDATE about SET erase_us = 1")
    began, steps = time.monotonic(), list[float]()
    erasing = Erasing(database, path)
    while not erasing.is_done:
        step_began = time.monotonic()
        if not erasing.step():
            raise RuntimeError("somebody reads the picture of the bench")
        steps.append(time.monotonic() - step_began)
    database.close()
    steps.sort()
    return {
        "erase_s": round(time.monotonic() - began, 1),
        "erase_step_p99_ms": round(steps[len(steps) * 99 // 100] * 1000, 1),
        "erase_step_most_ms": round(steps[-1] * 1000, 1),
    }


def _value(number: int, chance: Random, words: list[str]) -> tuple[IndicatorType, str]:
    """Four addresses to three names, one URL and two hashes."""
    match number % 10:
        case 0 | 1 | 2 | 3:
            return IndicatorType.IPV4_ADDR, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        case 4 | 5 | 6:
            one, two, three = chance.choices(words, k=3)
            return IndicatorType.DOMAIN_NAME, f"{one}-{two}{number}.{three}.example"
        case 7:
            one, two = chance.choices(words, k=2)
            return IndicatorType.URL, f"http://{one}{number}.example/{two}/{number}.php"
        case _:
            return IndicatorType.FILE_SHA256, f"{chance.getrandbits(256):064x}"


def _released(identifier: str, kind: IndicatorType, value: str, chance: Random, at_ms: int) -> ReleasedIndicator:
    return release(
        identifier,
        kind,
        value,
        at_ms,
        tlp=chance.choice(_TLPS),
        confidence=chance.randrange(100),
        labels=chance.sample(_LABELS, 2),
        first_seen_ms=at_ms - 40 * DAY_MS,
        last_seen_ms=at_ms - chance.randrange(30 * DAY_MS),
        sightings=chance.randrange(50),
        valid_until_ms=at_ms + 30 * DAY_MS,
        asn=64500,
        country="NL",
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
