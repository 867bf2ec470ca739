"""The row writer writes what fastavro writes, byte for byte, for every schema and any record."""

import io
import json
from functools import cache
from typing import Any, Final

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.row_writer import array_of, resolved, writer_of, zigzag

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


@cache
def _records(name: str) -> st.SearchStrategy[Any]:
    """Any record of a schema; to make the strategy takes longer than an example."""
    return _values(json.loads(codec.source(name)), {})


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
    record = data.draw(_records(name))
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, codec.schema(name), record)
    assert writer_of(schema)(record, b"head") == b"head" + expected.getvalue()


@pytest.mark.parametrize("name", sorted(set(_NAMES) - codec.COLUMNAR))
@settings(max_examples=30)
@given(data=st.data())
def test_a_form_writes_the_record_that_fastavro_writes_whatever_varies(name: str, data: st.DataObject) -> None:
    """The form is cut of one record, and filled with the values of another one that differs in what varies."""
    schema = json.loads(codec.source(name))
    simple = _simple(resolved(schema))
    varying = [path for path, _ in simple if data.draw(st.booleans())]
    former, record = data.draw(_records(name)), data.draw(_records(name))
    if any(_value(each, path) is _MISSING for each in (former, record) for path in varying):
        return  # these fields are of a record that is not there
    for path in varying:
        _put(former, path, _value(record, path))
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, codec.schema(name), former)
    for path in varying:  # the form must not look at them
        _put(former, path, None)
    made = codec.form(name, *varying)
    assert made.write(made.cut(former), b"head", *(_value(record, path) for path in varying)) == (
        b"head" + expected.getvalue()
    )


@given(items=st.lists(_primitive("string"), max_size=70))
def test_an_array_of_written_items_is_written_as_fastavro_writes_it(items: list[str]) -> None:
    expected = io.BytesIO()
    fastavro.schemaless_writer(expected, {"type": "array", "items": "string"}, items)
    assert array_of([zigzag(len(item.encode())) + item.encode() for item in items]) == expected.getvalue()


def test_a_form_of_a_field_that_a_schema_has_not_or_in_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="in the order"):
        codec.form(codec.DECISION, "no_such_field")
    with pytest.raises(ValueError, match="in the order shard, sequence"):
        codec.form(codec.DECISION, "sequence", "shard")


_MISSING: Final = object()


def _simple(schema: Any, above: str = "") -> list[tuple[str, str]]:
    """The texts and numbers of a record, those of records in it among them: path and type."""
    found: list[tuple[str, str]] = []
    for field in schema["fields"]:
        kind, path = field["type"], f"{above}{field['name']}"
        if isinstance(kind, list):
            [kind] = [branch for branch in kind if branch != "null"]
        if kind in ("string", "bytes", "int", "long") and not isinstance(field["type"], list):
            found.append((path, kind))
        elif isinstance(kind, dict) and kind["type"] == "record":
            found += _simple(kind, f"{path}.")
    return found


def _value(record: Any, path: str) -> Any:
    for name in path.split("."):
        if record is None:
            return _MISSING
        record = record[name]
    return record


def _put(record: Any, path: str, value: Any) -> None:
    *above, name = path.split(".")
    for each in above:
        record = record[each]
    record[name] = value


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
