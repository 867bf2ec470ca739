"""The Avro schemas: documented, mirrored in Python, without room for local context, and no bomb when decoded."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from schemas import codec, records

NAMES = sorted(codec.bundled_ids().values())
PRIMITIVES: Mapping[str, type] = {"string": str, "bytes": bytes, "int": int, "long": int, "boolean": bool}


def _parsed(name: str) -> dict[str, Any]:
    """The schema with full names, as fastavro has parsed it."""
    return typing.cast("dict[str, Any]", codec.schema(name))


def _named_types(schema: Any) -> Iterator[dict[str, Any]]:
    """Every record and enum that is defined in a schema."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named_types(branch)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum"):
            yield schema
        for inner in ("items", "values"):
            yield from _named_types(schema.get(inner))
        for field in schema.get("fields", ()):
            yield from _named_types(field["type"])


@pytest.mark.parametrize("name", NAMES)
def test_every_record_every_enum_and_every_field_states_what_it_is(name: str) -> None:
    for named in _named_types(_parsed(name)):
        assert named.get("doc", "").strip(), f"{named['name']} has no doc"
        for field in named.get("fields", ()):
            assert field.get("doc", "").strip(), f"{named['name']}.{field['name']} has no doc"


def test_every_schema_has_one_id_and_every_id_a_schema() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(_parsed(name)["type"] == "record" for name in NAMES)


def _assert_mirrored(schema: Any, hint: Any, defined: Mapping[str, Any], where: str) -> None:
    """Hold one Python type to one Avro type."""
    if isinstance(schema, str) and schema in PRIMITIVES:
        assert hint is PRIMITIVES[schema], where
    elif isinstance(schema, str):
        _assert_mirrored(defined[schema], hint, defined, where)
    elif isinstance(schema, list):
        assert "null" in schema, where
        assert isinstance(hint, types.UnionType), where
        (branch,) = [branch for branch in schema if branch != "null"]
        (inner,) = [argument for argument in get_args(hint) if argument is not types.NoneType]
        _assert_mirrored(branch, inner, defined, where)
    elif schema["type"] == "array":
        assert get_origin(hint) is list, where
        _assert_mirrored(schema["items"], get_args(hint)[0], defined, f"{where}[]")
    elif schema["type"] == "map":
        assert get_origin(hint) is dict, where
        assert get_args(hint)[0] is str, where
        _assert_mirrored(schema["values"], get_args(hint)[1], defined, f"{where}{{}}")
    elif schema["type"] == "enum":
        assert get_origin(hint) is Literal, where
        assert list(get_args(hint)) == schema["symbols"], where
    else:
        hints = get_type_hints(hint)
        assert list(hints) == [field["name"] for field in schema["fields"]], where
        for field in schema["fields"]:
            _assert_mirrored(field["type"], hints[field["name"]], defined, f"{where}.{field['name']}")


# Python knows the newest version of a record: an earlier one is read as it, or lacks what may be missing.
NEWEST = [
    name
    for name in NAMES
    if name
    not in (
        *(codec.DECISION_V1, codec.DECISION_V2, codec.DECISION_V3, codec.DECISION_V4),
        *(codec.REVIEW_PENDING_V1, codec.REVIEW_PENDING_V2, codec.REVIEW_PENDING_V3),
        *(codec.RELEASED_INDICATOR, codec.RELEASED_INDICATOR_V3),  # v3 has the fields of v2 in another order
        *(codec.SENSOR_REPORT, codec.OBSERVATION_BLOCK, codec.OBSERVATION_BLOCK_V2),
    )
]


@pytest.mark.parametrize("name", NEWEST)
def test_the_python_record_mirrors_the_schema(name: str) -> None:
    schema = _parsed(name)
    python_name = schema["name"].rpartition(".")[2]
    _assert_mirrored(
        schema,
        getattr(records, python_name),
        {named["name"]: named for named in _named_types(schema)},
        python_name,
    )


RELEASED_FIELDS = {
    "id": "string",
    "kind": "enum",
    "version": "long",
    "recalled_through": "long",
    "origin": "string",
    "hops": "array of string",
    "reason": "string",
    "content.type": "string",
    "content.value": "string",
    "content.tlp": "string",
    "content.pap": "string",
    "content.releasable_to": "array of string",
    "content.caveats": "array of string",
    "content.confidence": "int",
    "content.labels": "array of string",
    "content.first_seen_ms": "long",
    "content.last_seen_ms": "long",
    "content.sightings": "long",
    "content.valid_until_ms": "long",
    "content.release_expires_ms": "long",
    "content.registered_domain": "string",
    "content.asn": "long",
    "content.country": "string",
}
RELEASED_V2_FIELDS = RELEASED_FIELDS | {"content.tearline": "string"}


def _leaves(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for field in schema["fields"]:
        avro_type = field["type"]
        (only,) = [branch for branch in avro_type if branch != "null"] if isinstance(avro_type, list) else [avro_type]
        if isinstance(only, str):
            yield f"{prefix}{field['name']}", only
        elif only["type"] == "record":
            yield from _leaves(only, f"{prefix}{field['name']}.")
        elif only["type"] == "array":
            yield f"{prefix}{field['name']}", f"array of {only['items']}"
        else:
            yield f"{prefix}{field['name']}", only["type"]


def test_what_leaves_the_nation_has_no_field_in_which_local_context_could_travel() -> None:
    """A closed list, names and types: a field more is a decision about what leaves, and this test has to report it."""
    assert dict(_leaves(_parsed(codec.RELEASED_INDICATOR))) == RELEASED_FIELDS
    assert dict(_leaves(_parsed(codec.RELEASED_INDICATOR_V2))) == RELEASED_V2_FIELDS
    assert dict(_leaves(_parsed(codec.RELEASED_INDICATOR_V3))) == RELEASED_V2_FIELDS


LOCAL_FIELDS = {
    "sensor",
    "sensors",
    "description",
    "context",
    "contexts",
    "entries",
    "sources",
    "tool",
    "original",
    "place",
}


@pytest.mark.parametrize("name", [codec.RELEASED_INDICATOR, *codec.LATER_RELEASES, codec.RECEIPT])
def test_no_field_that_crosses_the_border_shares_a_name_with_local_context(name: str) -> None:
    fields = {path.rpartition(".")[2] for path, _ in _leaves(_parsed(name))}
    assert fields.isdisjoint(LOCAL_FIELDS)


def _least_bytes(schema: Any, defined: Mapping[str, Any]) -> int:
    """The fewest bytes that a value of this type takes on the wire."""
    if isinstance(schema, str):
        return 0 if schema == "null" else 1 if schema in PRIMITIVES else _least_bytes(defined[schema], defined)
    if isinstance(schema, list) or schema["type"] != "record":
        return 1
    return sum(_least_bytes(field["type"], defined) for field in schema["fields"])


@pytest.mark.parametrize("name", NAMES)
def test_an_array_cannot_claim_more_items_than_the_bytes_that_follow(name: str) -> None:
    """An item of no bytes (null, an empty record) would let a block count of 2^60 fill the memory."""
    schema = _parsed(name)
    defined = {named["name"]: named for named in _named_types(schema)}
    arrays = [
        field["type"]
        for named in defined.values()
        for field in named.get("fields", ())
        if isinstance(field["type"], dict) and field["type"]["type"] == "array"
    ]
    assert all(_least_bytes(array["items"], defined) > 0 for array in arrays)
