"""Every way in which a report can be bad, as bytes on the wire, and the fate that it must have."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from exchange import clock
from schemas.codec import PROGRESS, SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType, RejectReason
from tests.builders import DAY_MS, a_progress, a_report

NATION: Final = "GBR"
CODEC: Final = Codec()
CLEAR: Final = SourceMarking("TLP:CLEAR")
MOST_OBSERVATIONS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad report, and why it must be refused: whole (``index`` -1) or one observation of it."""

    name: str
    value: bytes | None
    reason: RejectReason
    index: int = -1
    turned: int = 0  # by how many partitions it stands beside its own

    @property
    def sensor(self) -> str:
        """A sensor of its own, so that nothing else is counted with it."""
        return f"bad {self.name}"


def good(name: str, number: int = 0, **changes: Any) -> Observation:
    """An observation that is released at once: a made-up hash, TLP:CLEAR."""
    value = sha256(f"{name} {number}".encode()).hexdigest()
    fields: dict[str, Any] = {"kind": IndicatorType.FILE_SHA256, "value": value, "marking": CLEAR} | changes
    return Observation(**fields)


def of_nation(name: str, *observations: Observation, **changes: Any) -> SensorReport:
    """A report of the sensor ``bad <name>``."""
    now_ms = clock.now_ms()
    fields = {"nation": NATION, "sensor": f"bad {name}", "epoch": now_ms - DAY_MS, "produced_at_ms": now_ms} | changes
    return a_report(observations or [good(name)], **fields)


def encoded(report: SensorReport) -> bytes:
    """As a sensor frames it."""
    return CODEC.encode(SENSOR_REPORT, report)


def whole_reports() -> list[Bad]:
    """Reports of which nothing can be used."""
    soon_ms = clock.now_ms() + 10 * DAY_MS
    columns: Mapping[str, Mapping[str, object]] = {
        "kinds": {"kinds": b"\x09\x09"},
        "counts": {"counts": [1, 2]},
        "marking index": {"marking_index": [0, 0, 0]},
    }
    cut = encoded(of_nation("cut"))
    return [
        Bad("no bytes", None, RejectReason.TRUNCATED),
        Bad("empty bytes", b"", RejectReason.TRUNCATED),
        Bad("cut in its header", cut[:4], RejectReason.TRUNCATED),
        Bad("cut in its body", cut[:-9], RejectReason.TRUNCATED),
        Bad("bytes after it", cut + b"\0", RejectReason.UNDECODABLE),
        Bad("no UTF-8", cut.replace(b"bad cut", b"bad\xffcut"), RejectReason.UNDECODABLE),
        Bad("unknown schema id", cut[:1] + b"\0\0\x03\xe7" + cut[5:], RejectReason.UNKNOWN_SCHEMA),
        Bad("another magic byte", b"\x01" + cut[1:], RejectReason.UNKNOWN_SCHEMA),
        Bad("another schema", CODEC.encode(PROGRESS, a_progress()), RejectReason.UNKNOWN_SCHEMA),
        Bad("JSON", b'{"values":["192.0.2.1"]}', RejectReason.UNKNOWN_SCHEMA),
        *(
            Bad(f"another length of {name}", encoded(of_nation(name, **changes)), RejectReason.MISMATCHED_COLUMNS)
            for name, changes in columns.items()
        ),
        _report("unknown format version", RejectReason.UNKNOWN_FORMAT_VERSION, format_version=2),
        Bad("value of 10 MB", encoded(of_nation("long", good("long", value="a" * 10_000_000))), RejectReason.TOO_LARGE),
        _report("wrong nation", RejectReason.WRONG_NATION, nation="JPN"),
        _report("future epoch", RejectReason.FUTURE_EPOCH, epoch=soon_ms),
        _report("negative sequence", RejectReason.STALE_EPOCH, sequence=-1),
        _report("endless tool", RejectReason.TOO_LARGE, tool="t" * 1_000_000),
        _report("endless redrive key", RejectReason.TOO_LARGE, redrive_of="k" * 1_000_000),
        _report("endless sensor", RejectReason.TOO_LARGE, sensor="s" * 1_000_000),
        Bad("1+", encoded(crowded("1+", MOST_OBSERVATIONS + 1)), RejectReason.TOO_LARGE),
        Bad("another partition", encoded(of_nation("another partition")), RejectReason.KEY_MISMATCH, turned=1),
    ]  # fmt: skip


def _report(name: str, reason: RejectReason, **changes: Any) -> Bad:
    return Bad(name, encoded(of_nation(name, **changes)), reason)


def observations() -> list[Bad]:
    """Reports with one observation that cannot be used, between two good ones."""
    now_ms = clock.now_ms()
    late, out = RejectReason.TIME_OUT_OF_RANGE, RejectReason.COUNT_OUT_OF_RANGE
    nations = tuple(f"A{one}{two}" for one in "ABCDEFGHI" for two in "ABCDEFGHI")
    spoilt: list[tuple[str, RejectReason, dict[str, Any]]] = [
        ("impossible hash", RejectReason.INVALID_VALUE, {"value": "d41d8"}),
        ("impossible address", RejectReason.INVALID_VALUE, {"kind": IndicatorType.IPV4_ADDR, "value": "192.0.2.999"}),
        ("empty value", RejectReason.INVALID_VALUE, {"value": ""}),
        ("value of 1 MB", RejectReason.VALUE_TOO_LONG, {"value": "a" * 1_000_000}),
        ("far future", late, {"last_seen_ms": now_ms + 40 * 365 * DAY_MS}),
        ("end of 64 bits", late, {"first_seen_ms": (1 << 63) - 1, "last_seen_ms": (1 << 63) - 1}),
        ("before 1970", late, {"first_seen_ms": -1}),
        ("ends before it begins", late, {"first_seen_ms": now_ms, "last_seen_ms": now_ms - 1}),
        ("valid for ever", late, {"valid_until_ms": 1 << 62}),
        ("seen never", out, {"count": 0}),
        ("seen too often", out, {"count": (1 << 63) - 1}),
        ("confidence 101", RejectReason.CONFIDENCE_OUT_OF_RANGE, {"confidence": 101}),
        ("thousand labels", RejectReason.TOO_MANY_LABELS, {"labels": tuple(f"l{number}" for number in range(1000))}),
        ("label that rings", RejectReason.TOO_MANY_LABELS, {"labels": ("\x07",)}),
        ("megabyte of context", RejectReason.TOO_LARGE, {"description": "d" * 1_000_000}),
        ("recipients without end", RejectReason.TOO_LARGE, {"marking": SourceMarking("TLP:CLEAR", "", nations)}),
    ]
    cases = [Bad(name, encoded(between(name, **changes)), reason, 1) for name, reason, changes in spoilt]
    dangling = between("dangling index")
    dangling["marking_index"][1] = 7
    unknown = between("unknown type")
    unknown["kinds"] = bytes([unknown["kinds"][0], 99, unknown["kinds"][2]])
    return [
        *cases,
        Bad("dangling index", encoded(dangling), RejectReason.DANGLING_INDEX, 1),
        Bad("unknown type", encoded(unknown), RejectReason.UNKNOWN_TYPE, 1),
    ]


def between(name: str, **changes: Any) -> SensorReport:
    """A report of three observations, with this change to the one in the middle."""
    return of_nation(name, good(name, 0), good(name, 1, **changes), good(name, 2))


def crowded(name: str, count: int) -> SensorReport:
    """A report of so many observations, of 500 files."""
    report = of_nation(name)
    names = [f"{name}-{number % 500}.exe" for number in range(count)]
    report["values"], report["kinds"] = names, bytes([IndicatorType.FILE_NAME]) * count
    report["marking_index"] = [0] * count
    report["first_seen_ms"] = report["last_seen_ms"] = report["valid_until_ms"] = []
    report["counts"] = report["confidences"] = report["label_index"] = report["context_index"] = []
    return report


def partition_of(bad: Bad, shards: int) -> int:
    """Where it is sent: to the partition of the sensor that it states it is of."""
    found = CODEC.decode(SENSOR_REPORT, bad.value)
    sensor = found["sensor"] if isinstance(found, dict) else bad.sensor
    return (shard_of_sensor(sensor, shards) + bad.turned) % shards
