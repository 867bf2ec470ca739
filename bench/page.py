"""Writes ``docs/performance.md`` and its plots from the results: no figure on the page is typed by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

from bench import plots
from bench.goals import goals
from bench.tables import cell, decisions, intelmq, rules, table

_TEMPLATE: Final = Path(__file__).with_name("performance.md.in")
_MISSING: Final = "*Not measured yet.*"
_PLAIN, _OURS, _CEILING = "plain Faust agent", "pipeline", "hand-written loop"
_TWO: Final = "pipeline, 2 workers"

Section = Mapping[str, Any]


def write(results: Mapping[str, Any], docs: Path) -> None:
    """The page and the plots, for the sections that were measured."""
    if not results:
        return
    plots.draw(results["sections"], docs / "images")
    (docs / "performance.md").write_text(page(results), "utf-8")


def page(results: Mapping[str, Any]) -> str:
    """The text of the page."""
    sections = results["sections"]
    tables: dict[str, Callable[[Any], str]] = {
        "throughput": _throughput,
        "recorded": _throughput,
        "stages": _stages,
        "bridge": _bridge,
        "hops": _hops,
        "latency": _latency,
        "state": _state,
        "decisions": decisions,
        "rules": rules,
        "intelmq": intelmq,
    }
    filled = {
        name: _source(sections[name]) + table(sections[name]["data"]) if name in sections else _MISSING
        for name, table in tables.items()
    }
    text = Template(_TEMPLATE.read_text("utf-8")).substitute(
        filled,
        goals=goals(sections),
        limits=_limits(sections),
        machine=_machine(results),
    )
    return "\n".join(line for line in text.split("\n") if not _is_missing_plot(line, sections))


def _is_missing_plot(line: str, sections: Mapping[str, Any]) -> bool:
    """Whether the line shows a plot without measurements."""
    shown = line.partition("(images/bench-")[2].partition(".svg)")[0]
    return bool(shown) and not plots.is_drawn(shown, sections)


def _source(section: Section) -> str:
    return (
        f"`{section['command']}` · commit {section['commit']} · {section['at'][:10]} · {section['processor']} · "
        f"seed {section['seed']} · "
        f"load average at the end {section['load_average']}\n\n"
    )


def _machine(results: Mapping[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}. {named}."


def _throughput(data: Any) -> str:
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
        ],
        [
            [
                entry["work"],
                entry["rounds"],
                entry.get(_PLAIN),
                entry.get(_OURS),
                entry.get("times the plain agent"),
                entry.get("times, by processor time"),
                entry.get(_TWO),
                entry.get(_CEILING),
                entry.get("part of the ceiling"),
            ]
            for entry in data["ratios"]
        ],
    )
    runs = table(
        [
            "work",
            "path",
            "observations",
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
                run["rate"],
                run["rate_with_roll_ups"],
                run["worker_cpu_us"],
                run["brokers_cpu_us"],
                run["roll_up_cpu_us"],
                run["resident_mib"],
                run["national_records"],
                "VOID: " + run["void"] if run["void"] else "as generated",
            ]
            for run in data["runs"]
        ],
    )
    return f"{summary}\nEach run:\n\n{runs}"


def _stages(data: Any) -> str:
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


def _bridge(data: Any) -> str:
    parts = [f"{data['records']} records of {data['bytes']} bytes.\n", _copiers(data["runs"])]
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


def _hops(data: Any) -> str:
    cpu = [[name, used] for name, used in data["cpu_us"].items()]
    return (
        f"{cell(data['rate'])} observations/s ({data['work']}, {cell(data['observations'])} observations in "
        f"{data['seconds']:g} s), three processes and two brokers on the same cores.\n\n"
        + table(["process", "µs of processor time per observation"], cpu)
    )


def _latency(data: Any) -> str:
    return table(
        [
            "workers at home",
            "load",
            "observations/s besides the probes",
            "busiest home worker, of a core",
            "probes",
            "p50 ms",
            "p99 ms",
            "max ms",
        ],
        [
            [
                entry.get("workers", 1),
                f"{entry['load']:.0%}" if entry["load"] else "trickle",
                entry["observations_per_s"],
                entry.get("home_busy"),
                entry["probes"],
                entry["p50_ms"],
                entry["p99_ms"],
                entry["max_ms"],
            ]
            for entry in data
        ],
    )


def _state(data: Any) -> str:
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


def _limits(sections: Mapping[str, Section]) -> str:
    """The uses of processor time, from the figures."""
    if "throughput" not in sections or "stages" not in sections:
        return _MISSING
    lines = []
    for stage in sections["stages"]["data"]:
        runs = [
            run
            for run in sections["throughput"]["data"]["runs"]
            if run["work"] == stage["work"] and run["what"] == _OURS and not run["void"]
        ]
        if not runs:
            continue
        worker = sum(run["worker_cpu_us"] for run in runs) / len(runs)
        brokers = sum(run["brokers_cpu_us"] for run in runs) / len(runs)
        steps = stage["intake_us"] + stage["correlate_us"]
        lines.append(
            f"- **{stage['work']}**: {worker:.0f} µs of a worker's processor time for an observation, of which "
            f"intake computes {stage['intake_us']:.0f} and correlate {stage['correlate_us']:.0f} (measured alone); "
            f"the other {max(0.0, worker - steps):.0f} are the Kafka clients, the transactions, Faust and the threads. "
            f"The brokers take {brokers:.0f} more. {_most_expensive(stage)}"
        )
    return "\n".join(lines)


def _most_expensive(stage: Mapping[str, Any]) -> str:
    costs = [(us, f"{name} ({step})") for step in ("intake", "correlate") for name, us in stage[step].items()]
    named = ", ".join(f"{name} {us:.1f}" for us, name in sorted(costs, reverse=True)[:4])
    return f"Most expensive stages, µs: {named}."
