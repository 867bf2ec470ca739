"""Markdown tables for ``docs/performance.md``, and those of decisions, of changed rules and of IntelMQ."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.batch_sizes import record_us


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers to the right, with thousands apart."""
    right = [
        all(row[column] is None or isinstance(row[column], int | float) for row in rows) for column in range(len(head))
    ]
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---:" if number else "---" for number in right) + "|",
        *("| " + " | ".join(cell(value) for value in row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    """A value as the tables show it: ``12 345``, ``0.31``, text unchanged; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 100 else f"{value:g}"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def checked(run: Mapping[str, Any], right: str) -> str:
    """Whether the outcome of a run was right, as the tables show it."""
    return f"VOID: {run['void']}" if run["void"] else right


def batches(data: Any) -> str:
    """The results of ``bench.batch_sizes``."""
    head = ["observations in a report", "reports in a batch", "intake, µs/obs", "correlate, µs/obs", "records/obs"]
    names = ("report_size", "reports", "intake_us", "correlate_us", "outputs_per_observation")
    rows = [[*(entry[name] for name in names), round(record_us(entry))] for entry in data]
    return table([*head, "both, µs/record"], rows)


def idle(data: Any) -> str:
    """The results of ``bench.idle``."""
    names = ("worker_percent", "brokers_percent", "seconds")
    return table(
        ["worker, % of a core", "both brokers, % of a core", "measured for, s"], [[data[name] for name in names]]
    )


def decisions(data: Any) -> str:
    """The results of ``bench.decisions``."""
    rows: list[list[object]] = [
        ["cached by facets", data["indicators"], data["remembered_rate"]],
        ["Cedar called each time", data["asked"], data["asked_rate"]],
    ]
    facets, times = cell(data["distinct_facets"]), cell(data["times"])
    each, observation = cell(data["indicator_us"]), cell(data["observation_us"])
    shown = (
        f"{facets} distinct facets; with the cache, {times} times as fast. Classifying and redacting an indicator "
        f"costs {each} µs, which at 10:1 is {observation} µs for each observation if it is decided once.\n"
    )
    return table(["decisions", "indicators", "decisions/s"], rows) + "\n" + shown


def recalls(data: Any) -> str:
    """The results of ``bench.recalls``."""
    head = ["bulk meanwhile", "observations/s", "batches", "recalls", "p50 ms", "p99 ms", "max ms", "checked"]
    names = ("work", "rate", "batches", "recalls", "p50_ms", "p99_ms", "max_ms")
    rows = [[*(run[name] for name in names), run["void"] or "each recalled"] for run in data["runs"]]
    return table(head, rows)


def rules(data: Any) -> str:
    """The results of ``bench.rules``."""
    return table(
        [
            "released",
            "last recall released, s",
            "last on the partner's topic, s",
            "indicators/s",
            "worker µs/indicator",
            "observations meanwhile",
            "absorbed after, s",
            "checked",
        ],
        [
            [
                run["indicators"],
                run["told_s"],
                run["partner_s"],
                run["rate"],
                run["worker_cpu_us"],
                run["observations"],
                run["observations_s"],
                run["void"] or "each recalled once",
            ]
            for run in data["runs"]
        ],
    )


def intelmq(data: Any) -> str:
    """The results of ``bench.intelmq``, each work by the rival and by the pipeline."""
    rows: list[list[object]] = [
        [
            run["work"],
            run["what"],
            run["observations"],
            run["rate"],
            run["cpu_us"],
            run["resident_mib"],
            run["passed"],
            checked(run, "as generated"),
        ]
        for run in data["runs"]
    ]
    head = ["work", "path", "observations", "observations/s", "processor µs/obs", "MiB", "indicators", "checked"]
    shown = [
        f"**{work}**: {cell(rate)} times as many observations a second, {cell(cost)} times by processor time."
        for work, rate, cost in times_intelmq(data)
    ]
    return "\n\n".join([*shown, table(head, rows)])


def times_intelmq(data: Any) -> list[tuple[str, float, float]]:
    """For each work: its name, how many times IntelMQ's rate the pipeline has, and the same by processor time."""
    valid = [run for run in data["runs"] if not run["void"]]
    ours = {run["work"]: run for run in valid if run["what"] == "pipeline"}
    pairs = [(run, ours[run["work"]]) for run in valid if run["what"] != "pipeline" and run["work"] in ours]
    return [
        (rival["work"], round(mine["rate"] / rival["rate"], 1), round(rival["cpu_us"] / mine["cpu_us"], 1))
        for rival, mine in pairs
    ]


def taxii(data: Any) -> str:
    """The results of ``bench.taxii``."""
    rows: list[list[object]] = [
        [
            run["what"],
            run["objects"],
            run["rate"],
            run["cpu_us"],
            run["resident_mib"],
            checked(run, "each once"),
        ]
        for run in data["runs"]
    ]
    times = times_medallion(data)
    shown = (
        []
        if times is None
        else [f"**{cell(times)}** times as many objects a second as medallion, of the same objects."]
    )
    head = ["server", "objects", "objects/s", "processor µs/object", "MiB", "checked"]
    return "\n\n".join([*shown, table(head, rows)])


def times_medallion(data: Any) -> float | None:
    """How many times medallion's rate ours is, for the same objects; None if either is void."""
    valid = [run for run in data["runs"] if not run["void"]]
    rival = next((run for run in valid if run["what"].startswith("medallion")), None)
    ours = next((run for run in valid if run is not rival and rival and run["objects"] == rival["objects"]), None)
    return None if rival is None or ours is None else round(float(ours["rate"] / rival["rate"]), 1)


def readers(data: Any) -> str:
    """The results of ``bench.readers``: each file by ours, then by the others."""
    head = ["file", "parser", "records", "records/s", "peak MiB", "peak memory, times that of 1/100", "checked"]
    names = ("feed", "what", "records", "rate", "peak_mib", "times_memory")
    return table(head, [[*(run[name] for name in names), checked(run, "each once")] for run in data["runs"]])


def outputs(data: Any) -> str:
    """The results of ``bench.outputs``."""
    snapshots = [
        [each["output"], each["written"], each["seconds"], each["rate"], each["cpu_us"], each["peak_mib"]]
        for each in data["snapshots"]
    ]
    changes = [
        [each["tool"], each["held"], each["rate"], each["probes"], each["p50_ms"], each["p99_ms"], each["max_ms"]]
        for each in data["changes"]
    ]
    return "\n\n".join(
        [
            table(["output", "indicators", "s", "indicators/s", "µs of a core each", "peak MiB"], snapshots),
            table(["a change in", "held", "changes/s", "changes", "p50 ms", "p99 ms", "max ms"], changes),
        ]
    )


def picture(data: Any) -> str:
    """The results of ``bench.picture``."""
    built = [[data["indicators"], data["built_s"], data["rate"], data["mib"], data["peak_mib"]]]
    heads = ["indicators", "built in s", "indicators/s", "MiB on disk", "peak MiB"]
    erased = [[data["erase_s"], data["erase_step_p99_ms"], data["erase_step_most_ms"]]]
    asked = [[each["name"], each["p50_ms"], each["p99_ms"]] for each in data["answers"]]
    return "\n\n".join(
        [
            table(heads, built),
            table(["gone from the files after a recall, s", "a change waits meanwhile, p99 ms", "at most ms"], erased),
            table(["question", "p50 ms", "p99 ms"], asked),
        ]
    )
