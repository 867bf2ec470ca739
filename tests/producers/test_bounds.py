"""What a hostile or broken input may cost: refusals, time and memory are bounded, and nothing is dropped in silence."""

import json
import re
import time
from collections.abc import Callable

import pytest

from producers.markings.marked import MOST_WORDS, joined, unrecognised
from producers.markings.understanding import of_tag
from producers.readers.bounded import MOST_ALONE, MOST_TOGETHER
from producers.readers.document import MAX_DOCUMENT_COMMAS
from producers.readers.formats import readings_of
from producers.readers.reading import Aside, Defaults, Reading, Rejected, Seen
from schemas.markings import Caveat, understand
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import an_input

MANY = 10_000
SECONDS = 10  # of this process; what is quadratic took a minute


def readings(content: bytes, format_name: str = "auto") -> list[Reading]:
    return list(readings_of(an_input(content), format_name, Defaults())[0])


def test_refusals_behind_the_first_ones_are_counted_and_none_is_lost() -> None:
    bad = MOST_ALONE + MOST_TOGETHER + 7
    found = readings(b"???\n" * bad + b"bad.example.com\n")
    refused = [each for each in found if isinstance(each, Rejected)]
    assert len(refused) == MOST_ALONE + 2
    assert all(each.detail.endswith("produce it again") for each in refused[MOST_ALONE:])
    counts = [re.match(r"(\d+) more refusals from (\d+) to (\d+): \d+ unknown-type", e.detail) for e in refused[-2:]]
    first = MOST_ALONE + 1
    assert [tuple(map(int, each.groups())) for each in counts if each] == [
        (MOST_TOGETHER, first, MOST_ALONE + MOST_TOGETHER),
        (7, first + MOST_TOGETHER, bad),
    ]
    assert [each.observation.value for each in found if isinstance(each, Seen)] == ["bad.example.com"]
    places = [each.place.line for each in found]
    assert places == sorted(places)


@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"Event":{"Attribute":[', b"]}}")])
def test_a_document_of_more_parts_than_any_has_is_one_refusal(around: tuple[bytes, bytes]) -> None:
    name = "stix-bundle" if around[0] == b"[" else "misp-event"
    content = around[0] + b"[]," * (MAX_DOCUMENT_COMMAS + 1) + b"[]" + around[1]
    [refused] = readings(content, name)
    assert isinstance(refused, Rejected)
    assert refused.reason is RejectReason.TOO_LARGE


def test_many_words_that_no_one_understands_hold_and_only_the_first_are_kept() -> None:
    found = joined(unrecognised(f"handling {number}", "tag") for number in range(MANY))
    assert len(found.marking.caveats) <= 2 * MOST_WORDS
    assert len(found.origins) <= MOST_WORDS
    assert Caveat.UNRECOGNISED in understand(found.marking).caveats


def test_a_restriction_behind_many_words_that_no_one_understands_counts() -> None:
    words = [unrecognised(f"handling {number}", "tag") for number in range(MANY)]
    found = joined([*words, of_tag("tlp:red", "tag"), of_tag("UK EYES ONLY", "tag"), of_tag("NOFORN", "tag")])
    marking = understand(found.marking)
    assert marking.tlp.name == "RED"
    assert Caveat.UK_EYES_ONLY in marking.caveats
    assert marking.releasable_to == ()


def tags() -> bytes:
    named = [{"name": f"handling:t{number}"} for number in range(3 * MANY)]
    attribute = {"type": "domain", "value": "bad.example.com", "to_ids": True}
    return json.dumps({"Event": {"uuid": "e", "Tag": named, "Attribute": [attribute]}}).encode()


def versions() -> bytes:
    attribute = {"uuid": "a", "type": "domain", "to_ids": True, "timestamp": "1763596800"}
    many = [{**attribute, "value": f"a{number}.example.com"} for number in range(MANY)]
    return json.dumps({"Event": {"uuid": "e", "Attribute": many}}).encode()


def indicators() -> bytes:
    one = {"type": "indicator", "id": "indicator--a", "spec_version": "2.1", "modified": "2026-11-20T00:00:00Z"}
    many = [{**one, "pattern": f"[domain-name:value = 'a{number}.example.com']"} for number in range(MANY)]
    return json.dumps({"type": "bundle", "objects": many}).encode()


def chained_reports() -> bytes:
    one = {"type": "indicator", "spec_version": "2.1", "pattern": "[domain-name:value = 'a.example.com']"}
    names = [f"indicator--{number}" for number in range(MANY)]
    reports = [
        {"type": "report", "id": f"report--{number + 1}", "object_refs": [f"report--{number}"]}
        for number in range(MANY)
    ]
    objects = [
        *({**one, "id": name} for name in names),
        {"type": "report", "id": "report--0", "object_refs": names},
        *reports,
    ]
    return json.dumps({"type": "bundle", "objects": objects}).encode()


def prose() -> bytes:
    return b"word and another word " * 47_000 + b"\nbad.example.com\n"


@pytest.mark.parametrize(
    "content", [tags, versions, indicators, chained_reports, prose], ids=lambda made: made.__name__
)
def test_time_is_linear_in_the_size_of_an_input(content: Callable[[], bytes]) -> None:
    made = content()
    began = time.process_time()
    found = readings(made)
    assert time.process_time() - began < SECONDS
    assert any(isinstance(each, Seen) for each in found if not isinstance(each, Aside))
