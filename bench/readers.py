"""(m) Each reader over a file of its format, beside another parser over the same file, and what memory it takes.

One process at a time, so one core; a rate is by processor time, from the opened file until the last reading.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bench import environments, intelmq_home
from bench.feeds import FEEDS, Feed
from bench.role import answered
from exchange.errors import NotFound

ZAT_VERSION: Final = "0.4.9"
ZAT_PINS: Final = Path(__file__).parent / "zat_packages" / "requirements.txt"
RIVALS: Final = {
    "suricata-eve": ("json.loads",),
    "zeek-log": ("zat",),
    "csv-list": ("csv.DictReader", "IntelMQ"),
    "misp-event": ("PyMISP",),
    "stix-bundle": ("stix2",),
    "released-indicator": ("json.loads",),
}
LEFT_OUT: Final = {"pdf-report": "its time is that of the library that finds the text"}
OURS: Final = "kakehashi"
SMALLER: Final = 100
_RIVAL_RECORDS: Final = 20_000  # of those whose rate is a hundredth of ours
_SLOW: Final = frozenset({"IntelMQ"})
_MIB: Final = 1 << 20


def measure(records: int, rounds: int) -> dict[str, Any]:
    """Each feed with so many records, or its share of them: ours and the rivals alternately, ``rounds`` times."""
    pythons = _pythons()
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as name:
        return {"runs": [run for feed in FEEDS for run in _of_feed(feed, Path(name), records, rounds, pythons)]}


def _of_feed(feed: Feed, folder: Path, records: int, rounds: int, pythons: dict[str, str]) -> Sequence[dict[str, Any]]:
    count = max(SMALLER, round(records * feed.share))
    small = feed.write(folder, count // SMALLER)
    small = small.rename(small.with_name(f"small-{small.name}"))
    least = read(small, small)
    rivals = [rival for rival in RIVALS.get(feed.reader, ()) if rival in pythons]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (OURS, *rivals)}
    sizes = {name: min(count, _RIVAL_RECORDS) if name in _SLOW else count for name in found}
    for size in sorted(set(sizes.values())):
        path = feed.write(folder, size)
        for _ in range(rounds):
            for name in (name for name in found if sizes[name] == size):
                found[name].append(read(path, small) if name == OURS else parse(pythons[name], name, path, small))
        path.unlink()
    ours = found.pop(OURS)
    peak = statistics.median(run["peak_bytes"] for run in ours)
    entry = {
        "feed": feed.name,
        "what": feed.reader,
        "records": count,
        "rate": _rate(ours, count),
        "peak_mib": round(peak / _MIB),
        "times_memory": round(peak / least["peak_bytes"], 2),
        "void": next(filter(None, (wrong(feed, count, run) for run in ours)), ""),
    }
    return [entry, *(_of_rival(feed, name, sizes[name], runs) for name, runs in found.items())]


def _of_rival(feed: Feed, name: str, count: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    lost = [run["records"] for run in runs if run["records"] != count]
    return {
        "feed": feed.name,
        "what": name,
        "records": count,
        "rate": _rate(runs, count),
        "peak_mib": round(statistics.median(run["peak_bytes"] for run in runs) / _MIB),
        "times_memory": None,
        "void": f"{lost[0]} records of {count}" if lost else "",
    }


def _rate(runs: Sequence[dict[str, Any]], count: int) -> int:
    return round(count / statistics.median(float(run["cpu_s"]) for run in runs))


def wrong(feed: Feed, count: int, run: dict[str, Any]) -> str:
    """How the readings differ from what was written; empty if they do not."""
    if run["reader"] != feed.reader:
        return f"it was read as {run['reader'] or 'nothing'}"
    if run["rejected"] or run["seen"] != feed.indicators(count):
        return f"{run['seen']} indicators of {feed.indicators(count)}, {run['rejected']} refused"
    return ""


def read(path: Path, small: Path) -> dict[str, Any]:
    """The cost of our reader over a file, in a process of its own, after a small one of the same format."""
    return answered([sys.executable, "-m", "bench.reading", str(path), str(small)])


def parse(python: str, name: str, path: Path, small: Path) -> dict[str, Any]:
    """The cost of another parser over it, with the interpreter of its environment."""
    return answered([python, "-P", str(Path(__file__).with_name("rival_parsers.py")), name, str(path), str(small)])


def _pythons() -> dict[str, str]:
    """The interpreter for each rival; one that cannot be installed is left out, with a message."""
    found = dict.fromkeys(("json.loads", "csv.DictReader", "PyMISP", "stix2"), sys.executable)
    others: dict[str, Callable[[], Path]] = {
        "zat": lambda: environments.installed("zat", ZAT_VERSION, ZAT_PINS, "--no-deps"),
        "IntelMQ": intelmq_home.installed,
    }
    for name, install in others.items():
        try:
            found[name] = str(install() / "bin" / "python")
        except NotFound as error:
            sys.stderr.write(f"  {error}\n")
    return found
