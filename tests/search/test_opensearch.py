"""The output ``elastic`` on a real OpenSearch: what a search finds before and after a recall."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from consumers.outputs.known import opened
from consumers.outputs.protocol import Change, Held, LeftOut, Put, Writer
from consumers.picture.entry import Entry
from tests.builders import an_entry
from tests.consumers.outputs.test_output_laws import VALUES, removal, whole
from tests.consumers.outputs.writing import HOSTILE_EXAMPLES
from tests.search import opensearch

pytestmark = pytest.mark.search


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with opensearch.running(tmp_path_factory.mktemp("opensearch")) as url:
        yield url


class Target:
    """An index of its own, and its writer."""

    def __init__(self, node: str, name: str, home: Path) -> None:
        self._url, self._home = f"{node}/{name}", home
        self.writer = self.reopened()

    def reopened(self) -> Writer:
        return opened(f"elastic:{self._url}", "JPN", self._home)[2]

    def call(self, method: str, path: str = "", content: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content).encode()
        request = Request(self._url + path, body, {"content-type": "application/json"}, method=method)  # noqa: S310
        with urlopen(request) as response:  # noqa: S310
            found: dict[str, Any] = json.load(response)
            return found

    def found(self, **query: Any) -> list[str]:
        """The values that a search finds."""
        self.call("POST", "/_refresh")
        answer = self.call("POST", "/_search", {"query": query or {"match_all": {}}, "size": 1_000})
        return sorted(hit["_source"]["threat"]["indicator"]["name"] for hit in answer["hits"]["hits"])


@pytest.fixture
def target(node: str, unique: str, tmp_path: Path) -> Iterator[Target]:
    found = Target(node, unique + "indicators", tmp_path)
    yield found
    found.writer.close()


def held(added_us: int) -> Held:
    return Held("picture", "all", added_us)


def content() -> list[Entry]:
    plain = (an_entry(value, kind.label) for kind, values in VALUES.items() for value in values)
    hostile = (an_entry(value, "file-name", labels=(value,)) for value in HOSTILE_EXAMPLES)
    long = an_entry("labels.exe", "file-name", labels=("a" * 65_536, "é漢" * 16_384))
    return sorted([*plain, *hostile, long], key=lambda entry: entry.id)


def test_every_type_is_found_by_its_field(target: Target) -> None:
    assert target.writer.write(content(), held(1)).left_out == {}
    assert target.found() == sorted(each.value for each in content())
    assert target.found(term={"threat.indicator.ip": "192.0.2.17"}) == ["192.0.2.17"]
    assert target.found(term={"kakehashi.network": "192.0.2.200"}) == ["192.0.2.128/25"]
    assert target.found(term={"threat.indicator.file.hash.sha1": "1" * 40}) == ["1" * 40]
    assert target.found(term={"threat.indicator.as.number": 64_500}) == ["AS64500"]
    assert target.found(term={"threat.indicator.url.domain": "one.example"}) == ["one.example"]


def test_a_search_finds_an_indicator_before_its_recall_and_not_after_it(target: Target) -> None:
    target.writer.write(content(), held(1))
    assert target.found(term={"threat.indicator.name": "one.example"}) == ["one.example"]
    for _ in range(2):
        target.writer.apply([removal(an_entry("one.example"))], held(2), whole([]))
        assert target.found(term={"threat.indicator.name": "one.example"}) == []
    assert len(target.found()) == len(content()) - 1


def test_of_a_bulk_request_that_fails_in_part_the_rest_is_there(target: Target) -> None:
    target.writer.write([an_entry("192.0.2.1", "ipv4-addr")], held(1))
    changes: list[Change] = [Put(an_entry("not an address", "ipv4-addr")), Put(an_entry("fine.example"))]
    assert target.writer.apply(changes, held(2), whole([])).left_out == {LeftOut.VALUE: 1}
    assert target.found() == ["192.0.2.1", "fine.example"]


def test_an_index_that_was_deleted_is_made_and_filled_again(target: Target) -> None:
    target.writer.write(content(), held(1))
    target.call("DELETE")
    assert target.writer.held() is None
    target.writer.write(content(), held(2))
    assert len(target.found()) == len(content())


def test_without_its_ledger_an_index_is_emptied_and_filled_again(target: Target, tmp_path: Path) -> None:
    target.writer.write(content(), held(1))
    target.writer.close()
    for file in (tmp_path / "outputs" / "JPN").iterdir():
        file.unlink()
    target.writer = target.reopened()
    target.writer.write(content()[:3], held(2))
    assert len(target.found()) == 3
