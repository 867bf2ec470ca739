"""The row writer writes what fastavro writes, byte for byte, for every schema and any record."""

import io
import json
from typing import Any, Final

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.row_writer import writer_of, zigzag

_NUMBERS: Final = {"int": 31, "long": 63}
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
