"""A newer version of an object that has no value ends what older versions asserted, in any order of arrival."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from producers.report import observations_of
from producers.spool.spool import Spool
from tests.producers.producing import reports_in, run

VALUE = "a.example.com"
OTHER = "b.example.com"
UUID = "6a1f0001-0000-4000-8000-00000000000a"
PATTERN = f"[domain-name:value = '{VALUE}']"
Versions = Callable[[int, dict[str, Any]], dict[str, Any]]


def indicator(minute: int, changes: dict[str, Any]) -> dict[str, Any]:
    """A version of a STIX indicator; a change to ``None`` takes the property away."""
    time = f"2026-11-20T00:{minute:02}:00Z"
    found = {
        **{"type": "indicator", "spec_version": "2.1", "id": f"indicator--{UUID}", "created": "2026-11-20T00:00:00Z"},
        **{"modified": time, "valid_from": "2026-11-20T00:00:00Z", "pattern_type": "stix", "pattern": PATTERN},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def attribute(minute: int, changes: dict[str, Any]) -> dict[str, Any]:
    """A version of a MISP attribute, as the answer to a search has it."""
    time = str(1763596800 + 60 * minute)
    return {
        "Attribute": [{"uuid": UUID, "type": "domain", "value": VALUE, "to_ids": True, "timestamp": time, **changes}]
    }


EMPTY = [
    pytest.param(indicator, {"pattern": "[broken", "revoked": True}, id="revoked, and the pattern is broken"),
    pytest.param(indicator, {"pattern": None, "revoked": True}, id="revoked, and without a pattern"),
    pytest.param(indicator, {"pattern": "title: x", "pattern_type": "sigma"}, id="a pattern of another language"),
    pytest.param(indicator, {"pattern": f"{PATTERN} AND [ipv4-addr:value = '198.51.100.7']"}, id="needed together"),
    pytest.param(attribute, {"type": "comment", "value": "wrong", "to_ids": False}, id="another type, not to_ids"),
    pytest.param(attribute, {"type": "windows-scheduled-task", "value": "m"}, id="another type, that is not carried"),
    pytest.param(attribute, {"value": "", "deleted": True, "to_ids": False}, id="deleted, and without a value"),
    pytest.param(attribute, {"to_ids": False}, id="not to_ids"),
]


def produce(spool: Spool, folder: Path, *documents: dict[str, Any]) -> None:
    for number, document in enumerate(documents):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(document), "utf-8")
        run(spool, path)


def asserted(spool: Spool) -> set[str]:
    """The values whose last statement asserts them."""
    last = {each.value: each.withdrawal for report in reports_in(spool) for each in observations_of(report)}
    return {value for value, withdrawal in last.items() if withdrawal is None}


@pytest.mark.parametrize(("version", "changes"), EMPTY)
def test_a_version_without_a_value_ends_what_was_asserted(
    sensor_spool: Spool, tmp_path: Path, version: Versions, changes: dict[str, Any]
) -> None:
    produce(sensor_spool, tmp_path, version(1, {}))
    assert asserted(sensor_spool) == {VALUE}
    produce(sensor_spool, tmp_path, version(2, changes))
    assert asserted(sensor_spool) == set()


@pytest.mark.parametrize(("version", "changes"), EMPTY)
def test_an_older_version_that_comes_late_asserts_nothing(
    sensor_spool: Spool, tmp_path: Path, version: Versions, changes: dict[str, Any]
) -> None:
    produce(sensor_spool, tmp_path, version(2, changes), version(1, {}))
    assert asserted(sensor_spool) == set()


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(("version", "changes"), EMPTY)
def test_the_newest_version_counts_in_any_order(
    sensor_spool: Spool, tmp_path: Path, version: Versions, changes: dict[str, Any], order: tuple[int, ...]
) -> None:
    again = {"pattern": f"[domain-name:value = '{OTHER}']"} if version is indicator else {"value": OTHER}
    documents = [version(1, {}), version(2, changes), version(3, again)]
    produce(sensor_spool, tmp_path, *(documents[place] for place in order))
    assert asserted(sensor_spool) == {OTHER}


def test_a_version_that_cannot_be_read_ends_nothing(sensor_spool: Spool, tmp_path: Path) -> None:
    produce(
        sensor_spool, tmp_path, indicator(1, {}), indicator(2, {"pattern": "[broken"}), indicator(3, {"pattern": 7})
    )
    assert asserted(sensor_spool) == {VALUE}


def test_an_id_in_capitals_is_the_same_object(sensor_spool: Spool, tmp_path: Path) -> None:
    changes = {"id": f"indicator--{UUID.upper()}", "revoked": True}
    produce(sensor_spool, tmp_path, indicator(1, {}), indicator(2, changes))
    assert asserted(sensor_spool) == set()
