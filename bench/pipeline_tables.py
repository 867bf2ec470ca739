"""The tables of ``docs/performance.md`` on the pipeline and the bridge."""

from typing import Any, Final

from bench.tables import cell, checked, table

OURS: Final = "pipeline"
_PLAIN, _CEILING = "plain Faust agent", "hand-written loop"
_TWO: Final = "pipeline, 2 workers"
_UNDER_LOAD: Final = {
    "observations_per_s": "observations/s besides the probes",
    "home_busy": "busiest home worker, of a core",
    "brokers_busy": "brokers, of a core",
    "transactions_per_s": "transactions/s",
    "probes": "probes",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "max_ms": "max ms",
}


def throughput(data: Any) -> str:
    """The results of ``bench.throughput``, also on recorded feeds: the ratios, then each run."""
    summary = table(
        [
            "work",
            "rounds",
            "plain agent, obs/s",
            "pipeline, obs/s",
            "times",
            "by processor time",
            "two workers, obs/s",
            "hand-written loop, obs/s",
            "part of it",
            "part by processor time",
            "part of it, two workers",
        ],
        [
            [
                entry["work"],
                entry["rounds"],
                entry.get(_PLAIN),
                entry.get(OURS),
                entry.get("times the plain agent"),
                entry.get("times, by processor time"),
                entry.get(_TWO),
                entry.get(_CEILING),
                entry.get("part of the ceiling"),
                entry.get("part of the ceiling, by processor time"),
                entry.get("part of the ceiling, 2 workers"),
            ]
            for entry in data["ratios"]
        ],
    )
    runs = table(
        [
            "work",
            "path",
            "observations",
            "s",
            "obs/s",
            "with roll-ups",
            "worker µs/obs",
            "brokers µs/obs",
            "roll-ups µs/obs",
            "MiB",
            "national records",
            "checked",
        ],
        [
            [
                run["work"],
                run["what"],
                run["observations"],
                run["seconds"],
                run["rate"],
                run["rate_with_roll_ups"],
                run["worker_cpu_us"],
                run["brokers_cpu_us"],
                run["roll_up_cpu_us"],
                run["resident_mib"],
                run["national_records"],
                checked(run, "as generated"),
            ]
            for run in data["runs"]
        ],
    )
    return f"{summary}\nEach run:\n\n{runs}"


def stages(data: Any) -> str:
    """The results of ``bench.stages``: the cost of each stage, and the functions that cost most."""
    works = [f"{entry['work']}, µs/obs" for entry in data]
    parts = []
    for step in ("intake", "correlate"):
        rows: list[list[object]] = [[name, *(entry[step][name] for entry in data)] for name in data[0][step]]
        rows.append(["**all**", *(entry[f"{step}_us"] for entry in data)])
        parts.append(f"**{step}**\n\n" + table(["stage", *works], rows))
    top = [
        f"The most expensive functions, {entry['work']}:\n\n"
        + table(
            ["step", "function", "µs/obs"],
            [[one["step"], f"`{one['file']}` {one['function']}", one["us"]] for one in entry["top"]],
        )
        for entry in data
    ]
    return "\n".join([*parts, *top])


def bridge(data: Any) -> str:
    """The results of ``bench.bridge``: near, over a distance, and the fast lane beside bulk."""
    parts = [f"{data['records']} records of {data['bytes']} bytes.\n", _copiers(data["runs"])]
    if data.get("left_out"):
        parts.append(f"{data['left_out']}\n")
    if "far" in data:
        left = ", ".join(f"at {round_trip} ms {share:.0%}" for round_trip, share in data["kept"].items())
        parts += [
            f"Over a distance, {data['far_records']} records; of the rate at 0 ms remains: {left}.\n",
            _copiers(data["far"]),
            "The fast lane to the partner's inbox, and to its own topic, while bulk fills the bridge:\n",
            table(
                [
                    "path",
                    "bulk meanwhile, records/s",
                    "probes",
                    "inbox p50 ms",
                    "inbox p99 ms",
                    "p50 ms",
                    "p99 ms",
                    "max ms",
                    "checked",
                ],
                [
                    [
                        lane["what"],
                        lane["bulk_rate"],
                        lane["probes"],
                        lane["inbox_p50_ms"],
                        lane["inbox_p99_ms"],
                        lane["p50_ms"],
                        lane["p99_ms"],
                        lane["max_ms"],
                        lane["void"] or "each once",
                    ]
                    for lane in data["fast_lane"]
                ],
            ),
        ]
    return "\n".join(parts)


def _copiers(runs: Any) -> str:
    rows = [
        [
            run["what"],
            run["rate"],
            run["cpu_us"],
            round(run["memory_bytes"] / 2**20),
            run["probes"],
            run["p50_ms"],
            run["p99_ms"],
            run["void"] or "as sent",
        ]
        for run in runs
    ]
    return table(["path", "records/s", "process µs/record", "peak MiB", "probes", "p50 ms", "p99 ms", "checked"], rows)


def hops(data: Any) -> str:
    """The results of ``bench.hops``: processor time by process."""
    cpu = [[name, used] for name, used in data["cpu_us"].items()]
    return (
        f"{cell(data['rate'])} observations/s ({data['work']}, {cell(data['observations'])} observations in "
        f"{data['seconds']:g} s), three processes and two brokers on the same cores.\n\n"
        + table(["process", "µs of processor time per observation"], cpu)
    )


def latency(data: Any) -> str:
    """The results of ``bench.latency``, from a sensor to the partner, and the rate that its loads are parts of."""
    heads = ["workers at home", "load", *_UNDER_LOAD.values()]
    rows = [
        [
            entry.get("workers", 1),
            f"{entry['load']:.0%}" if entry["load"] else "trickle",
            *(entry.get(name) for name in _UNDER_LOAD),
        ]
        for entry in data["runs"]
    ]
    found = data.get("sustained")
    if found is None:
        return table(heads, rows)
    tried = [_as_tried(entry) for entry in found["tried"]]
    held = [[entry["minute"], *_as_tried(entry)] for run in found.get("held", ()) for entry in run["minutes"]]
    return (
        f"**{cell(found['rate'])}** observations a second are sustained: bisected in {found['seconds']:g} s each.\n\n"
        + table([*_UNDER_LOAD.values(), ""], tried)
        + "\nThe highest of these by the minute, and less until it held:\n\n"
        + table(["minute", *_UNDER_LOAD.values(), ""], held)
        + "\nAt parts of that rate:\n\n"
        + table(heads, rows)
    )


def _as_tried(entry: Any) -> list[object]:
    return [*(entry.get(name) for name in _UNDER_LOAD), "sustained" if entry["sustained"] else "too much"]


def long_run(data: Any) -> str:
    """The results of ``bench.long_run``, by the minute."""
    names = {"minute": "minute", "observations": "observations sent", **_UNDER_LOAD, "mib": "MiB of the home worker"}
    del names["observations_per_s"]
    rows = [[entry[name] for name in names] for entry in data["minutes"]]
    sustained = cell(round(data["rate"] / data["load"]))
    return (
        f"{cell(data['rate'])} observations a second: {data['load']:.0%} of the {sustained} that this run has found to "
        "be sustained.\n\n" + table(list(names.values()), rows)
    )


def sensors(data: Any) -> str:
    """The results of ``bench.sensors``, by how many sensors report the same indicator."""
    names = ("sensors", "sightings", "intake_us", "correlate_us", "outputs_per_observation")
    heads = ["sensors", "sightings", "intake, µs/sighting", "correlate, µs/sighting", "records/sighting"]
    return table(heads, [[entry[name] for name in names] for entry in data])


def runs(data: Any) -> str:
    """Runs beside each other."""
    names = {
        "work": "work",
        "what": "path",
        "observations": "observations",
        "rate": "obs/s",
        "worker_cpu_us": "worker µs/obs",
        "brokers_cpu_us": "brokers µs/obs",
        "resident_mib": "MiB",
        "national_records": "national records",
    }
    rows = [[*(run[name] for name in names), _as_generated(run)] for run in data["runs"]]
    return table([*names.values(), "checked"], rows)


def _as_generated(run: Any) -> str:
    return "VOID: " + run["void"] if run["void"] else "as generated"


def state(data: Any) -> str:
    """The results of ``bench.state``, by the size of a state."""
    return table(
        [
            "indicators",
            "row bytes",
            "rebuild s",
            "restart s",
            "obs/s, all known",
            "worker µs/obs",
            "MiB after rebuild",
            "MiB at work",
            "MiB at most",
            "MiB on disk",
        ],
        [
            [
                entry["indicators"],
                entry["row_bytes"],
                entry["rebuild_s"],
                entry["restart_s"],
                entry["rate"],
                entry["worker_cpu_us"],
                entry["resident_mib_rebuilt"],
                entry["resident_mib_busy"],
                entry.get("resident_mib_peak"),
                entry["disk_mib"],
            ]
            for entry in data
        ],
    )
