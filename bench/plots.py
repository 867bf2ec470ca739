"""Draws the plots of ``docs/performance.md`` as SVG: the same results give the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.batch_sizes import whole_us

_COLOURS: Final = {"plain Faust agent": "#9aa5b1", "pipeline": "#0b6e99", "hand-written loop": "#d9a441"}
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "kakehashi",
    "svg.fonttype": "path",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": "white",
}
_WIDTH: Final = 8.0


def is_drawn(part: str, sections: Mapping[str, Any]) -> bool:
    """Whether a part has been measured, with what its plot shows."""
    return part in sections and (part != "bridge" or "far" in sections[part]["data"])


def draw(sections: Mapping[str, Any], folder: Path) -> None:
    """One file for each part that has been measured."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {
        "throughput": ("bench-throughput.svg", _throughput),
        "stages": ("bench-stages.svg", _stages),
        "batches": ("bench-batches.svg", _batches),
        "latency": ("bench-latency.svg", _latency),
        "long": ("bench-long.svg", _long),
        "state": ("bench-state.svg", _state),
        "bridge": ("bench-bridge.svg", _bridge),
        "outputs": ("bench-outputs.svg", _outputs),
    }
    with mpl.rc_context(_STYLE):
        for part, (name, drawing) in drawings.items():
            if is_drawn(part, sections):
                figure = drawing(sections[part]["data"])
                figure.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")
                plt.close(figure)


def _throughput(data: Any) -> Figure:
    ratios = data["ratios"]
    figure, axes = plt.subplots(figsize=(_WIDTH, 0.9 + 0.85 * len(ratios)))
    for row, entry in enumerate(ratios):
        paths = [what for what in _COLOURS if what in entry]
        for place, what in enumerate(paths):
            height = row + (place - (len(paths) - 1) / 2) * 0.27
            axes.barh(height, entry[what], 0.25, color=_COLOURS[what], label=what if row == 0 else None)
            axes.annotate(
                f" {_apart(entry[what])}{_times(entry, what)}", (entry[what], height), va="center", fontsize=8.5
            )
    axes.set_xlim(right=axes.get_xlim()[1] * 1.2)
    axes.set_yticks(range(len(ratios)), [entry["work"] for entry in ratios])
    axes.invert_yaxis()
    axes.set_xlabel("observations a second, end to end")
    axes.grid(axis="x", color="#e4e7eb")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return figure


def _times(entry: Mapping[str, Any], what: str) -> str:
    """Beside the pipeline's bar: how many times the plain agent it is."""
    times = entry.get("times the plain agent") if what == "pipeline" else None
    return "" if times is None else f"  ({times:g} ×)"


def _stages(data: Any) -> Figure:
    figure, panels = plt.subplots(1, len(data), figsize=(_WIDTH, 5.2), squeeze=False)
    for panel, entry in zip(panels[0], data, strict=True):
        costs = [
            (f"{step}: {name}", us, "#0b6e99" if step == "correlate" else "#d9a441")
            for step in ("intake", "correlate")
            for name, us in entry[step].items()
            if us >= 0.05
        ]
        _bars(panel, costs)
        panel.set_title(f"{entry['work']}\n{entry['intake_us'] + entry['correlate_us']:.0f} µs", fontsize=10)
        panel.set_xlabel("µs per observation")
    figure.tight_layout()
    return figure


def _bars(axes: Axes, costs: Sequence[tuple[str, float, str]]) -> None:
    for place, (_, us, colour) in enumerate(costs):
        axes.barh(place, us, 0.7, color=colour)
        axes.annotate(f" {us:.1f}", (us, place), va="center", fontsize=8)
    axes.set_yticks(range(len(costs)), [name for name, _, _ in costs], fontsize=8)
    axes.set_xlim(right=max(us for _, us, _ in costs) * 1.2)
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e4e7eb")


def _batches(data: Any) -> Figure:
    figure, axes = plt.subplots(figsize=(_WIDTH, 3.2))
    for size, colour in zip(sorted({entry["report_size"] for entry in data}), ("#d9a441", "#0b6e99"), strict=True):
        line = [entry for entry in data if entry["report_size"] == size]
        names, costs = [str(entry["reports"]) for entry in line], [whole_us(entry) for entry in line]
        axes.plot(names, costs, "o-", color=colour, label=f"reports of {size} observations")
        for name, cost in zip(names, costs, strict=True):
            axes.annotate(f"{cost:.0f}", (name, cost), (0, 6), textcoords="offset points", ha="center", fontsize=8.5)
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.1)
    axes.set_ylabel("µs per observation")
    axes.set_xlabel("reports of a shard in one batch")
    axes.grid(axis="y", color="#e4e7eb")
    axes.legend(frameon=False)
    return figure


def _latency(data: Any) -> Figure:
    data = [entry for entry in data["runs"] if entry.get("workers", 1) == 1]
    figure, axes = plt.subplots(figsize=(_WIDTH, 3.2))
    names = [f"{entry['load']:.0%}" if entry["load"] else "trickle" for entry in data]
    for key, label, colour in (("p50_ms", "p50", "#0b6e99"), ("p99_ms", "p99", "#d9a441")):
        axes.plot(names, [entry[key] for entry in data], "o-", color=colour, label=label)
        for name, entry in zip(names, data, strict=True):
            axes.annotate(
                _apart(entry[key]), (name, entry[key]), (0, 6), textcoords="offset points", ha="center", fontsize=8.5
            )
    axes.set_yscale("log")
    axes.set_ylabel("ms (logarithmic)")
    axes.set_xlabel("load, as a part of what all hops sustain")
    axes.grid(axis="y", color="#e4e7eb")
    axes.legend(frameon=False)
    return figure


def _long(data: Any) -> Figure:
    figure, axes = plt.subplots(figsize=(_WIDTH, 3.2))
    minutes = [entry["minute"] for entry in data["minutes"]]
    for key, label, colour in (("p50_ms", "p50", "#0b6e99"), ("p99_ms", "p99", "#d9a441")):
        axes.plot(minutes, [entry[key] for entry in data["minutes"]], "o-", color=colour, label=label)
    axes.set_ylim(bottom=0)
    axes.set_xticks(minutes)
    axes.set_ylabel("ms")
    axes.set_xlabel(f"minute, at {_apart(data['rate'])} observations a second")
    axes.grid(axis="y", color="#e4e7eb")
    axes.legend(frameon=False)
    return figure


def _bridge(data: Any) -> Figure:
    figure, (rates, times) = plt.subplots(1, 2, figsize=(_WIDTH, 3.0))
    trips = sorted({run["round_trip_ms"] for run in data["far"]})
    names = [f"{trip} ms" for trip in trips]
    for place, trip in enumerate(trips):
        found = [run["rate"] for run in data["far"] if run["round_trip_ms"] == trip]
        rates.bar(place, max(found), 0.55, color="#0b6e99")
        rates.annotate(_apart(max(found)), (place, max(found)), ha="center", va="bottom", fontsize=8.5)
    rates.set_xticks(range(len(names)), names)
    rates.set_title("bulk, records/s", fontsize=10)
    rates.grid(axis="y", color="#e4e7eb")
    lanes = {lane["round_trip_ms"]: lane for lane in data["fast_lane"] if not lane["bytes_per_s"]}
    for key, label, colour in (("inbox_p99_ms", "to the inbox", "#0b6e99"), ("p99_ms", "to the own topic", "#d9a441")):
        times.plot(names, [lanes[trip][key] for trip in trips], "o-", color=colour, label=label)
        for name, trip in zip(names, trips, strict=True):
            point = (name, lanes[trip][key])
            times.annotate(_apart(point[1]), point, (0, 6), textcoords="offset points", ha="center", fontsize=8.5)
    times.set_ylim(bottom=0, top=max(1000.0, *(lanes[trip]["p99_ms"] for trip in trips)) * 1.35)
    times.margins(x=0.12)
    times.set_title("fast lane beside bulk, p99, ms", fontsize=10)
    times.grid(axis="y", color="#e4e7eb")
    times.legend(frameon=False, loc="upper center", ncols=2, fontsize=8.5)
    figure.supxlabel("round trip to the partner's cluster", fontsize=10)
    figure.tight_layout()
    return figure


def _state(data: Any) -> Figure:
    figure, panels = plt.subplots(1, 3, figsize=(_WIDTH, 2.8))
    sizes = [_short(entry["indicators"]) for entry in data]
    for panel, (key, title) in zip(
        panels,
        (("rate", "observations/s"), ("resident_mib_busy", "worker, MiB"), ("rebuild_s", "rebuild, s")),
        strict=True,
    ):
        for place, entry in enumerate(data):
            panel.bar(place, entry[key], 0.55, color="#0b6e99")
            panel.annotate(_apart(entry[key]), (place, entry[key]), ha="center", va="bottom", fontsize=8.5)
        panel.set_xticks(range(len(sizes)), sizes)
        panel.set_title(title, fontsize=10)
        panel.set_ylim(top=max(entry[key] for entry in data) * 1.15)
        panel.grid(axis="y", color="#e4e7eb")
    figure.supxlabel("indicators in the state", fontsize=10)
    figure.tight_layout()
    return figure


def _outputs(data: Any) -> Figure:
    found = sorted(data["snapshots"], key=lambda each: float(each["cpu_us"]))
    figure, panels = plt.subplots(1, 2, figsize=(_WIDTH, 0.9 + 0.24 * len(found)), sharey=True)
    for panel, key, title in zip(
        panels, ("cpu_us", "peak_mib"), ("µs of a core for an indicator", "peak MiB"), strict=True
    ):
        for place, each in enumerate(found):
            panel.barh(place, each[key], 0.7, color="#0b6e99")
            panel.annotate(f" {_apart(each[key])}", (each[key], place), va="center", fontsize=8)
        panel.set_yticks(range(len(found)), [each["output"] for each in found], fontsize=8)
        panel.set_xlim(right=max(each[key] for each in found) * 1.15)
        panel.set_title(title, fontsize=10)
        panel.grid(axis="x", color="#e4e7eb")
    panels[0].invert_yaxis()
    figure.tight_layout()
    return figure


def _apart(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f") if value >= 100 else f"{value:g}"


def _short(number: int) -> str:
    return f"{number // 1_000_000} million" if number >= 1_000_000 else f"{number // 1000}\u202f000"
