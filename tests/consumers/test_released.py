"""How a release stands: the last version, what the partner said to it, and what it has not said."""

from typing import Any

import pytest

from consumers.queries.released import Answer, ReleaseStatus, statuses
from exchange.protocol.record import Record
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, a_content, a_receipt, a_released, an_id

CODEC = Codec()
URL = an_id(IndicatorType.URL, "http://c2.example.com/a")


def released(**changes: Any) -> Record:
    record = a_released(**changes)
    return Record("released", 0, 0, record["id"].encode(), CODEC.encode(RELEASED_INDICATOR, record), NOW_MS)


def receipt(code: str, version: int = NOW_MS, **changes: Any) -> Record:
    shown = a_receipt(code=code, version=version, **changes)
    return Record("receipts", 0, 0, b"", CODEC.encode(RECEIPT, shown), NOW_MS)


def status(*records: Record) -> ReleaseStatus:
    (found,) = statuses(
        [record for record in records if record.topic == "released"],
        [record for record in records if record.topic == "receipts"],
        CODEC,
    )
    return found


@pytest.mark.parametrize(
    ("codes", "answer"),
    [
        ([], Answer.WAITING),
        (["disputed"], Answer.WAITING),
        (["applied"], Answer.APPLIED),
        (["refused"], Answer.REFUSED),
        (["refused", "applied"], Answer.APPLIED),
        (["recall_applied", "purged"], Answer.PURGED),
    ],
)
def test_the_furthest_receipt_for_the_last_version_is_the_answer(codes: list[str], answer: Answer) -> None:
    assert status(released(), *(receipt(code) for code in codes)).answer is answer


def test_a_receipt_for_an_earlier_version_is_no_answer_and_one_for_a_later_is() -> None:
    assert status(released(), receipt("applied", NOW_MS - 1)).answer is Answer.WAITING
    assert status(released(), receipt("applied", NOW_MS + 1)).answer is Answer.APPLIED


def test_an_older_receipt_that_comes_again_takes_back_no_newer_one() -> None:
    assert status(released(), receipt("applied"), receipt("applied", NOW_MS - 9)).answer is Answer.APPLIED


def test_a_recall_waits_until_what_is_newer_was_taken() -> None:
    recall = released(kind="recalled", version=NOW_MS)
    assert status(recall, receipt("applied", NOW_MS - 1)).recall_waits
    assert status(recall, receipt("refused", NOW_MS, reason="key-mismatch")).recall_waits
    assert not status(recall, receipt("recall_applied", NOW_MS)).recall_waits
    assert not status(released(), receipt("applied")).recall_waits


def test_a_dispute_is_about_what_was_released_last() -> None:
    disputed = receipt("disputed", NOW_MS, reason="outdated")
    shown = status(released(), receipt("applied"), disputed).dispute
    assert shown is not None
    assert shown["reason"] == "outdated"
    assert status(released(version=NOW_MS + 1), disputed).dispute is None


def test_each_indicator_is_reported_once_as_it_stands_last_and_only_those_asked_for() -> None:
    url = a_content(type="url", value="http://c2.example.com/a")
    records = [released(version=1), released(content=url), released(version=2)]
    damaged = Record("released", 0, 0, URL.encode(), b"\0\0", NOW_MS)
    assert [each.released["version"] for each in statuses(records, [], CODEC)] == [NOW_MS, 2]
    assert [each.released["id"] for each in statuses(records, [], CODEC, frozenset({URL}))] == [URL]
    assert [each.released["id"] for each in statuses([*records, damaged], [], CODEC)] == [an_id()]
