"""``python rival_parsers.py NAME FILE``: another parser over one file; prints what it took as a line of JSON.

It imports nothing of this project: it also runs in the environment of the rival itself. Each makes an object of every
record in Python, and keeps none of those that it can read one by one.
"""

import base64
import csv
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

_REPORT_ROWS = 500
_COLUMNS = {"domain": "source.fqdn", "url": "source.url", "sha256": "malware.hash.sha256"}


def json_lines(path: Path) -> Callable[[], int]:
    """The standard library's ``json.loads`` of each line."""

    def parse() -> int:
        with path.open(encoding="utf-8") as file:
            return sum(1 for line in file if json.loads(line))

    return parse


def csv_rows(path: Path) -> Callable[[], int]:
    """The standard library's ``csv.DictReader``."""

    def parse() -> int:
        with path.open(encoding="utf-8", newline="") as file:
            return sum(1 for row in csv.DictReader(file) if row)

    return parse


def zat(path: Path) -> Callable[[], int]:
    """zat's reader of Zeek's logs."""
    reader = import_module("zat.zeek_log_reader").ZeekLogReader(str(path))
    return lambda: sum(1 for row in reader.readrows() if row)


def pymisp(path: Path) -> Callable[[], int]:
    """PyMISP's event."""
    event = import_module("pymisp").MISPEvent()

    def parse() -> int:
        event.load_file(str(path))
        return len(event.attributes)

    return parse


def stix2(path: Path) -> Callable[[], int]:
    """OASIS's own library."""
    module = import_module("stix2")

    def parse() -> int:
        with path.open(encoding="utf-8") as file:
            return len(module.parse(file).objects)

    return parse


def intelmq(path: Path) -> Callable[[], int]:
    """IntelMQ's parser of CSV, as a library, without a queue between bots: a report of 500 rows at a time."""
    module, settings = import_module("intelmq.bots.parsers.generic.parser_csv"), import_module("intelmq.lib.bot")
    columns = ["time.source", "classification.type", "__value", "__IGNORE__", "feed.accuracy", "extra.tags"]
    bots = {
        kind: module.GenericCsvParserBot(
            f"bench-{kind}",
            settings=settings.BotLibSettings
            | {"columns": [column if column != "__value" else value for column in columns]}
            | {"type_translation": json.dumps(dict.fromkeys(_COLUMNS, "malware-distribution"))},
        )
        for kind, value in _COLUMNS.items()
    }

    def parse() -> int:
        return sum(
            len(bots[kind].process_message({"feed.name": "bench", "raw": raw})["output"])
            for kind, raw in _reports(path)
        )

    return parse


def _reports(path: Path) -> Iterator[tuple[str, str]]:
    """The rows in reports of rows of one type, as its parser has one column for each type of value."""
    waiting: dict[str, list[str]] = {kind: [] for kind in _COLUMNS}

    def report(kind: str) -> tuple[str, str]:
        text = StringIO()
        text.writelines(waiting[kind])
        waiting[kind] = []
        return kind, base64.b64encode(text.getvalue().encode()).decode()

    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            kind = line.split(",", 2)[1]
            waiting[kind].append(line)
            if len(waiting[kind]) == _REPORT_ROWS:
                yield report(kind)
    for kind in _COLUMNS:
        if waiting[kind]:
            yield report(kind)


PARSERS: dict[str, Callable[[Path], Callable[[], int]]] = {
    "json.loads": json_lines,
    "csv.DictReader": csv_rows,
    "zat": zat,
    "PyMISP": pymisp,
    "stix2": stix2,
    "IntelMQ": intelmq,
}


def main(name: str, path: Path) -> None:
    """One file; what a parser prints itself is no part of the answer."""
    answer, sys.stdout = sys.stdout, sys.stderr
    parse = PARSERS[name](path)
    began = time.process_time()
    records = parse()
    cpu_s = time.process_time() - began
    found: dict[str, Any] = {"records": records, "cpu_s": cpu_s, "peak_bytes": _peak_bytes()}
    answer.write(json.dumps(found) + "\n")


def _peak_bytes() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
