"""Whoever reports sightings may read the picture, and write reports, refusals and receipts; nothing else."""

from schemas import topics
from schemas.access import access_of

USER = "JPN-sightings"


def may(operation: str) -> set[str]:
    return {
        each.name
        for each in access_of("JPN", ("GBR", "AUS"))
        if (each.user, each.resource, each.operation) == (USER, "topic", operation)
    }


def test_it_reads_what_the_picture_is_made_of_and_no_more() -> None:
    of_partner = (topics.accepted, topics.receipts, topics.partner_receipts)
    assert may("read") == {topics.NATIONAL, *(topic(each) for each in ("GBR", "AUS") for topic in of_partner)}


def test_it_writes_what_a_sensor_and_an_answer_need_and_no_more() -> None:
    written = {topics.SENSOR_REPORTS, topics.QUARANTINE, topics.receipts("GBR"), topics.receipts("AUS")}
    assert may("write") == written
    assert may("delete") == set()


def test_it_owns_no_transactional_id_and_no_group() -> None:
    of_user = {each.resource for each in access_of("JPN", ("GBR",)) if each.user == USER}
    assert of_user == {"topic"}
