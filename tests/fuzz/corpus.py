"""What is mutated: golden records, the recorded feeds in small, and what was made by hand to be as bad as it can be."""

import gzip
import io
import json
from functools import cache
from typing import Any, Final

import fastavro

from producers.readers.formats import readers
from schemas.codec import SENSOR_REPORT, Codec, schema
from schemas.vocabulary import IndicatorType
from tests.builders import a_report, an_observation
from tests.golden.make import FOLDER
from tests.producers.reading_feeds import FEEDS, an_input, content_of, manifest

LINES: Final = 40
WHOLE: Final = (".ioc", ".adoc")  # their beginnings alone are no documents, or have no values
ITEMS: Final = 8
LINES_OF_JSON: Final = "suricata-eve"
DOCUMENTS: Final = ("stix-bundle", "misp-event", LINES_OF_JSON)
CODEC: Final = Codec()
_FILES: Final = {
    "openioc": "openioc/*.ioc",
    "prose-report": "report/*.adoc",
    "zeek-log": "zeek/*",
}
"""Recorded feeds that the demo does not play."""
_FAST: Final = """\
11/20/2026-08:00:00.250000  [**] [1:2024001:3] ET MALWARE made up [**] [Classification: A Network Trojan was detected] \
[Priority: 1] {TCP} 10.1.2.3:50123 -> 198.51.100.7:443
11/20/26-08:00:01.250000  [Drop] [**] [1:2024002:1] made up [**] [Priority: 2] {UDP} [2001:db8::1]:53 -> 10.1.2.3:50124
11/20/2026-08:00:02.250000  [**] [1:2024003:1] made up [**] [Classification: Misc activity] [Priority: 3] {ICMP} \
203.0.113.9:8 -> 10.1.2.3:0
11/20/2026-08:00:03.250000  [**] [1:2024004:1] cut
"""
_RELEASED: Final = b"""\
{"id": "indicator--6a1f0001-0000-5000-8000-000000000001", "kind": "content", "version": 1763625600000, "origin": "DEU",
"hops": ["DEU", "FRA"], "recalled_through": 0, "reason": "", "content": {"type": "url", "value": "http://bad.example.com/",
"tlp": "TLP:AMBER", "pap": "", "releasable_to": ["FRA"], "caveats": ["EXERCISE"], "labels": ["c2"], "confidence": 60}}
{"id": "indicator--6a1f0001-0000-5000-8000-000000000001", "kind": "recalled", "version": 1763625600001, "origin": "DEU"}
"""
_MADE_UP: Final = {"suricata-fast": (_FAST.encode(),), "released-indicator": (_RELEASED,)}
_BOMB_BYTES: Final = 96 << 20  # more than any document may have
_MOST_OF_A_SEED: Final = 32 << 10
_VALUES: Final = {
    IndicatorType.IPV4_ADDR: "192.0.2.1",
    IndicatorType.IPV4_NET: "192.0.2.0/24",
    IndicatorType.IPV6_ADDR: "2001:db8::1",
    IndicatorType.DOMAIN_NAME: "例え.example",
    IndicatorType.URL: "http://user:pw@192.0.2.1:8080/a%20b?c=d#e",
    IndicatorType.FILE_MD5: "0" * 32,
    IndicatorType.FILE_NAME: "invoice.exe",
    IndicatorType.X509_SHA1: ":".join(["0A"] * 20),
    IndicatorType.USER_AGENT: "User-Agent: made-up/1.0 (+hxxp://bad[.]example)",
    IndicatorType.MUTEX: "\\Sessions\\1\\BaseNamedObjects\\made-up",
    IndicatorType.REGISTRY_KEY: "\\REGISTRY\\USER\\S-1-5-21-1-2-3-1001_Classes\\made-up",
    IndicatorType.IMPHASH: "0" * 32,
}


@cache
def records(name: str) -> tuple[bytes, ...]:
    """The golden records of a schema."""
    return tuple(path.read_bytes() for path in sorted((FOLDER / name).glob("*.bin")))


@cache
def reports() -> tuple[bytes, ...]:
    """Reports: golden ones, one of many kinds of observations, and one whose dictionaries are used."""
    kinds = [an_observation(kind=kind, value=value) for kind, value in _VALUES.items()]
    rich = [an_observation(description=f"d{n}", labels=(f"l{n}", "x"), context=(("port", str(n)),)) for n in range(20)]
    return (*records(SENSOR_REPORT), *(CODEC.encode(SENSOR_REPORT, a_report(rows)) for rows in (kinds, rich)))


@cache
def inputs(format_name: str) -> tuple[bytes, ...]:
    """The seeds of a format: the beginnings of its recorded feeds, and what was made up; else the reader's example."""
    if format_name in DOCUMENTS and format_name != LINES_OF_JSON:
        seeds = tuple(json.dumps(each).encode() for each in documents(format_name))
    else:
        beginnings = (b"".join(_beginning(file))[:_MOST_OF_A_SEED] for file in _files(format_name))
        seeds = (*beginnings, *_MADE_UP.get(format_name, ()))
    if not seeds and format_name not in readers():
        raise LookupError(f"{format_name}: no seeds for the fuzzer, add some to _FILES or _MADE_UP in {__file__}")
    return seeds or (readers()[format_name].example,)


def _files(format_name: str) -> list[str]:
    played = [entry["file"] for entry in manifest() if entry["format"] == format_name]
    others = sorted(FEEDS.glob(_FILES[format_name])) if format_name in _FILES else []
    return [*played, *(str(path.relative_to(FEEDS)) for path in others)]


def _beginning(file: str) -> list[bytes]:
    found = an_input((FEEDS / file).read_bytes()).stream.readlines(_MOST_OF_A_SEED)
    return found if file.endswith(WHOLE) else found[:LINES]


@cache
def documents(format_name: str) -> tuple[Any, ...]:
    """The recorded documents of a format, with lists of a few items; of lines of JSON each alert is one."""
    if format_name == LINES_OF_JSON:
        lines = [line for data in inputs(format_name) for line in data.splitlines()]
        return tuple(json.loads(line) for line in lines if b'"alert"' in line and line.endswith(b"}"))
    return tuple(_small(json.loads(content_of(file))) for file in _files(format_name))


def _small(node: Any) -> Any:
    if isinstance(node, list):
        return [_small(item) for item in node[:ITEMS]]
    return {key: _small(item) for key, item in node.items()} if isinstance(node, dict) else node


@cache
def report_bombs() -> tuple[bytes, ...]:
    """Small on the wire and large in memory: one byte of Avro may be a Python object of a hundred."""
    many = 1_900_000
    bombs: tuple[dict[str, Any], ...] = (
        {"label_sets": [[]] * many},
        {"label_sets": [[""] * many]},
        {"contexts": [{"description": "", "entries": {}}] * (many // 2)},
        {"markings": [{"tlp": "", "pap": "", "releasable_to": [], "caveats": []}] * (many // 5)},
        {"values": [""] * 900_000, "kinds": b"\1" * 900_000},
        {"label_sets": [[]] * 65_000, "values": [""] * 90_000, "kinds": b"\1" * 90_000, "label_index": [7] * 90_000},
    )
    return tuple(_unchecked(changes) for changes in bombs)


def _unchecked(changes: dict[str, Any]) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema(SENSOR_REPORT), a_report() | changes)
    return CODEC.encode(SENSOR_REPORT, a_report())[:5] + body.getvalue()


@cache
def input_bombs() -> tuple[bytes, ...]:
    """Inputs that unfold, that have no end of a line, and that are as deep as they are long."""
    return (
        gzip.compress(bytes(_BOMB_BYTES), 6, mtime=0),
        gzip.compress(b"[" * _BOMB_BYTES, 6, mtime=0),
        gzip.compress(b"198.51.100.7," * (_BOMB_BYTES // 40), 6, mtime=0),
        gzip.compress(b"\n" * (1 << 18), 6, mtime=0),
        b'{"event_type":' * 100_000,
        b'{"objects":' + b"[" * 1_000_000,
        b'{"type":"bundle","objects":[' + b"{}," * 20_000 + b"{}]}",
        b'{"Event":{"Attribute":[' + b"{}," * 20_000 + b"{}]}}",
        b'"' + b"a,b\n" * 20_000,
    )
