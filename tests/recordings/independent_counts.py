"""How many pieces a recorded feed has, by other tools: ``csv``, ``json``, PyMISP, or its lines alone."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Final

import pymisp

_DEFANGED: Final = re.compile(r"hxxps?|\[\.\]|\b(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})\b")


def lines(content: bytes) -> set[str]:
    """The numbers of the lines that are not blank: each of them is a piece."""
    return {str(number) for number, line in enumerate(content.split(b"\n"), 1) if line.strip(b" \t\r\xef\xbb\xbf")}


def csv_rows(content: bytes) -> set[str]:
    """The numbers of the lines in which rows begin, by the standard library."""
    text = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
    reader, found, before = csv.reader(text), set[str](), 0
    for row in reader:
        if any(cell.strip() for cell in row):
            found.add(str(before + 1))
        before = reader.line_num
    return found


def stix_objects(content: bytes) -> set[str]:
    """The numbers of the objects, from 1."""
    document = json.loads(content)
    return _numbers(len(document if isinstance(document, list) else document.get("objects") or [document]))


def misp_attributes(content: bytes) -> set[str]:
    """The numbers of attributes, also of those within objects, by PyMISP; from 1."""
    return _numbers(len(list(_attributes(content))))


def misp_proposals(content: bytes) -> int:
    """How many proposals a document has, by PyMISP."""
    of_events = sum(len(each.shadow_attributes) for each in _events(content))
    return of_events + sum(len(each.shadow_attributes) for each in _attributes(content))


def _attributes(content: bytes) -> Iterator[pymisp.MISPAttribute]:
    for event in _events(content):
        yield from event.attributes
        for thing in event.objects:
            yield from thing.attributes


def _events(content: bytes) -> Iterator[pymisp.MISPEvent]:
    document = json.loads(content)
    response = document.get("response", [document])
    for each in [{"Event": {"info": "", **response}}] if isinstance(response, dict) else response:
        event = pymisp.MISPEvent()
        event.load(each)
        yield event


def openioc_items(content: bytes) -> set[str]:
    """The numbers of indicator items, from 1."""
    return _numbers(len(re.findall(rb"<IndicatorItem\b", content)))


def eve_records(content: bytes) -> set[str]:
    """The numbers of lines; of a pretty-printed array the numbers of its records."""
    return _numbers(len(json.loads(content))) if content.startswith(b"[") else lines(content)


def _numbers(count: int) -> set[str]:
    return set(map(str, range(1, count + 1)))


def report_lines(content: bytes) -> set[str]:
    """The lines of a report that have a defanged value or a hash."""
    text = content.decode("utf-8")
    return {str(number) for number, line in enumerate(text.split("\n"), 1) if _DEFANGED.search(line)}


COUNTED: Final[dict[str, Callable[[bytes], set[str]]]] = {
    "csv-list": csv_rows,
    "txt-list": lines,
    "zeek-log": lines,
    "suricata-eve": eve_records,
    "stix-bundle": stix_objects,
    "misp-event": misp_attributes,
    "openioc": openioc_items,
    "prose-report": report_lines,
}
"""By format: what names each piece that must have an outcome."""
