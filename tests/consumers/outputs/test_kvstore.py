"""A collection of Splunk's KV store: keyed records, deletion by query, and what is refused."""

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from consumers.outputs.ledger import Ledger
from consumers.outputs.protocol import LeftOut, OutputUnavailable
from consumers.outputs.push import Pushing
from tests.builders import an_entry
from tests.consumers.outputs.http_receivers import Received, fresh
from tests.consumers.outputs.test_http_outputs import held, in_order, receiver_of
from tests.consumers.outputs.test_output_laws import removal, whole


def opened(folder: Path) -> tuple[Pushing, Received]:
    url, received = fresh("kvstore")
    return Pushing("kvstore", receiver_of("kvstore", url), Ledger(folder / "ledger.sqlite"), lambda _: None), received


def test_a_record_is_flat_and_under_the_key_of_its_nation_origin_and_id(tmp_path: Path) -> None:
    writer, received = opened(tmp_path)
    entry = an_entry("c2.example.com", labels=("a", "b"), valid_until_ms=None, release_expires_ms=5)
    writer.write([entry], held(1))
    [(key, record)] = received.held.items()
    assert key == f"JPN/{entry.origin}/{entry.id}"
    assert not any(isinstance(each, dict) for each in record.values())
    assert (record["value"], record["labels"], record["ends_ms"]) == ("c2.example.com", ["a", "b"], 5)
    _, path, headers, _ = received.requests[-1]
    assert path.startswith("/servicesNS/nobody/kvstore-")
    assert path.endswith("/storage/collections/data/collection/batch_save")
    assert headers["authorization"] == "Bearer token"
    writer.close()


def test_what_left_is_deleted_by_its_keys_so_many_in_a_url(tmp_path: Path) -> None:
    writer, received = opened(tmp_path)
    content = in_order(*(an_entry(f"h{number}.example") for number in range(100)))
    writer.write(content, held(1))
    received.requests.clear()
    writer.apply([removal(each) for each in content[:90]], held(2), whole([]))
    deleted = [path for method, path, _, _ in received.requests if method == "DELETE"]
    assert (len(received.held), len(deleted)) == (10, 3)
    assert max(map(len, deleted)) < 6_000
    asked = json.loads(unquote(deleted[0].partition("?query=")[2]))
    assert asked["$or"][0] == {"_key": f"JPN/{content[0].origin}/{content[0].id}"}
    writer.close()


def test_of_a_batch_that_is_refused_only_the_refused_records_are_left_out(tmp_path: Path) -> None:
    writer, received = opened(tmp_path)
    received.refuses = lambda record: record.get("value") in {"h3.example", "h7.example"}
    report = writer.write(in_order(*(an_entry(f"h{number}.example") for number in range(20))), held(1))
    assert report.left_out == {LeftOut.VALUE: 2}
    assert len(received.held) == report.written == 18
    writer.close()


def test_a_collection_that_was_emptied_is_filled_again_and_what_others_put_there_stays(tmp_path: Path) -> None:
    writer, received = opened(tmp_path)
    writer.write([an_entry("old.example")], held(1))
    received.held["GBR/x"] = {"_key": "GBR/x", "nation": "GBR"}
    writer.close()
    (tmp_path / "ledger.sqlite").unlink()
    writer.write([an_entry("new.example")], held(1))
    assert {each.get("value") for each in received.held.values()} == {"new.example", None}
    received.meta, received.held = None, {}
    assert writer.held() is None
    writer.write([an_entry("new.example")], held(1))
    assert len(received.held) == 1
    writer.close()


def test_a_collection_that_is_missing_is_named(tmp_path: Path) -> None:
    writer, received = opened(tmp_path)
    received.answers.extend([404] * 2)
    with pytest.raises(OutputUnavailable, match=r"collections\.conf"):
        writer.write([an_entry()], held(1))
    writer.close()
