"""(e) The bridge with its guard, against MirrorMaker 2 exactly-once and a bare transactional consume-produce loop."""

import os
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bench import fast_lane, mirror_maker
from bench.arrived import why_void
from bench.far import ROUND_TRIPS_MS, Far, far_partner
from bench.progress import StepProgress
from bench.publish import Publisher, Sending, per_partition
from bench.released import release
from bench.role import Role, cpu_seconds, peak_resident_bytes
from bench.stand import HOME, PARTNER, SHARDS, Stand
from bench.trickle import trickle
from bench.workload import observation
from exchange.errors import ExchangeError
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.normalise import Invalid, canonical
from schemas.records import ReleasedIndicator
from schemas.vocabulary import EndReason

_DONE_S: Final = 300.0
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_WARM_UP: Final = 2_000
_TRICKLE: Final = 300
_PROBES: Final = 4_000
_FAR: Final = 12
_BESIDE: Final = 4
_NARROW: Final = 512 << 10  # bytes a second: far less than these two cores carry, so that the link is the limit

BRIDGE: Final = "kakehashi bridge"
MIRROR_MAKER: Final = "MirrorMaker 2"
BARE_LOOP: Final = "bare loop"


@dataclass(frozen=True, slots=True)
class _Parts:
    """The same records for each: the warm-up, the measured ones, and those sent one by one."""

    warm_up: list[Sending]
    bulk: list[Sending]
    trickle: list[Sending]


def measure(stand: Stand, records: int, seed: int, now_ms: int, rounds: int, far: int = _FAR) -> dict[str, Any]:
    """All three, in turns, over the same released records: rate, processor time, memory, time of a single record.

    If MirrorMaker 2 cannot be fetched it is left out; ``left_out`` is then the reason.
    Over a distance the bridge alone, in turns, ``far`` times as many: the first and the last transaction of a run are
    waited for alone, a second each, and must not be what is measured.
    """
    sendings = released_records(_WARM_UP + far * records + _TRICKLE, seed, now_ms)
    warm_up, bulk, single = sendings[:_WARM_UP], sendings[_WARM_UP:-_TRICKLE], sendings[-_TRICKLE:]
    parts = _Parts(warm_up, bulk[:records], single)
    left_out = _left_out()
    copiers = (BRIDGE, BARE_LOOP) if left_out else (BRIDGE, MIRROR_MAKER, BARE_LOOP)
    runs = [_one(stand, what, parts, {}) for _ in range(rounds) for what in copiers]
    probes = urgent_records(_PROBES, seed + 1, now_ms)
    with far_partner(stand, dict(os.environ)) as away:
        far_runs = _far(away, _Parts(warm_up, bulk, single), rounds)
        lanes = [
            _fast_lane(away, round_trip_ms, 0, bulk[: _BESIDE * records], probes) for round_trip_ms in ROUND_TRIPS_MS
        ]
        lanes.append(_fast_lane(away, max(ROUND_TRIPS_MS), _NARROW, parts.bulk, probes))
    return {
        "records": records,
        "bytes": sum(len(each.value) for each in sendings) // len(sendings),
        "runs": runs,
        "left_out": left_out,
        "far_records": len(bulk),
        "far": far_runs,
        "kept": kept(far_runs),
        "fast_lane": lanes,
    }


def _left_out() -> str:
    """Why MirrorMaker 2 is left out; empty if it is not."""
    try:
        mirror_maker.fetched()
    except ExchangeError as error:
        why = f"{MIRROR_MAKER} is left out, because its jars could not be fetched: {error}"
        print(f"  {why}", file=sys.stderr, flush=True)
        return why
    return ""


def released_records(count: int, seed: int, now_ms: int, caveats: Sequence[str] = ()) -> list[Sending]:
    """Records that the guard passes, as correlate would write them."""
    codec, dice = Codec(), random.Random(seed)
    found: list[Sending] = []
    number = 0
    while len(found) < count:
        seen = observation(seed, number, 1, now_ms)
        number += 1
        known = canonical(seen.kind, seen.value)
        if isinstance(known, Invalid):
            raise AssertionError(f"the generator made an invalid value: {known.detail}")
        key = indicator_key(*known)
        hour_ms = now_ms - now_ms % _HOUR_MS - _HOUR_MS
        record = release(
            indicator_id(key),
            *known,
            now_ms,
            caveats=list(caveats),
            first_seen_ms=hour_ms,
            last_seen_ms=hour_ms,
            sightings=dice.randint(1, 1000),
            release_expires_ms=now_ms + 180 * _DAY_MS,
        )
        found.append(
            Sending(shard_of_key(key, SHARDS), record["id"].encode(), codec.encode(RELEASED_INDICATOR, record))
        )
    return found


def urgent_records(count: int, seed: int, now_ms: int) -> list[Sending]:
    """Records for the fast lane: content of a declared incident, and every second one a recall."""
    codec = Codec()
    found = released_records(count, seed, now_ms, ["INCIDENT"])
    for number in range(0, count, 2):
        name = found[number].key.decode()
        recall: ReleasedIndicator = {
            "id": name,
            "kind": "recalled",
            "version": now_ms,
            "recalled_through": now_ms - 1,
            "origin": HOME,
            "hops": [HOME],
            "reason": str(EndReason.RECALLED_BY_HAND),
            "content": None,
        }
        value = codec.encode(RELEASED_INDICATOR, recall)
        found[number] = Sending(found[number].partition, found[number].key, value)
    return found


def _far(far: Far, parts: _Parts, rounds: int) -> list[dict[str, Any]]:
    """The bridge alone, its partner away by each of the round trips in turn."""
    runs = []
    for round_trip_ms in ROUND_TRIPS_MS * rounds:
        with far.away(round_trip_ms) as changes:
            found = _one(far.stand, BRIDGE, parts, changes)
        runs.append({**found, "what": f"{BRIDGE}, {round_trip_ms} ms away", "round_trip_ms": round_trip_ms})
    return runs


def kept(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """For each round trip the part of the rate at 0 ms that is left: the median over the rounds, each held against its
    own."""
    shares: dict[str, list[float]] = {}
    near = 0.0
    for run in runs:
        near = run["rate"] if run["round_trip_ms"] == 0 else near
        shares.setdefault(str(run["round_trip_ms"]), []).append(run["rate"] / near)
    return {round_trip: round(statistics.median(found), 2) for round_trip, found in shares.items()}


def _fast_lane(
    far: Far, round_trip_ms: int, bytes_per_s: int, bulk: Sequence[Sending], probes: Sequence[Sending]
) -> dict[str, Any]:
    with far.away(round_trip_ms, bytes_per_s) as changes:
        found = fast_lane.measure(far.stand, bulk, probes, changes)
    what = f"fast lane beside bulk, {round_trip_ms} ms away"
    what += f", over {bytes_per_s / (1 << 20):g} MiB/s" if bytes_per_s else ""
    return {"what": what, "round_trip_ms": round_trip_ms, "bytes_per_s": bytes_per_s, **found}


class _Progress(Protocol):
    """The records that a copier has committed."""

    def await_offsets(self, wanted: Mapping[int, int], role: Role, timeout_s: float) -> float: ...
    def close(self) -> None: ...


def _one(stand: Stand, what: str, parts: _Parts, changes: Mapping[str, str]) -> dict[str, Any]:
    stand.refresh()
    source = topics.released(PARTNER)
    publisher = Publisher(stand.home)
    target = source if what == MIRROR_MAKER else topics.inbox(HOME)
    copied = [*parts.warm_up, *parts.bulk]
    with _started(stand, what, source, changes) as role:
        progress = _progress(stand, what, source)
        publisher.publish(parts.warm_up, source)
        progress.await_offsets(per_partition(parts.warm_up), role, _DONE_S)
        worker, began = cpu_seconds(role.pid), time.monotonic()
        publisher.publish(parts.bulk, source)
        ended = progress.await_offsets(per_partition(copied), role, _DONE_S)
        cpu = cpu_seconds(role.pid) - worker
        progress.close()
        times = trickle(stand, role, source, target, parts.trickle)
        memory = peak_resident_bytes(role.pid)
    return {
        "what": what,
        "seconds": round(ended - began, 3),
        "rate": round(len(parts.bulk) / (ended - began)),
        "cpu_us": round(cpu / len(parts.bulk) * 1e6, 1),
        "memory_bytes": memory,
        **times,
        "void": why_void(stand.partner, target, len(copied) + int(times["probes"]), [stand.home]),
    }


def _started(stand: Stand, what: str, source: str, changes: Mapping[str, str]) -> Role:
    if what == MIRROR_MAKER:
        return mirror_maker.start(stand, source)
    if what == BARE_LOOP:
        arguments = ["bench.bare_loop", "--from", stand.home.bootstrap, "--to", stand.partner.bootstrap]
    else:
        arguments = ["kakehashi", "bridge", "--nation", HOME, "--partner", PARTNER]
    return Role.start("bridge", arguments, stand.environment(**changes), stand.folder)


def _progress(stand: Stand, what: str, source: str) -> _Progress:
    if what == MIRROR_MAKER:
        return mirror_maker.MirrorProgress(stand.partner, source)
    return StepProgress(stand.partner, topics.bridge_step(HOME), source)
