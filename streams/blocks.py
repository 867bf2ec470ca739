"""Collapsed observations between intake and correlate: frame to columnar blocks by shard, and block to assertions."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec
import polars as pl

from schemas.identity import shard_of_key
from schemas.marking_records import marking_of, marking_record
from schemas.markings import Marking
from schemas.quarantine import Refused
from schemas.records import ContextRecord, ObservationBlock
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.statement import Statement
from streams.correlate.terms import code_of_terms, code_of_texts, mark_of
from streams.intake.columns import NO_ENTRY, Arrived, Batch

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
    collapsed: pl.DataFrame, markings: Sequence[Marking], batch: Batch, arrived: Sequence[Arrived], shards: int
) -> Iterator[tuple[int, ObservationBlock]]:
    """The collapsed rows as blocks, each for one shard."""
    if not collapsed.height:
        return
    shard = [shard_of_key(key, shards) for key in collapsed["key"]]
    by_shard = collapsed.with_columns(shard=pl.Series(shard, dtype=pl.Int32)).partition_by("shard", maintain_order=True)
    fit = collapsed.height <= MAX_ROWS and _size(collapsed, markings, batch, arrived) <= MAX_BYTES  # so do its parts
    for part in by_shard:
        for slice_ in part.iter_slices(MAX_ROWS):
            for chunk in (slice_,) if fit else _fitting(slice_, markings, batch, arrived):
                yield chunk["shard"][0], _block(chunk, markings, batch, arrived)


def _fitting(
    rows: pl.DataFrame, markings: Sequence[Marking], batch: Batch, arrived: Sequence[Arrived]
) -> Iterator[pl.DataFrame]:
    """The rows in pieces that are about ``MAX_BYTES`` at most; one row always fits, ``validate`` guarantees that."""
    if rows.height == 1 or _size(rows, markings, batch, arrived) <= MAX_BYTES:
        yield rows
        return
    half = rows.height // 2
    yield from _fitting(rows[:half], markings, batch, arrived)
    yield from _fitting(rows[half:], markings, batch, arrived)


def _size(rows: pl.DataFrame, markings: Sequence[Marking], batch: Batch, arrived: Sequence[Arrived]) -> int:
    """About how many bytes the block of these rows takes: each text of its dictionaries once."""
    texts = [arrived[place].report["sensor"] for place in rows["report"].unique()]
    for code in rows["marking"].unique():
        texts += [*markings[code].caveats, *(markings[code].releasable_to or ())]
    texts += [label for code in rows["label"].unique() for label in batch.labels[code]]
    for code in rows["context"].unique():
        if code != NO_ENTRY:
            context = batch.contexts[code]
            texts += [context["description"], *context["entries"], *context["entries"].values()]
    values = int(rows["value"].str.len_bytes().sum())
    return rows.height * _ROW_BYTES + values + sum(len(text.encode()) for text in texts)


def _block(
    rows: pl.DataFrame, markings: Sequence[Marking], batch: Batch, arrived: Sequence[Arrived]
) -> ObservationBlock:
    places = rows["report"].to_list()
    reports = [each.report for each in arrived]
    sensors, sensor_index = _compact([reports[place]["sensor"] for place in places])
    marking_codes, marking_index = _compact(rows["marking"].to_list())
    label_codes, label_index = _compact(rows["label"].to_list())
    context_codes, context_index = _compact(rows["context"].to_list())
    contexts: list[ContextRecord] = [
        {"description": "", "entries": {}} if code == NO_ENTRY else batch.contexts[code] for code in context_codes
    ]
    block: ObservationBlock = {
        "format_version": FORMAT_VERSION,
        "keys": b"".join(rows["key"].to_list()),
        "kinds": bytes(rows["kind"].to_list()),
        "values": rows["value"].to_list(),
        "sensors": sensors,
        "sensor_index": sensor_index,
        "epochs": [reports[place]["epoch"] for place in places],
        "sequences": [reports[place]["sequence"] for place in places],
        "appended_ms": rows["appended_ms"].to_list(),
        "first_seen_ms": rows["first_seen_ms"].to_list(),
        "last_seen_ms": rows["last_seen_ms"].to_list(),
        "counts": rows["counts"].to_list(),
        "confidences": rows["confidences"].to_list(),
        "valid_until_ms": rows["valid_until_ms"].to_list(),
        "markings": [marking_record(markings[code]) for code in marking_codes],
        "marking_index": marking_index,
        "label_sets": [list(batch.labels[code]) for code in label_codes],
        "label_index": label_index,
        "contexts": contexts,
        "context_index": context_index,
    }
    withdrawals = bytes(rows["withdrawal"].to_list())
    authenticated = bytes(arrived[place].authenticated for place in places)
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
    try:
        return list(_observed(block))
    except (IndexError, KeyError, ValueError) as error:
        return Refused(RejectReason.DANGLING_INDEX, f"the block contradicts itself: {error}")


def _observed(block: ObservationBlock) -> Iterator[Observed]:
    """The rows, column by column. Raises IndexError, KeyError or ValueError for what the block does not have."""
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
