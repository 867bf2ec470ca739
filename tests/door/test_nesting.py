"""A document may be nested as deeply as it likes: it is read or refused, and no reader raises."""

import pytest

from producers.readers.reading import Rejected, Seen
from tests.producers.reading_feeds import readings

DEPTHS = (20, 500, *range(840, 1010, 3), 5_000, 100_000)
DEFINED = "marking-definition--0d000000-0000-4000-8000-000000000001"


def documents(depth: int) -> dict[str, str]:
    """A document of each format with a part that is nested so deeply, in a place that is looked into."""
    lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    pattern = "[domain-name:value = 'a.example.org']"
    attribute = f'{{"type": "domain", "value": "a.example.org", "to_ids": true, "x_tlp": {lists}}}'
    indicator = f'{{"type": "indicator", "id": "i", "pattern": "{pattern}", "object_marking_refs": ["{DEFINED}"]}}'
    definition = f'{{"type": "marking-definition", "id": "{DEFINED}", "extensions": {{"e": {objects}}}}}'
    alert = '"timestamp": "2026-11-28T00:00:00Z", "src_ip": "198.51.100.7", "dest_ip": "10.0.0.1", "alert": {}'
    return {
        "misp-event": f'{{"Event": {{"info": "x", "handling": {objects}, "Attribute": [{attribute}]}}}}',
        "stix-bundle": f'{{"type": "bundle", "objects": [{indicator}, {definition}]}}',
        "suricata-eve": f'{{"event_type": "alert", {alert}, "tags": {lists}}}\n',
    }


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_depth_makes_a_reader_raise(depth: int) -> None:
    for format_name, document in documents(depth).items():
        found = readings(format_name, document.encode())
        assert any(isinstance(reading, Seen | Rejected) for reading in found)
        assert depth > 500 or not any(isinstance(reading, Rejected) for reading in found)
