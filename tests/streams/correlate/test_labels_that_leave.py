"""Of a source's labels those of known vocabularies leave; and of an approved release what officers were shown."""

from schemas.markings import SourceMarking
from schemas.records import MarkingRecord
from tests.officers import ALICE, BOB
from tests.streams.officers_bench import OfficersBench

GREEN: MarkingRecord = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}
SENSITIVE = ("OFFICIAL-SENSITIVE",)
OWN = "victim: Example Hospital"


def labels(bench: OfficersBench) -> list[list[str]]:
    """The labels of each content that the partner was sent."""
    return [record["content"]["labels"] for record in bench.released if record["content"] is not None]


def test_a_source_s_own_words_stay_home() -> None:
    bench = OfficersBench()
    bench.observes(labels=(OWN, "T1566", "phishing"))
    assert labels(bench) == [["T1566", "phishing"]]
    assert bench.national[-1]["labels"] == ["T1566", "phishing", OWN]


def test_officers_are_shown_the_labels_that_would_leave() -> None:
    bench = OfficersBench()
    bench.observes(caveats=SENSITIVE, labels=(OWN, "phishing"))
    assert bench.shown[-1]["labels"] == ["phishing"]
    assert bench.approves(ALICE) == ""
    assert labels(bench) == [["phishing"]]
    assert bench.decisions[-1]["labels"] == ["phishing"]


def test_a_label_that_is_added_after_the_approval_does_not_leave() -> None:
    bench = OfficersBench()
    bench.observes(caveats=SENSITIVE, labels=("phishing",))
    bench.approves(ALICE)
    bench.observes(caveats=SENSITIVE, labels=("phishing", "T1566"))
    bench.observes(sensor="other", caveats=SENSITIVE, labels=("ransomware",))
    bench.waits(120_000)
    assert {tuple(each) for each in labels(bench)} == {("phishing",)}


def test_a_label_that_is_taken_away_after_the_approval_is_taken_away() -> None:
    bench = OfficersBench()
    bench.observes(caveats=SENSITIVE, labels=("phishing", "ransomware"))
    bench.approves(ALICE)
    bench.observes(caveats=SENSITIVE, labels=("phishing",))
    assert labels(bench) == [["phishing", "ransomware"], ["phishing"]]


def test_labels_that_change_while_officers_are_asked_are_another_question_with_the_same_deadline() -> None:
    bench = OfficersBench()
    bench.observes(caveats=SENSITIVE, labels=("phishing",))
    first = bench.shown[-1]
    bench.waits(1000)
    bench.observes(caveats=SENSITIVE, labels=("phishing", "T1566"))
    second = bench.shown[-1]
    assert second["question"] != first["question"]
    assert second["deadline_ms"] == first["deadline_ms"]
    assert bench.approves(ALICE, question=first["question"]) == "not-as-asked"
    assert bench.announced == []
    assert bench.approves(ALICE) == ""
    assert labels(bench) == [["T1566", "phishing"]]


def test_own_words_do_not_reopen_a_question() -> None:
    bench = OfficersBench()
    bench.observes(caveats=SENSITIVE, labels=("phishing",))
    question = bench.shown[-1]["question"]
    bench.observes(caveats=SENSITIVE, labels=("phishing", OWN))
    assert bench.approves(ALICE, question=question) == ""


# -- what is kept back does not end an approval (docs/adr/0041) --------------------------------------------------------


def test_an_approved_release_outlives_sources_that_are_withheld_or_held() -> None:
    bench = OfficersBench()
    bench.observes("", labels=("phishing",))
    assert bench.approves(ALICE, marking=GREEN) == ""
    before = list(bench.released)
    for number, marking in enumerate(
        (SourceMarking("TLP:RED"), SourceMarking("TLP:GREEN", caveats=("UK EYES ONLY",)), SourceMarking("TLP:AMBER"))
    ):
        bench.observes(marking.tlp, f"secret-{number}", caveats=marking.caveats, labels=("ransomware",))
    bench.observes(sensor="held", caveats=SENSITIVE)
    bench.waits(300_000)
    assert bench.released == before


def test_a_refusal_of_other_data_is_no_reason_to_the_partner() -> None:
    bench = OfficersBench()
    bench.observes(sensor="held", caveats=SENSITIVE)
    assert bench.judges(BOB, "refuse") == ""
    bench.observes(sensor="open")
    bench.observes("TLP:RED", sensor="open")
    assert bench.announced == [("content", ""), ("recalled", "marking-tightened")]


def test_a_version_and_an_end_show_the_day_and_the_hour_alone() -> None:
    bench = OfficersBench()
    bench.now_ms += 12_345_678
    bench.observes()
    [record] = bench.released
    assert record["version"] % 86_400_000 == 0
    assert record["content"]["valid_until_ms"] % 3_600_000 == 0
