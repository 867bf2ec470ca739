"""The goals beside the measured values: met or short."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.batch_sizes import times_backlog
from bench.tables import cell, table, times_intelmq, times_medallion

FAR_MS: Final = 250
_BRIDGE, _MIRROR = "kakehashi bridge", "MirrorMaker 2"
_RECALL_MS: Final = 1000
_SMALL_TIMES: Final = 1.8
_LATENCY_MS: Final = {0.0: 80, 0.5: 500, 0.8: 1000}
# By work: times a plain Faust agent; part of the hand-written loop by one worker, and by two.
_RATIOS: Final = {
    "10:1, any sensor": (25, 0.5, 0.75),
    "10:1, same sensor": (45, 0.75, None),
    "1:1": (20, 0.4, None),
}
_READ: Final = {"suricata-eve": 150_000, "zeek-log": 200_000, "csv-list": 300_000}
_FLAT: Final = 1.1
_FLAT_SENSORS: Final = 1.2
_DECIDING: Final = ("classify", "released record")

Section = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. ``measured`` is None if it was not measured."""

    what: str
    goal: float
    measured: float | None
    at_least: bool = False

    @property
    def cells(self) -> list[object]:
        """Its cells in the table."""
        sign, reached = ("≥", "–") if self.at_least else ("≤", "–")
        if self.measured is not None:
            met = self.measured >= self.goal if self.at_least else self.measured <= self.goal
            reached = "met" if met else "short"
        return [self.what, f"{sign} {cell(self.goal)}", self.measured, reached]


def goals(sections: Mapping[str, Section]) -> str:
    """All of them, as a table."""
    found = {name: section["data"] for name, section in sections.items()}
    every = [
        *_throughput(found),
        *_rivals(found),
        *_bridge(found),
        *_latency(found),
        *_many(found),
        *_recalls(found),
        *_state(found),
        *_decisions(found),
        *_small(found),
        *_picture(found),
        *_outputs(found),
        *_readers(found),
    ]
    return table(["quantity", "goal", "measured", ""], [each.cells for each in every])


def _throughput(found: Mapping[str, Any]) -> Iterator[Goal]:
    for entry in found.get("throughput", {"ratios": []})["ratios"]:
        work = entry["work"]
        if work not in _RATIOS:
            continue
        times, part, part_of_two = _RATIOS[work]
        if work.startswith("10:1"):
            for rate, workers in (("pipeline", "one worker"), ("pipeline, 2 workers", "two workers")):
                yield Goal(f"observations/s end to end, {work}, {workers}", 100_000, entry.get(rate), at_least=True)
        yield Goal(f"times a plain Faust agent, {work}", times, entry.get("times the plain agent"), at_least=True)
        if part:
            measured = entry.get("part of the ceiling")
            yield Goal(f"part of the hand-written loop, {work}", part, measured, at_least=True)
        if part_of_two:
            measured = entry.get("part of the ceiling, 2 workers")
            yield Goal(f"part of the hand-written loop, {work}, two workers", part_of_two, measured, at_least=True)


def _rivals(found: Mapping[str, Any]) -> Iterator[Goal]:
    for entry in found.get("recorded", {"ratios": []})["ratios"]:
        yield Goal(f"times a plain Faust agent, {entry['work']}", 10, entry["times the plain agent"], at_least=True)
    for work, times, _ in times_intelmq(found.get("intelmq", {"runs": []})):
        yield Goal(f"times IntelMQ, {work}", 100, times, at_least=True)
    served = times_medallion(found.get("taxii", {"runs": []}))
    if served is not None:
        yield Goal("times medallion, TAXII objects/s", 20, served, at_least=True)


def _bridge(found: Mapping[str, Any]) -> Iterator[Goal]:
    bridge = found.get("bridge", {"runs": [], "far": [], "kept": {}, "fast_lane": []})
    runs = {run["what"]: run for run in bridge["runs"] if not run["void"]}
    if {_BRIDGE, _MIRROR} <= runs.keys():
        ours, rival = runs[_BRIDGE], runs[_MIRROR]
        yield Goal("the bridge's rate, in MirrorMaker 2's", 1, round(ours["rate"] / rival["rate"], 2), at_least=True)
        yield Goal("its processor time a record, in MirrorMaker 2's", 1, round(ours["cpu_us"] / rival["cpu_us"], 2))
        yield Goal("its memory, in MirrorMaker 2's", 0.2, round(ours["memory_bytes"] / rival["memory_bytes"], 2))
        yield Goal("its p99 at a trickle, ms", 15, ours["p99_ms"])
    for round_trip, share in bridge["kept"].items():
        if int(round_trip) >= FAR_MS:
            yield Goal(f"part of its rate that remains at {round_trip} ms round trip", 0.8, share, at_least=True)
    far = [run for run in bridge["far"] if run["round_trip_ms"] >= FAR_MS and not run["void"]]
    for round_trip in sorted({run["round_trip_ms"] for run in far}):
        slowest = max(run["p99_ms"] for run in far if run["round_trip_ms"] == round_trip)
        yield Goal(f"its p99 at a trickle at {round_trip} ms round trip, ms", 2000, slowest)
    for lane in bridge["fast_lane"]:
        yield Goal(f"p99 of the {lane['what']}, to the partner's inbox, ms", 1000, lane["inbox_p99_ms"])
        yield Goal(f"p99 of the {lane['what']}, to the partner's own topic, ms", 1000, lane["p99_ms"])


def _latency(found: Mapping[str, Any]) -> Iterator[Goal]:
    for entry in found.get("latency", {"runs": []})["runs"]:
        load = entry["load"]
        if load in _LATENCY_MS:
            name = f"{load:.0%} load" if load else "a trickle"
            name += ", two workers at home" if entry.get("workers", 1) == 2 else ""
            yield Goal(f"latency p99 through all hops at {name}, ms", _LATENCY_MS[load], entry["p99_ms"])


def _many(found: Mapping[str, Any]) -> Iterator[Goal]:
    counts = {entry["sensors"]: entry["correlate_us"] for entry in found.get("sensors", [])}
    if len(counts) > 1:
        most, middle = sorted(counts)[-1], sorted(counts)[-2]
        name = f"a sighting of an indicator of {most:,} sensors, in one of {middle}".replace(",", "\u202f")
        yield Goal(name, _FLAT_SENSORS, round(counts[most] / counts[middle], 2))
    skewed = {run["work"]: run["rate"] for run in found.get("skew", {"runs": []})["runs"] if not run["void"]}
    if len(skewed) == 2:
        even, uneven = skewed.values()
        yield Goal(
            "rate with one indicator in 1 % of all, in that without", 0.9, round(uneven / even, 2), at_least=True
        )


def _recalls(found: Mapping[str, Any]) -> Iterator[Goal]:
    for run in found.get("recalls", {"runs": []})["runs"]:
        if not run["void"]:
            yield Goal(f"p99 of a recall at home beside bulk, {run['work']}, ms", _RECALL_MS, run["p99_ms"])


def _state(found: Mapping[str, Any]) -> Iterator[Goal]:
    for entry in found.get("state", []):
        if entry["indicators"] == 10_000_000:
            yield Goal("memory of a worker at 10 million indicators, MiB", 1024, entry["resident_mib_peak"])
            yield Goal("rebuild of 10 million indicators, s", 45, entry["rebuild_s"])


def _decisions(found: Mapping[str, Any]) -> Iterator[Goal]:
    if "decisions" in found:
        name = "classifying and redacting, decided once an indicator, 10:1, µs/observation"
        yield Goal(name, 3, found["decisions"]["observation_us"])
    for stage in found.get("stages", []):
        took_us = round(sum(stage["correlate"].get(each, 0) for each in _DECIDING), 2)
        yield Goal(f"the same within the pipeline, {stage['work']}, µs/observation", 3, took_us)


def _small(found: Mapping[str, Any]) -> Iterator[Goal]:
    for size, times in times_backlog(found.get("batches", [])):
        yield Goal(f"an observation in a batch of one report of {size}, in one of a backlog", _SMALL_TIMES, times)
    if "idle" in found:
        yield Goal("an idle worker, % of a core", 1, found["idle"]["worker_percent"])


def _picture(found: Mapping[str, Any]) -> Iterator[Goal]:
    if "picture" not in found:
        return
    data = found["picture"]
    of = f"picture of {data['indicators']:,} indicators".replace(",", " ")
    yield Goal(f"seconds to build a {of}", 90, data["built_s"])
    yield Goal(f"MiB on disk, {of}", 1024, data["mib"])
    answers = {each["name"]: each["p99_ms"] for each in data["answers"]}
    yield Goal("`get`, p99 ms", 50, answers.pop("get"))
    yield Goal("`search`, the slowest kind, p99 ms", 200, max(answers.values()))


def _outputs(found: Mapping[str, Any]) -> Iterator[Goal]:
    for each in found.get("outputs", {"changes": []})["changes"]:
        held = f"{each['held']:,}".replace(",", " ")
        yield Goal(f"p99 of a change in {each['tool']}, {each['rate']}/s beside {held}, ms", 2_000, each["p99_ms"])


def _readers(found: Mapping[str, Any]) -> Iterator[Goal]:
    for run in found.get("readers", {"runs": []})["runs"]:
        if not run["void"] and run["what"] in _READ:
            yield Goal(f"records/s on one core, {run['feed']}", _READ[run["what"]], run["rate"], at_least=True)
            yield Goal(f"peak memory in that of a hundredth, {run['feed']}", _FLAT, run["times_memory"])
