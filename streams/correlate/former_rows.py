"""Rows as formats 1 to 4 kept them: a statement with its terms and texts in full, a tally with its marking. Pure.

A row is an array, and the number of its fields tells its format (``row.decode``, ``branches``).
"""

from typing import Any, Final

import msgspec

from schemas.markings import Marking
from streams.correlate.statement import Statement
from streams.correlate.terms import mark_of

Fields = list[Any]
_FORMAT: Final = 4  # the last one without a field for it
_READ: Final = msgspec.msgpack.Decoder(list[Any]).decode


def row_fields(data: bytes) -> Fields:
    """The fields of an indicator's row, its assertions as they are kept now. Raises as ``msgspec.convert``."""
    fields = _READ(data)
    fields[3] = [_assertion(each) for each in fields[3]]
    return fields


def node_fields(data: bytes) -> Fields:
    """The fields of a row of further sources, as they are kept now."""
    generation, sources, parts = _READ(data)
    return [generation, [[name, _assertion(each)] for name, each in sources], parts, _FORMAT]


def _assertion(kept: Fields) -> Fields:
    sensor, latest, tallies, *more = kept
    if more and more[0] is not None:
        more[0] = _tally(more[0])
    return [sensor, _statement(latest), [_tally(each) for each in tallies], *more]


def _statement(kept: Fields) -> Statement:
    epoch, sequence, appended_ms, marking, confidence, valid_until_ms, labels, description, context, *more = kept
    return Statement.of(
        epoch,
        sequence,
        appended_ms,
        msgspec.convert(marking, Marking),
        confidence,
        valid_until_ms,
        tuple(labels),
        description,
        tuple((name, text) for name, text in context),
        *more,
    )


def _tally(kept: Fields) -> Fields:
    marking, *seen = kept
    return [mark_of(msgspec.convert(marking, Marking)), *seen]
