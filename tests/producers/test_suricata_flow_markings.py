"""What is read of a flow's other records is marked as strictly as all of its alerts, also those without a value."""

import json
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.markings.marked import stricter
from producers.readers import suricata_flows
from schemas.delivered import SURICATA_SIDS
from schemas.markings import Marking, SourceMarking, understand
from tests.producers.reading_feeds import observations, refusals
from tests.producers.test_suricata_eve import OURS, an_alert, read
from tests.producers.test_suricata_requested import a_record

Record = dict[str, Any]
DIGEST = "c" * 64
FILE = {"fileinfo": {"filename": "/a.exe", "sha256": DIGEST}}
GREEN = SourceMarking(tlp="TLP:GREEN")
RED = SourceMarking(tlp="TLP:RED")


def an_alert_with(metadata: Record, **changes: Any) -> Record:
    rule = an_alert()["alert"] | {"metadata": {name: [word] for name, word in metadata.items() if word}}
    return an_alert(alert=rule | changes.pop("rule", {}), **changes)


def in_its_rule(words: Record, **changes: Any) -> Record:
    return an_alert_with(words, **changes)


def beside_it(words: Record, **changes: Any) -> Record:
    return an_alert(tags=[f"{name}:{word}" for name, word in words.items() if word], **changes)


def around_it(words: Record, **changes: Any) -> Record:
    return {
        "message": json.dumps(an_alert(**changes)),
        "tags": [f"{name}:{word}" for name, word in words.items() if word],
    }


def without_threat(words: Record, **changes: Any) -> Record:
    return an_alert_with(words, rule={"category": "Not Suspicious Traffic"}, **changes)


def delivered(words: Record, **changes: Any) -> Record:
    return an_alert_with(words, rule={"signature_id": SURICATA_SIDS[0]}, **changes)


def between_our_own(words: Record, **changes: Any) -> Record:
    return an_alert_with(words, **changes | {"dest_ip": "10.9.9.9"})


PLACES: list[Callable[..., Record]] = [
    in_its_rule,
    beside_it,
    around_it,
    without_threat,
    delivered,
    between_our_own,
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("at", range(3))
def test_a_file_has_the_strictest_marking_of_the_flows_alerts_in_any_order(
    place: Callable[..., Record], at: int
) -> None:
    records = [an_alert_with({"tlp": "green"}), a_record("fileinfo", **FILE, src_ip="198.51.100.7")]
    records.insert(at, place({"tlp": "red"}))
    found = read(*records)
    assert refusals(found) == []
    of_file = [row.marking.tlp for row in observations(found) if row.value == DIGEST]
    assert max(of_file) == "TLP:RED"
    assert of_file[-1] == "TLP:RED"


def test_a_file_in_an_alert_is_the_flows_and_the_alerts_other_values_are_marked_as_it_states() -> None:
    file = {"sha256": DIGEST, "state": "CLOSED", "gaps": False}
    answer = {"src_ip": "198.51.100.7", "src_port": 443, "dest_ip": OURS, "dest_port": 50123}
    alerts = (an_alert_with({"tlp": "red"}), an_alert_with({"tlp": "green"}, files=[file], **answer))
    assert [(row.value, row.marking.tlp) for row in observations(read(*alerts))][1:] == [
        ("198.51.100.7", "TLP:GREEN"),
        (DIGEST, "TLP:RED"),
    ]
    assert [row.marking.tlp for row in observations(read(*reversed(alerts))) if row.value == DIGEST][-1] == "TLP:RED"


def test_what_was_given_is_given_again_only_if_the_marking_became_stricter() -> None:
    file = a_record("fileinfo", **FILE, src_ip="198.51.100.7")
    found = observations(read(an_alert_with({"tlp": "red"}), file, an_alert_with({"tlp": "green"}), an_alert()))
    assert [row.value for row in found].count(DIGEST) == 1
    assert [row.marking.tlp for row in found] == ["TLP:RED", "TLP:RED", "TLP:GREEN", ""]


def test_a_record_that_was_asked_for_has_the_marking_of_its_flows_alerts() -> None:
    http = a_record("http", http={"hostname": "bad.example.com", "url": "/a"})
    for records in ((http, an_alert_with({"tlp": "red"})), (an_alert_with({"tlp": "red"}), http)):
        found = observations(read(*records, include=frozenset({"http"}), marking=GREEN))
        assert [row.marking.tlp for row in found if row.value == "http://bad.example.com/a"][-1] == "TLP:RED"


def test_an_alert_without_a_threat_that_was_asked_for_has_the_marking_of_its_rule() -> None:
    [row] = observations(read(without_threat({"tlp": "red"}), include=frozenset({"no-threat"}), marking=GREEN))
    assert row.marking.tlp == "TLP:RED"


def test_a_marking_outlives_the_files_of_its_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suricata_flows, "MAX_ALERTED_FLOWS", 4)
    others = [an_alert_with({"tlp": "green"}, flow_id=number) for number in range(2000, 2100)]
    again = (an_alert_with({"tlp": "green"}), a_record("fileinfo", **FILE, src_ip="198.51.100.7"))
    found = observations(read(an_alert_with({"tlp": "red"}), *others, *again))
    assert [row.marking.tlp for row in found if row.value == DIGEST] == ["TLP:RED"]


WORDS = st.fixed_dictionaries(
    {"tlp": st.sampled_from(["", "green", "amber", "red", "purple"]), "pap": st.sampled_from(["", "green", "red"])}
)
What = Callable[..., Record] | str
RECORDS: st.SearchStrategy[What] = st.sampled_from([*PLACES, "fileinfo", "http"])


@given(st.lists(st.tuples(st.integers(1, 3), RECORDS, WORDS), max_size=8))
def test_the_joined_marking_of_each_value_is_at_least_that_of_all_alerts_of_its_flow(
    given_records: list[tuple[int, What, Record]],
) -> None:
    records, stated = list[Record](), {number: list[SourceMarking]() for number in (1, 2, 3)}
    for number, what, words in given_records:
        changes = {"flow_id": number, "dest_ip": f"198.51.100.{number}"}
        if callable(what):
            records.append(what(words, **changes))
            tlp, pap = (words[name] and f"{name}:{words[name]}" for name in ("tlp", "pap"))
            is_odd = tlp == "tlp:purple"
            stated[number].append(SourceMarking("" if is_odd else tlp, pap, caveats=(tlp,) if is_odd else ()))
        elif what == "http":
            records.append(a_record("http", http={"hostname": f"f{number}.example.com", "url": "/a"}, **changes))
        else:
            file = {"fileinfo": {"sha256": f"{number}" * 64}, "flow_id": number}
            records.append(a_record("fileinfo", **file, src_ip=changes["dest_ip"], dest_ip=OURS))
    found = observations(read(*records, include=frozenset({"http"})))
    for value in {row.value for row in found if not row.value.startswith("198.51.100.")}:
        number = next(
            number
            for number in (1, 2, 3)
            if value in (f"198.51.100.{number}", f"{number}" * 64) or f"f{number}." in value
        )
        markings = [row.marking for row in found if row.value == value]
        published = reduce(Marking.join, map(understand, markings))
        expected = understand(reduce(stricter, stated[number], SourceMarking()))
        assert published.join(expected) == published, value
