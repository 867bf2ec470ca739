"""Collapsed observations between intake and correlate: columnar blocks by shard, and block to assertions."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from schemas.identity import shard_of_key
from schemas.marking_records import marking_of, marking_record
from schemas.markings import Marking
from schemas.quarantine import Refused
from schemas.records import ContextRecord, ObservationBlock
from schemas.vocabulary import TYPES_OF_V3, IndicatorType, RejectReason, Withdrawal
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.statement import Statement
from streams.correlate.terms import code_of_terms, code_of_texts, mark_of
from streams.intake.collapse import Collapsed
from streams.intake.columns import NO_ENTRY, Arrived, Dictionaries

Entry = TypeVar("Entry", int, str)

FORMAT_VERSION: Final = 1
KEY_BYTES: Final = 16
_KINDS: Final = {int(kind): kind for kind in IndicatorType}
MAX_ROWS: Final = 10_000
MAX_BYTES: Final = 1 << 20  # about, encoded: well under the topic's limit for one record
_ROW_BYTES: Final = 104
_COLUMNS: Final = (
    "values",
    "sensor_index",
    "epochs",
    "sequences",
    "appended_ms",
    "first_seen_ms",
    "last_seen_ms",
    "counts",
    "confidences",
    "valid_until_ms",
    "marking_index",
    "label_index",
    "context_index",
)
_INDICES: Final = ("sensor_index", "marking_index", "label_index", "context_index")


def blocks(
    rows: Sequence[Collapsed], known: Dictionaries, arrived: Sequence[Arrived], shards: int
) -> Iterator[tuple[int, ObservationBlock]]:
    """The collapsed rows as blocks, each for one shard.

    Later types have blocks of their own: a worker that has not been upgraded yet refuses no other row with them.
    """
    by_shard: dict[tuple[int, bool], list[Collapsed]] = {}
    for row in rows:
        place = shard_of_key(row.known.key, shards), row.known.kind in TYPES_OF_V3
        by_shard.setdefault(place, []).append(row)
    for (shard, _), part in by_shard.items():
        for chunk in _fitting(part, known, arrived):
            yield shard, _block(chunk, known, arrived)


def _fitting(
    rows: Sequence[Collapsed], known: Dictionaries, arrived: Sequence[Arrived]
) -> Iterator[Sequence[Collapsed]]:
    """The rows in pieces of ``MAX_ROWS`` and about ``MAX_BYTES`` at most; one row always fits, ``validate`` guarantees
    that."""
    if len(rows) == 1 or (len(rows) <= MAX_ROWS and _fits(rows, known, arrived)):
        yield rows
        return
    half = len(rows) // 2
    yield from _fitting(rows[:half], known, arrived)
    yield from _fitting(rows[half:], known, arrived)


def _fits(rows: Sequence[Collapsed], known: Dictionaries, arrived: Sequence[Arrived]) -> bool:
    """Whether the block of these rows takes about ``MAX_BYTES`` at most: each text of its dictionaries once."""
    texts = [arrived[place].report["sensor"] for place in {row.report for row in rows}]
    for code in {row.marking for row in rows}:
        texts += [*known.markings[code].caveats, *(known.markings[code].releasable_to or ())]
    for code in {row.label for row in rows}:
        texts += known.labels[code]
    for code in {row.context for row in rows} - {NO_ENTRY}:
        context = known.contexts[code]
        texts += [context["description"], *context["entries"], *context["entries"].values()]
    texts += [row.known.value for row in rows]
    room = MAX_BYTES - len(rows) * _ROW_BYTES
    # In UTF-8 a character has four bytes at most, so most texts need not be encoded to be measured.
    return sum(map(len, texts)) * 4 <= room or sum(map(len, map(str.encode, texts))) <= room


def _block(rows: Sequence[Collapsed], known: Dictionaries, arrived: Sequence[Arrived]) -> ObservationBlock:
    reports = [arrived[row.report] for row in rows]
    sensors, sensor_index = _compact([each.report["sensor"] for each in reports])
    marking_codes, marking_index = _compact([row.marking for row in rows])
    label_codes, label_index = _compact([row.label for row in rows])
    context_codes, context_index = _compact([row.context for row in rows])
    contexts: list[ContextRecord] = [
        {"description": "", "entries": {}} if code == NO_ENTRY else known.contexts[code] for code in context_codes
    ]
    block: ObservationBlock = {
        "format_version": FORMAT_VERSION,
        "keys": b"".join([row.known.key for row in rows]),
        "kinds": bytes([row.known.kind for row in rows]),
        "values": [row.known.value for row in rows],
        "sensors": sensors,
        "sensor_index": sensor_index,
        "epochs": [each.report["epoch"] for each in reports],
        "sequences": [each.report["sequence"] for each in reports],
        "appended_ms": [each.appended_ms for each in reports],
        "first_seen_ms": [row.first_seen_ms for row in rows],
        "last_seen_ms": [row.last_seen_ms for row in rows],
        "counts": [row.count for row in rows],
        "confidences": [row.confidence for row in rows],
        "valid_until_ms": [row.valid_until_ms for row in rows],
        "markings": [marking_record(known.markings[code]) for code in marking_codes],
        "marking_index": marking_index,
        "label_sets": [list(known.labels[code]) for code in label_codes],
        "label_index": label_index,
        "contexts": contexts,
        "context_index": context_index,
    }
    withdrawals = bytes([row.withdrawal for row in rows])
    authenticated = bytes([each.authenticated for each in reports])
    if any(withdrawals) or any(authenticated):
        block["withdrawals"] = withdrawals
    if any(authenticated):
        block["authenticated"] = authenticated
    return block


def _compact(entries: Sequence[Entry]) -> tuple[list[Entry], list[int]]:
    """The distinct entries in order of appearance, and the index of each entry among them."""
    places: dict[Entry, int] = {}
    index = [places.setdefault(entry, len(places)) for entry in entries]
    return list(places), index


class Observed(msgspec.Struct, frozen=True, gc=False):
    """One row of a block: an indicator's key, type and value, and one sensor's assertion from one report."""

    key: bytes
    kind: IndicatorType
    value: str
    assertion: Assertion


def observed(block: ObservationBlock) -> list[Observed] | Refused:
    """The rows of a block, or why it is invalid. Blocks are ours, so an invalid one is a defect or damage."""
    length = len(block["values"])
    lengths = {len(block[name]) for name in _COLUMNS}
    if block["format_version"] != FORMAT_VERSION:
        return Refused(RejectReason.UNKNOWN_FORMAT_VERSION, f"block layout {block['format_version']}")
    if lengths != {length} or len(block["keys"]) != KEY_BYTES * length or len(block["kinds"]) != length:
        return Refused(RejectReason.MISMATCHED_COLUMNS, "the columns of the block have different lengths")
    optional = (block.get("withdrawals", b""), block.get("authenticated", b""))
    if any(len(column) not in (0, length) for column in optional):
        return Refused(RejectReason.MISMATCHED_COLUMNS, "the columns of the block have different lengths")
    if any(min(block[name], default=0) < 0 for name in _INDICES):  # Python would count from the end
        return Refused(RejectReason.DANGLING_INDEX, "the block contradicts itself: an index is negative")
    if unknown := {*block["kinds"]} - _KINDS.keys():
        return Refused(RejectReason.UNKNOWN_TYPE, f"type codes {sorted(unknown)}: upgrade all workers before sensors")
    try:
        return list(_observed(block))
    except (IndexError, KeyError, ValueError) as error:
        return Refused(RejectReason.DANGLING_INDEX, f"the block contradicts itself: {error}")


def _observed(block: ObservationBlock) -> Iterator[Observed]:
    """The rows, column by column. Raises IndexError, KeyError or ValueError for entries missing in the block."""
    keys = block["keys"]
    rows = zip(block["kinds"], block["values"], _assertions(block), strict=True)
    for row, (kind, value, assertion) in enumerate(rows):
        yield Observed(keys[row * KEY_BYTES : (row + 1) * KEY_BYTES], _KINDS[kind], value, assertion)


def _assertions(block: ObservationBlock) -> Iterator[Assertion]:
    markings, none = [marking_of(record) for record in block["markings"]], bytes(len(block["values"]))
    marks, sensors = [mark_of(marking) for marking in markings], block["sensors"]
    texts = [code_of_texts(each["description"], tuple(sorted(each["entries"].items()))) for each in block["contexts"]]
    withdrawals = block.get("withdrawals") or none
    columns = zip(
        block["epochs"],
        block["sequences"],
        block["appended_ms"],
        _terms(block, markings, withdrawals),
        block["valid_until_ms"],
        block["context_index"],
        block.get("authenticated") or none,
        strict=True,
    )
    statements = [
        Statement(epoch, sequence, appended_ms, terms, valid_until_ms, texts[text], signed != 0)
        for epoch, sequence, appended_ms, terms, valid_until_ms, text, signed in columns
    ]
    seen = zip(block["counts"], block["first_seen_ms"], block["last_seen_ms"], strict=True)
    for statement, times, sensor, mark, withdrawal in zip(
        statements, seen, block["sensor_index"], block["marking_index"], withdrawals, strict=True
    ):
        # With a withdrawal nothing was seen.
        yield Assertion(sensors[sensor], statement, () if withdrawal else (Tally(marks[mark], *times),))


def _terms(block: ObservationBlock, markings: Sequence[Marking], withdrawals: bytes) -> Iterator[bytes]:
    """The terms of each row: of many rows the same."""
    known: dict[tuple[int, int, int, int], bytes] = {}
    labels = [tuple(entry) for entry in block["label_sets"]]
    for row in zip(block["marking_index"], block["confidences"], block["label_index"], withdrawals, strict=True):
        code = known.get(row)
        if code is None:
            marking, confidence, label, withdrawal = row
            by = int(Withdrawal(withdrawal)) if withdrawal else 0
            code = known[row] = code_of_terms(markings[marking], confidence, labels[label], by)
        yield code
