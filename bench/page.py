"""Writes ``docs/performance.md`` and its plots from the results: no figure on the page is typed by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from string import Template
from typing import Any, Final

from bench import plots
from bench.goals import goals
from bench.pipeline_tables import OURS, bridge, hops, latency, long_run, runs, sensors, stages, state, throughput
from bench.tables import batches, decisions, idle, intelmq, outputs, picture, readers, recalls, rules, taxii

_TEMPLATE: Final = Path(__file__).with_name("performance.md.in")
_MISSING: Final = "*Not measured yet.*"

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
        "throughput": throughput,
        "recorded": throughput,
        "stages": stages,
        "batches": batches,
        "sensors": sensors,
        "skew": runs,
        "long": long_run,
        "quix": runs,
        "idle": idle,
        "bridge": bridge,
        "hops": hops,
        "latency": latency,
        "recalls": recalls,
        "state": state,
        "decisions": decisions,
        "rules": rules,
        "picture": picture,
        "outputs": outputs,
        "intelmq": intelmq,
        "taxii": taxii,
        "readers": readers,
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
        origin=_origin(sections),
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


def _origin(sections: Mapping[str, Section]) -> str:
    """Whether all parts are of one commit, and what that means for a reader."""
    commits = {section["commit"] for section in sections.values()}
    if len(commits) == 1:
        return (
            f"**All parts are of one commit**, {commits.pop()}. Each names its day and the load average at its end,\n"
            "to which the brokers and the measured processes contribute."
        )
    return (
        f"**This page is of {len(commits)} commits.** Each part names its own, its day and the load average at its\n"
        "end. A part of an older commit says nothing about the present one, and one with a load average above 2 was\n"
        "measured beside other work: of that, ratios count, and processor time more than rates."
    )


def _machine(results: Mapping[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}. {named}."


def _limits(sections: Mapping[str, Section]) -> str:
    """The uses of processor time, from the figures."""
    if "throughput" not in sections or "stages" not in sections:
        return _MISSING
    lines = []
    for stage in sections["stages"]["data"]:
        runs = [
            run
            for run in sections["throughput"]["data"]["runs"]
            if run["work"] == stage["work"] and run["what"] == OURS and not run["void"]
        ]
        if not runs:
            continue
        worker, brokers = (fmean(run[name] for run in runs) for name in ("worker_cpu_us", "brokers_cpu_us"))
        batch = fmean(run["observations"] / max(1, run["batches"]) for run in runs)
        lines.append(
            f"- **{stage['work']}**: {worker:.0f} µs of a worker's processor time for an observation, with "
            f"{batch:.0f} observations in a batch of correlate, and {brokers:.0f} of the brokers'. Measured alone, in "
            f"batches of ten reports a shard, intake takes {stage['intake_us']:.0f} and correlate "
            f"{stage['correlate_us']:.0f}: no parts of the {worker:.0f}, since a larger batch costs less for each "
            f"observation. {_most_expensive(stage)}"
        )
    return "\n".join(lines)


def _most_expensive(stage: Mapping[str, Any]) -> str:
    costs = [(us, f"{name} ({step})") for step in ("intake", "correlate") for name, us in stage[step].items()]
    named = ", ".join(f"{name} {us:.1f}" for us, name in sorted(costs, reverse=True)[:4])
    return f"Most expensive stages, µs: {named}."
