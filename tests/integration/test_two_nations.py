"""Both directions at once, all processes and both clusters real: what comes out is what the model states."""

from random import Random
from typing import cast

import pytest

from consumers.queries.released import Answer, statuses
from exchange import clock
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key
from schemas.records import Receipt
from schemas.vocabulary import IndicatorType
from streams.settle.step import ROLL_KEY
from tests.integration.nations import NATIONS, Nations, partner_of
from tests.polling import eventually
from tests.reference.audit import Audit
from tests.reference.reading import Reading
from tests.reference.traffic import Traffic, value_of

REPORTS, OBSERVATIONS = 100, 40
SETTLED_S = 60.0


@pytest.fixture(scope="module")
def audits(nations: Nations) -> dict[str, Audit]:
    """Mixed traffic of both nations, some of it on the same indicators, played and settled."""
    for nation in NATIONS:
        traffic = Traffic(Random(f"two nations {nation}"), nation, clock.now_ms(), indicators=400)
        nations.send(nation, traffic.reports(REPORTS, OBSERVATIONS))
    nations.flush()
    return nations.settled(SETTLED_S)


@pytest.mark.parametrize("home", NATIONS)
def test_what_the_partner_has_is_what_the_model_states(audits: dict[str, Audit], home: str) -> None:
    audit = audits[home]
    assert (audit.lost, audit.duplicated, audit.wrong) == (0, 0, 0), str(audit)
    # A model that expects nothing would agree with an exchange that does nothing.
    counts = audit.counts
    assert counts.valid > 1000
    assert min(counts.quarantined, counts.released, counts.held, counts.withheld) > 10
    assert 10 < audit.replicated <= counts.released  # what has ended by itself is released no more


@pytest.mark.usefixtures("audits")
@pytest.mark.parametrize("home", NATIONS)
def test_nothing_comes_back_to_where_it_came_from(nations: Nations, home: str) -> None:
    codec, partner = Codec(), partner_of(home)
    names = [topics.NATIONAL, topics.released(partner), topics.inbox(partner), topics.accepted(partner)]
    with Reading(nations.clusters[home], names, nations.shards) as reading:
        reading.look()
    for name in names[1:]:
        origins = set()
        for record in reading.records[name]:
            if name == topics.inbox(partner) and codec.schema_of(record.value) == RECEIPT:
                continue  # the partner's word on what was released to it
            if record.key == ROLL_KEY:
                continue  # a deletion of nothing: what was recalled a minute ago is to be cleaned away
            released = codec.decode(RELEASED_INDICATOR, record.value)
            assert not isinstance(released, Undecodable)
            origins.add((released["origin"], tuple(released["hops"])))
        sender = home if name == topics.released(partner) else partner
        if name == topics.inbox(partner):
            assert origins <= {(sender, (sender,))}, "receive empties it behind itself, now and then all of it"
        else:
            assert origins == {(sender, (sender,))}, name


@pytest.mark.usefixtures("audits")
def test_what_both_have_seen_stays_apart_in_either_nation(nations: Nations) -> None:
    """The partner's word on an indicator changes nothing in one's own picture of it: the audit would report it."""
    key = indicator_key(IndicatorType.FILE_SHA256, value_of(IndicatorType.FILE_SHA256, 0).lower())
    name = indicator_id(key).encode()
    for home in NATIONS:
        stand = nations.direction(home).stand()
        assert name in {record.key for record in stand.national}


@pytest.mark.usefixtures("audits")
@pytest.mark.parametrize("home", NATIONS)
def test_each_accepted_version_has_its_receipt(nations: Nations, home: str) -> None:
    """Releases end by themselves meanwhile, and topics are read one after the other: what the first look finds on one
    of them, a later look finds on the other. If the clusters have run for long, recalled content is purged, too: that
    has a receipt of its own."""
    codec, partner = Codec(), partner_of(home)
    with Reading(nations.clusters[partner], [topics.receipts(home), topics.accepted(home)], nations.shards) as reading:

        def look() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
            reading.look()
            accepted = [codec.decode(RELEASED_INDICATOR, each.value) for each in reading.records[topics.accepted(home)]]
            have = [(each["id"], each["version"]) for each in accepted if not isinstance(each, Undecodable)]
            return have, [(each["indicator_id"], each["version"]) for each in receipts() if each["code"] != "purged"]

        def receipts() -> list[Receipt]:
            found = [codec.decode(RECEIPT, each.value) for each in reading.records[topics.receipts(home)]]
            return [cast("Receipt", each) for each in found if not isinstance(each, Undecodable)]

        def matches() -> bool:
            have, answered = look()
            assert (len(have), len(answered)) == (len(set(have)), len(set(answered))), "each once"
            return set(first_have) <= set(answered) and set(first_answered) <= set(have)

        first_have, first_answered = look()
        assert first_have
        eventually(matches, SETTLED_S, f"each version that {partner} accepted has one receipt")
        assert {each["code"] for each in receipts()} <= {"applied", "recall_applied", "purged"}
        recalled, purged = (
            {(each["indicator_id"], each["version"]) for each in receipts() if each["code"] == code}
            for code in ("recall_applied", "purged")
        )
        assert purged <= recalled, "only what was recalled is purged"


@pytest.mark.usefixtures("audits")
@pytest.mark.parametrize("home", NATIONS)
def test_each_receipt_comes_home_and_answers_the_last_release(nations: Nations, home: str) -> None:
    codec, partner = Codec(), partner_of(home)
    names = [topics.released(partner), topics.partner_receipts(partner)]
    with Reading(nations.clusters[home], names, nations.shards) as reading:

        def open_releases() -> set[tuple[str, int]]:
            reading.look()
            found = statuses(reading.records[names[0]], reading.records[names[1]], codec)
            waiting = (each.released for each in found if each.answer is Answer.WAITING or each.recall_waits)
            return {(each["id"], each["version"]) for each in waiting}

        first = open_releases()  # more may end by themselves at any time
        eventually(lambda: not first & open_releases(), SETTLED_S, f"{partner} has answered what {home} released")
        kinds = {each.answer for each in statuses(reading.records[names[0]], reading.records[names[1]], codec)}
    assert Answer.APPLIED in kinds
    assert kinds <= {Answer.APPLIED, Answer.RECALL_APPLIED, Answer.PURGED}
