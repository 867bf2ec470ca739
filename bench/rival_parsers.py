"""``python rival_parsers.py NAME FILE SMALL``: another parser over one file, after a small one of the same format.

It prints its cost as a line of JSON, and imports nothing of this project: it also runs in the environment of the
rival itself. Each makes an object of every record in Python, and keeps none of those that it can read one by one.
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

Parser = Callable[[Path], int]  # how many records a file has

_REPORT_ROWS = 500
_COLUMNS = {"domain": "source.fqdn", "url": "source.url", "sha256": "malware.hash.sha256"}


def json_lines() -> Parser:
    """The standard library's ``json.loads`` of each line."""

    def parse(path: Path) -> int:
        with path.open(encoding="utf-8") as file:
            return sum(1 for line in file if json.loads(line))

    return parse


def csv_rows() -> Parser:
    """The standard library's ``csv.DictReader``."""

    def parse(path: Path) -> int:
        with path.open(encoding="utf-8", newline="") as file:
            return sum(1 for row in csv.DictReader(file) if row)

    return parse


def zat() -> Parser:
    """zat's reader of Zeek's logs."""
    reader = import_module("zat.zeek_log_reader").ZeekLogReader
    return lambda path: sum(1 for row in reader(str(path)).readrows() if row)


def pymisp() -> Parser:
    """PyMISP's event."""
    module = import_module("pymisp")

    def parse(path: Path) -> int:
        event = module.MISPEvent()
        event.load_file(str(path))
        return len(event.attributes)

    return parse


def stix2() -> Parser:
    """OASIS's own library."""
    module = import_module("stix2")

    def parse(path: Path) -> int:
        with path.open(encoding="utf-8") as file:
            return len(module.parse(file).objects)

    return parse


def intelmq() -> Parser:
    """IntelMQ's parser of CSV, as a library, without a queue between bots: a report of 500 rows at a time."""
    module, settings = import_module("intelmq.bots.parsers.generic.parser_csv"), import_module("intelmq.lib.bot")
    types = json.dumps(dict.fromkeys(_COLUMNS, "malware-distribution"))
    bots = {
        kind: module.GenericCsvParserBot(
            f"bench-{kind}",
            settings=settings.BotLibSettings
            | {"columns": ["time.source", "classification.type", value, "__IGNORE__", "feed.accuracy", "extra.tags"]}
            | {"type_translation": types},
        )
        for kind, value in _COLUMNS.items()
    }

    def parse(path: Path) -> int:
        reports = ((kind, {"feed.name": "bench", "raw": raw}) for kind, raw in _reports(path))
        return sum(len(bots[kind].process_message(report)["output"]) for kind, report in reports)

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


PARSERS: dict[str, Callable[[], Parser]] = {
    "json.loads": json_lines,
    "csv.DictReader": csv_rows,
    "zat": zat,
    "PyMISP": pymisp,
    "stix2": stix2,
    "IntelMQ": intelmq,
}


def main(name: str, path: Path, small: Path) -> None:
    """One file; a parser's own output is not part of the answer."""
    answer, sys.stdout = sys.stdout, sys.stderr
    parse = PARSERS[name]()
    parse(small)
    began = time.process_time()
    records = parse(path)
    cpu_s = time.process_time() - began
    found: dict[str, Any] = {"records": records, "cpu_s": cpu_s, "peak_bytes": _peak_bytes()}
    answer.write(json.dumps(found) + "\n")


def _peak_bytes() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
