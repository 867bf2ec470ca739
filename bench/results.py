"""``bench/results.json``: measurements with machine, commit and command."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import confluent_kafka

from bench.role import ROOT
from bench.run import Run
from localkafka.jars import KAFKA_VERSION

_PACKAGES: Final = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "fastavro",
    "polars",
    "msgspec",
    "rocksdict",
    "cedarpy",
)
_OURS, _TWO, _PLAIN, _LOOP = "pipeline", "pipeline, 2 workers", "plain Faust agent", "hand-written loop"
_RATIOS: Final = (
    ("times the plain agent", _OURS, _PLAIN, "rate"),
    ("part of the ceiling", _OURS, _LOOP, "rate"),
    ("part of the ceiling, 2 workers", _TWO, _LOOP, "rate"),
    ("times, by processor time", _PLAIN, _OURS, "cpu_us"),
    ("part of the ceiling, by processor time", _LOOP, _OURS, "cpu_us"),
)


def machine() -> dict[str, Any]:
    """The machine."""
    info = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / (1 << 30), 1),
        "kernel": platform.release().partition("-")[0],  # the rest names a build
    }


def versions() -> dict[str, str]:
    """The versions of the software."""
    return {
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        "librdkafka": confluent_kafka.libversion()[0],
    } | {package: version(package) for package in _PACKAGES}


def commit() -> str:
    """The commit of the working tree, marked if files that are measured differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "schemas", "exchange", "streams", "consumers")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if changed else "")


def section(command: str, seed: int, data: object) -> dict[str, Any]:
    """One part of the results, with where it comes from: parts that were measured apart may be of different machines.
    The load average states whether anything else was running."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": machine()["processor"],
        "command": command,
        "seed": seed,
        "load_average": round(os.getloadavg()[0], 1),
        "data": data,
    }


def ratios(rounds: Sequence[Sequence[Run]]) -> list[dict[str, Any]]:
    """For each work: the pipeline against the others of the same round, as the median over the rounds.

    A round with a void run counts for nothing.
    """
    found: list[dict[str, Any]] = []
    for work in dict.fromkeys(run.work for runs in rounds for run in runs):
        by_round = [{run.what: run for run in runs if run.work == work} for runs in rounds]
        valid = [runs for runs in by_round if _OURS in runs and not any(run.void for run in runs.values())]
        entry: dict[str, Any] = {"work": work, "rounds": len(valid)}
        for what in (_OURS, _TWO, _PLAIN, _LOOP):
            rates = [runs[what].rate for runs in valid if what in runs]
            if rates:
                entry[what] = round(statistics.median(rates))
        for name, one, other, quantity in _RATIOS:
            pairs = [
                getattr(runs[one], quantity) / getattr(runs[other], quantity)
                for runs in valid
                if {one, other} <= runs.keys()
            ]
            if pairs:
                entry[name] = round(statistics.median(pairs), 2)
        found.append(entry)
    return found


def load(path: Path) -> dict[str, Any]:
    """The content of the file; empty if there is none."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def save(path: Path, sections: dict[str, Any]) -> None:
    """Write the file: the sections given replace those of the same name, the others stay with their own commit."""
    kept = load(path).get("sections", {})
    path.write_text(text({"machine": machine(), "versions": versions(), "sections": kept | sections}), "utf-8")


def text(content: Mapping[str, Any]) -> str:
    """The text of the file: always of this form, so that a difference of two commits shows the figures that differ."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
