"""Outputs over HTTP on receivers that misbehave: webhook, Splunk and an index of Elasticsearch or OpenSearch."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.elastic import Index
from consumers.outputs.http_sender import Sender
from consumers.outputs.kvstore import KvCollection
from consumers.outputs.ledger import Ledger
from consumers.outputs.protocol import Change, Held, LeftOut, OutputUnavailable, Put
from consumers.outputs.push import Pushing, Receiver
from consumers.outputs.splunk import EventCollector
from consumers.outputs.webhook import Webhook
from consumers.picture.entry import Entry
from tests.builders import NOW_MS, an_entry
from tests.consumers.outputs.http_receivers import fresh
from tests.consumers.outputs.test_output_laws import VALUES, removal, whole
from tests.consumers.outputs.writing import HOSTILE

KEY = b"0123456789abcdef"
KINDS = ["webhook", "splunk", "kvstore", "index"]


def receiver_of(kind: str, url: str, timeout_s: float = 20.0) -> Receiver:
    if kind == "kvstore":
        host, _, app = url.rpartition("/")
        return KvCollection(Sender(kind, host, timeout_s=timeout_s), app, "collection", "token", "JPN")
    sender = Sender(kind, url, timeout_s=timeout_s)
    if kind == "webhook":
        return Webhook(sender, KEY, lambda: NOW_MS)
    return EventCollector(sender, "token", acks=False) if kind == "splunk" else Index(sender, "", "JPN")


def held(added_us: int) -> Held:
    return Held("picture", "all", added_us)


def in_order(*content: Entry) -> list[Entry]:
    return sorted(content, key=lambda entry: entry.id)


class Pushed:
    """A writer on a receiver of this kind."""

    def __init__(self, kind: str, folder: Path, timeout_s: float = 20.0) -> None:
        url, self.received = fresh(kind)
        self.writer = Pushing(kind, receiver_of(kind, url, timeout_s), Ledger(folder / "ledger.sqlite"), lambda _: None)

    def keys(self) -> set[str]:
        return {key.removeprefix("JPN/") for key in self.received.held}


@pytest.fixture(params=KINDS)
def pushed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pushed]:
    found = Pushed(request.param, tmp_path, timeout_s=0.5)
    yield found
    found.received.let_go.set()
    found.writer.close()


@pytest.mark.parametrize("trouble", [500, 503, 429, 401, 404, 302, "reset", "hang", "drip", "lost"])
def test_a_receiver_that_fails_gets_everything_once_it_is_well_and_the_position_waits(
    pushed: Pushed, trouble: int | str
) -> None:
    gone, new = an_entry("gone.example"), an_entry("new.example")
    pushed.writer.write([gone], held(1))
    pushed.received.answers.extend([trouble] * 3)
    with pytest.raises(OutputUnavailable):
        pushed.writer.apply([removal(gone), Put(new)], held(2), whole([]))
    assert len(pushed.received.answers) == 0
    assert Pushing.held(pushed.writer) == held(1)
    pushed.writer.apply([removal(gone), Put(new)], held(2), whole([]))
    assert pushed.keys() == {f"{new.origin}/{new.id}"}
    assert pushed.writer.held() == held(2)


def test_a_removal_names_no_value(pushed: Pushed) -> None:
    gone = an_entry("a-recalled-value.example")
    pushed.writer.write([gone], held(1))
    pushed.received.requests.clear()
    pushed.writer.apply([removal(gone)], held(2), whole([]))
    assert pushed.keys() == set()
    assert all(b"recalled-value" not in body for _, _, _, body in pushed.received.requests)


@given(st.lists(HOSTILE, max_size=6, unique=True), st.lists(HOSTILE, max_size=3))
@settings(max_examples=25)
def test_every_value_and_label_is_read_back_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], labels: list[str]
) -> None:
    content = in_order(*(an_entry(value, "file-name", labels=tuple(labels)) for value in values))
    for kind in KINDS:
        target = Pushed(kind, tmp_path_factory.mktemp("push"))
        target.writer.write(content, held(1))
        found = target.received.held.values()
        if kind == "index":
            read = {(each["threat"]["indicator"]["file"]["name"], tuple(each["tags"])) for each in found}
        else:
            read = {(each["value"], tuple(each["labels"])) for each in found}
        assert read == {(value, tuple(labels)) for value in values}
        target.writer.close()


def test_a_message_is_signed_over_its_id_time_and_body(tmp_path: Path) -> None:
    target = Pushed("webhook", tmp_path)
    target.writer.write([an_entry()], held(1))
    [(method, path, headers, body)] = target.received.requests
    named = {name.lower(): value for name, value in headers.items()}
    signed = f"{named['webhook-id']}.{named['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert named["webhook-signature"] == f"v1,{expected}"
    assert (method, path.startswith("/webhook-"), named["webhook-timestamp"]) == ("POST", True, str(NOW_MS // 1000))
    target.writer.close()


def test_a_message_that_is_sent_again_has_the_same_id_and_one_that_only_looks_like_it_has_not(tmp_path: Path) -> None:
    target, entry = Pushed("webhook", tmp_path), an_entry()
    target.received.answers.extend([500, "lost"])
    target.writer.write([entry], held(1))
    target.writer.apply([removal(entry)], held(2), whole([]))
    target.writer.apply([Put(entry)], held(3), whole([]))
    sent = [(headers["webhook-id"], body) for _, _, headers, body in target.received.requests]
    assert sent[0] == sent[1] == sent[2]
    assert sent[4][1] == sent[0][1]
    assert len({name for name, _ in sent}) == 3
    target.writer.close()


def test_of_a_message_whose_content_is_refused_only_the_refused_events_are_left_out(tmp_path: Path) -> None:
    target = Pushed("webhook", tmp_path)
    content = in_order(*(an_entry(f"h{number}.example") for number in range(20)))
    target.received.refuses = lambda event: "h7.example" in json.dumps(event)
    report = target.writer.write(content, held(1))
    assert report.left_out == {LeftOut.VALUE: 1}
    assert len(target.received.held) == report.written == 19
    target.writer.close()


def test_a_removal_that_is_refused_is_never_given_up(tmp_path: Path) -> None:
    target, entry = Pushed("webhook", tmp_path), an_entry()
    target.writer.write([entry], held(1))
    target.received.refuses = lambda event: event["action"] == "remove"
    with pytest.raises(OutputUnavailable, match="422"):
        target.writer.apply([removal(entry)], held(2), whole([]))
    assert target.writer.held() == held(1)
    target.writer.close()


def test_of_a_bulk_request_that_fails_in_part_the_refused_documents_are_left_out(tmp_path: Path) -> None:
    target = Pushed("index", tmp_path)
    target.received.refuses = lambda document: document["threat"]["indicator"]["name"] == "b.example"
    content = in_order(*map(an_entry, ["a.example", "b.example", "c.example"]))
    report = target.writer.write(content, held(1))
    assert report.left_out == {LeftOut.VALUE: 1}
    assert {each["threat"]["indicator"]["name"] for each in target.received.held.values()} == {"a.example", "c.example"}
    target.writer.close()


@pytest.mark.parametrize("status", [429, 503, 403, 409])
def test_a_bulk_request_of_which_a_part_is_to_be_tried_again_confirms_nothing(tmp_path: Path, status: int) -> None:
    items = [{"index": {"_id": "1", "status": 201}}, {"delete": {"_id": "2", "status": status}}]
    url, received = fresh("index")
    received.take = lambda *_: (200, json.dumps({"errors": True, "items": items}).encode())  # type: ignore[method-assign]
    changes: list[Change] = [Put(an_entry("a.example")), removal(an_entry("b.example"))]
    with pytest.raises(OutputUnavailable, match=str(status)):
        receiver_of("index", url).deliver(changes)


def test_an_index_that_was_deleted_is_made_and_filled_again(tmp_path: Path) -> None:
    target = Pushed("index", tmp_path)
    target.writer.write([an_entry()], held(1))
    target.received.meta, target.received.held = None, {}
    assert target.writer.held() is None
    target.writer.write([an_entry()], held(1))
    assert len(target.received.held) == 1
    target.writer.close()


def test_an_index_of_another_ledger_loses_what_that_one_has_put_there(tmp_path: Path) -> None:
    target = Pushed("index", tmp_path)
    target.writer.write([an_entry("old.example")], held(1))
    target.writer.close()
    (tmp_path / "ledger.sqlite").unlink()
    target.writer.write([an_entry("new.example")], held(1))
    assert [each["threat"]["indicator"]["name"] for each in target.received.held.values()] == ["new.example"]
    target.writer.close()


def test_every_type_has_its_field_of_the_common_schema(tmp_path: Path) -> None:
    target = Pushed("index", tmp_path)
    content = in_order(*(an_entry(values[0], kind.label) for kind, values in VALUES.items()))
    target.writer.write(content, held(1))
    for document in target.received.held.values():
        indicator, own = document["threat"]["indicator"], document["kakehashi"]
        text = json.dumps({name: each for name, each in indicator.items() if name != "name"})
        value = indicator["name"].removeprefix("AS")
        if own["type"] == "registry-key":  # its hive is abbreviated there
            assert indicator["registry"]["path"].endswith(value.partition("\\")[2])
            continue
        # ECS has a type for certificates and mutexes, and no field of `threat.indicator` for their values.
        without = {"ja3", "ja4", "x509-sha1", "x509-sha256", "user-agent", "mutex"}
        assert value in text or own["type"] in without or own["network"] == value
        assert (indicator["marking"], indicator["provider"]) == ({"tlp": "GREEN", "tlp_version": "2.0"}, "GBR")
    target.writer.close()


def test_what_has_no_label_is_red_in_the_common_schema(tmp_path: Path) -> None:
    target = Pushed("index", tmp_path)
    target.writer.write([an_entry(tlp="")], held(1))
    [document] = target.received.held.values()
    assert document["threat"]["indicator"]["marking"]["tlp"] == "RED"
    target.writer.close()


def test_the_layout_of_the_index_has_every_field_of_a_document(tmp_path: Path) -> None:
    layout = json.loads((Path(__file__).parents[3] / "consumers/outputs/elastic_index.json").read_text())
    known = set(paths(layout["mappings"]["properties"]))
    target = Pushed("index", tmp_path)
    labels = ("attack.t1566", "attack.initial-access")
    content = in_order(
        *(
            an_entry(values[0], kind.label, labels=labels, techniques=("T1566",), tearline="x", caveats=("DRAFT",))
            for kind, values in VALUES.items()
        )
    )
    target.writer.write(content, held(1))
    found = {path for document in target.received.held.values() for path in leaves(document)}
    assert found - known == {"ecs.version"}
    target.writer.close()


def paths(properties: dict[str, Any], at: str = "") -> Iterator[str]:
    for name, each in properties.items():
        if "properties" in each:
            yield from paths(each["properties"], f"{at}{name}.")
        else:
            yield f"{at}{name}"


def leaves(thing: dict[str, Any], at: str = "") -> Iterator[str]:
    for name, each in thing.items():
        if isinstance(each, dict):
            yield from leaves(each, f"{at}{name}.")
        else:
            yield f"{at}{name}"


def test_the_collector_is_asked_until_the_indexers_have_it() -> None:
    url, received = fresh("splunk")
    collector = EventCollector(Sender("splunk", url), "token", acks=True)
    assert collector.deliver([Put(an_entry())]) == ()
    assert [path.rpartition("/")[2] for _, path, _, _ in received.requests] == ["event", "ack"]
    channels = {headers["x-splunk-request-channel"] for _, _, headers, _ in received.requests}
    assert len(channels) == 1
    assert received.requests[0][2]["authorization"] == "Splunk token"
