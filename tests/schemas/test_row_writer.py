"""The row writer writes what fastavro writes, byte for byte, for every schema and any record."""

import io
import json
import random
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.row_writer import Encoded, field_schema, writer_of, zigzag

_NUMBERS: Final = {"int": 31, "long": 63}
_FRAME: Final = 5  # bytes before a record's body
_NAMES: Final = sorted(codec.bundled_ids().values())


def _values(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of a schema."""
    if isinstance(schema, list):
        return st.one_of(*(_values(branch, named) for branch in schema))
    if isinstance(schema, str):
        return _values(named[schema], named) if schema in named else _primitive(schema)
    match schema:
        case {"type": "record", "name": name, "fields": fields}:
            named[name] = schema
            return st.fixed_dictionaries({field["name"]: _values(field["type"], named) for field in fields})
        case {"type": "enum", "name": name, "symbols": symbols}:
            named[name] = schema
            return st.sampled_from(symbols)
        case {"type": "array", "items": items}:
            return st.lists(_values(items, named), max_size=3)
        case {"type": "map", "values": values}:
            return st.dictionaries(st.text(max_size=5), _values(values, named), max_size=3)
    return _values(schema["type"], named)


def _primitive(name: str) -> st.SearchStrategy[Any]:
    if name in _NUMBERS:
        bound = 1 << _NUMBERS[name]
        return st.integers(-bound, bound - 1)
    return {
        "null": st.none(),
        "string": st.text(max_size=90),
        "bytes": st.binary(max_size=90),
        "boolean": st.booleans(),
    }[name]


@pytest.mark.parametrize("name", _NAMES)
@given(data=st.data())
def test_a_record_is_written_as_fastavro_writes_it(name: str, data: st.DataObject) -> None:
    schema = json.loads(codec.source(name))
    record = data.draw(_values(schema, {}))
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, codec.schema(name), record)
    assert writer_of(schema)(record, b"head") == b"head" + expected.getvalue()


@pytest.mark.parametrize("name", sorted(set(_NAMES) - codec.COLUMNAR))
@settings(max_examples=30)
@given(data=st.data())
def test_a_record_of_encoded_parts_is_written_as_fastavro_writes_it(name: str, data: st.DataObject) -> None:
    schema = json.loads(codec.source(name))
    record = data.draw(_values(schema, {}))
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, codec.schema(name), record)
    parts = _with_parts(name, (), record, random.Random(data.draw(st.integers(0, 1 << 32))))
    assert codec.Codec().encode(name, parts)[_FRAME:] == expected.getvalue()


def _with_parts(name: str, path: tuple[str, ...], record: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The record with some of its fields, and of those of the records in its lists, encoded."""
    made = dict(record)
    for field, value in record.items():
        write = _part_writer(name, *path, field)
        if dice.random() < 0.3 and write is not None and value is not None:
            made[field] = write(value)
        elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            made[field] = [_with_parts(name, (*path, field), each, dice) for each in value]
    return made


@cache
def _part_writer(name: str, *path: str) -> Callable[[Any], Encoded] | None:
    """The writer of a field that may be encoded by itself; None for one that is written in any case."""
    if (name, *path) == (codec.RELEASED_INDICATOR, "content"):
        return None  # the codec reads it to choose the version
    kind = field_schema(json.loads(codec.source(name)), *path)
    is_part = kind in ("string", "bytes") or (isinstance(kind, dict) and kind["type"] in ("record", "array", "map"))
    return codec.part_writer(name, *path) if is_part else None


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1])
def test_a_number_that_is_no_long_is_not_written(number: int) -> None:
    with pytest.raises(OverflowError, match="no Avro long"):
        zigzag(number)


def test_a_record_without_one_of_its_fields_is_not_written() -> None:
    with pytest.raises(KeyError, match="sequence"):
        codec.Codec().encode(codec.DECISION, {"decision_id": "", "shard": 0})


@pytest.mark.parametrize("schema", [{"type": "fixed", "name": "F", "size": 1}, "double"])
def test_a_type_that_no_schema_of_ours_has_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match="no writer for"):
        writer_of(schema)
