"""What another exchange has released, as a feed: markings kept, ends obeyed, and nothing goes round in a circle."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.queries import layout
from producers.readers.formats import readers
from producers.spool.spool import Spool
from schemas.markings import Caveat, SourceMarking, understand
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.producing import run, values_in
from tests.producers.reading_feeds import left_out, observations, readings, refusals

FORMAT = "released-indicator"
EXAMPLE = json.loads(readers()[FORMAT].example)
OURS = frozenset({"GBR", "JPN"})


def read(*records: dict[str, Any], **defaults: Any) -> list[Any]:
    return readings(FORMAT, b"".join(json.dumps(each).encode() + b"\n" for each in records), **defaults)


def test_a_record_keeps_its_marking_its_releasability_and_its_origin() -> None:
    marking = {"tlp": "TLP:AMBER", "pap": "PAP:GREEN", "releasable_to": ["FRA"], "caveats": ["EXERCISE"]}
    [seen] = observations(read(EXAMPLE | {"marking": marking, "hops": ["DEU", "FRA"]}, parties=OURS))
    assert seen.marking == SourceMarking("TLP:AMBER", "PAP:GREEN", ("FRA",), ("EXERCISE",))
    assert dict(seen.context)["origin"] == "DEU"
    assert dict(seen.context)["hops"] == "DEU, FRA"
    assert (seen.confidence, seen.count, seen.labels) == (60, 1, ("c2",))


def test_what_we_print_ourselves_of_a_partner_s_record_is_read() -> None:
    content = {
        **{"type": "url", "value": "http://bad.example.com/", "tlp": "TLP:GREEN", "pap": "", "releasable_to": ["FRA"]},
        **{"caveats": [], "confidence": 10, "labels": [], "first_seen_ms": 1, "last_seen_ms": 2, "sightings": 1},
        **{"valid_until_ms": 9, "release_expires_ms": 7, "registered_domain": "", "asn": 0, "country": ""},
    }
    record = {
        **{"id": EXAMPLE["id"], "kind": "content", "version": 5, "recalled_through": 0, "origin": "DEU"},
        **{"hops": ["DEU"], "reason": "", "content": content},
    }
    for form in (layout.indicator(record, "FRA"), record):
        [seen] = observations(read(form))
        assert (seen.value, seen.valid_until_ms) == ("http://bad.example.com/", 7)
        assert seen.marking == SourceMarking("TLP:GREEN", "", ("FRA",), ())


@pytest.mark.parametrize("change", [{"origin": "JPN"}, {"hops": ["DEU", "GBR", "FRA"]}])
def test_what_comes_from_one_of_our_own_nations_is_left_out(change: dict[str, Any]) -> None:
    found = read(EXAMPLE | change, parties=OURS)
    assert observations(found) == []
    assert [piece.rule for piece in left_out(found)] == ["own-nation"]


@pytest.mark.parametrize(
    "marking",
    [None, {}, {"tlp": "TLP:GREEN"}, {"tlp": 7, "pap": "", "releasable_to": None, "caveats": []}, "TLP:GREEN"],
)
def test_a_marking_that_is_not_whole_holds(marking: Any) -> None:
    [seen] = observations(read(EXAMPLE | {"marking": marking}))
    assert Caveat.UNRECOGNISED in understand(seen.marking).caveats
    [missing] = observations(read({name: value for name, value in EXAMPLE.items() if name != "marking"}))
    assert Caveat.UNRECOGNISED in understand(missing.marking).caveats


def test_a_property_that_the_form_does_not_have_may_restrict() -> None:
    [seen] = observations(read(EXAMPLE | {"handling": "ask us first"}))
    assert Caveat.UNRECOGNISED in understand(seen.marking).caveats
    [labelled] = observations(read(EXAMPLE | {"labels": ["tlp:red"]}))
    assert labelled.marking.tlp == "TLP:RED"


@pytest.mark.parametrize(
    "change", [{"kind": "other"}, {"version": "x"}, {"origin": None}, {"type": 7}, {"value": None}]
)
def test_a_record_of_another_form_is_refused_alone(change: dict[str, Any]) -> None:
    found = read(EXAMPLE | change, EXAMPLE)
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (RejectReason.UNDECODABLE, 1)
    assert len(observations(found)) == 1


def test_a_later_record_ends_what_was_asserted_and_an_older_one_changes_nothing(tmp_path: Path) -> None:
    ended = {name: EXAMPLE[name] for name in ("id", "origin")} | {"state": "recalled", "kind": "recalled"}
    ended |= {"version": EXAMPLE["version"] + 1, "reason": "", "received_ms": 1}
    file = tmp_path / "feed.jsonl"
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        for record in (EXAMPLE, ended):
            file.write_text(f"{json.dumps(record)}\n")
            run(spool, file)
        file.write_text(f"{json.dumps(EXAMPLE | {'confidence': 1})}\n")
        summary = run(spool, file)
        assert values_in(spool) == ["bad.example.com", "bad.example.com"]
        assert summary.left_out == {"superseded": 1}


@pytest.mark.parametrize("version", [-1, 2**63, 10**25])
def test_a_version_that_is_no_time_is_refused_and_never_an_exception(version: int, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in (EXAMPLE | {"version": version}, EXAMPLE)))
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        summary = run(spool, file)
    assert (summary.observations, dict(summary.rejected)) == (1, {RejectReason.UNDECODABLE: 1})
