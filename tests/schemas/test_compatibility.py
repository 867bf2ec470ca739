"""The check of FULL_TRANSITIVE passes for the contract, and finds what would break it."""

import json
from typing import Any

import pytest

from schemas import codec
from tests.schemas.compatibility import incompatibilities, versions

BASE: dict[str, Any] = json.loads(codec.source(codec.RELEASED_INDICATOR))


def _with_field(**field: Any) -> dict[str, Any]:
    return BASE | {"fields": [*BASE["fields"], field]}


def _without_field(name: str) -> dict[str, Any]:
    return BASE | {"fields": [field for field in BASE["fields"] if field["name"] != name]}


def _with_type(name: str, avro_type: Any) -> dict[str, Any]:
    return BASE | {
        "fields": [field | {"type": avro_type} if field["name"] == name else field for field in BASE["fields"]]
    }


@pytest.mark.parametrize("record", versions())
def test_all_versions_of_a_record_read_each_other(record: str) -> None:
    assert incompatibilities(record, versions()[record]) == []


def test_every_record_is_checked_from_its_first_version_on() -> None:
    assert all(sorted(texts) == list(range(1, len(texts) + 1)) for texts in versions().values())
    assert versions().keys() == {name.rpartition(".v")[0] for name in codec.bundled_ids().values()}


@pytest.mark.parametrize(
    "changed",
    [_with_field(name="note", type="string", default="", doc="New."), BASE | {"namespace": "org.kakehashi.v2"}],
    ids=["a new field with a default", "another namespace"],
)
def test_what_is_compatible_passes(changed: dict[str, Any]) -> None:
    assert incompatibilities("released_indicator", {1: json.dumps(BASE), 2: json.dumps(changed)}) == []


@pytest.mark.parametrize(
    "changed",
    [
        _with_field(name="note", type="string", doc="New."),
        _without_field("reason"),
        _with_type("version", "string"),
        _with_type("kind", {"type": "enum", "name": "ReleaseKind", "symbols": ["content", "expired", "x"]}),
    ],
    ids=["a new field without a default", "a field gone that had none", "another type", "another set of kinds"],
)
def test_what_breaks_a_reader_is_found(changed: dict[str, Any]) -> None:
    assert incompatibilities("released_indicator", {1: json.dumps(BASE), 2: json.dumps(changed)})


def test_a_break_between_versions_far_apart_is_found() -> None:
    """Not only neighbours: v1 and v3 must read each other too."""
    texts = {
        1: json.dumps(_with_type("reason", "int")),
        2: json.dumps(_without_field("reason")),
        3: json.dumps(BASE),
    }
    assert any("v3" in line and "v1" in line for line in incompatibilities("released_indicator", texts))
