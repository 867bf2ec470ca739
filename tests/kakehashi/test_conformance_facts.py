"""What is read of a record, and of a report's observations, as the checks of the standard judge it."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.authority.roster import Roster
from exchange.authority.sensor_keys import SensorKey, SensorKeys
from exchange.protocol.record import Record
from kakehashi.conformance.of_topic import Published, Reported, report_facts
from kakehashi.conformance.statements import statements
from producers.conformance.facts import FactPlace, Sent, Signature, Statement, Unread
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.report_signature import signature_header
from schemas.signing import public_of
from schemas.vocabulary import IndicatorType, RejectReason
from streams.intake.collapse import Normaliser
from tests.builders import NOW_MS, a_report, an_observation
from tests.producers.producing import NOWHERE

CODEC = Codec()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
DAY_MS = topics.DAY_MS


def a_record(value: bytes | None = None, key: bytes = b"edge-1", signer: Any = KEY, **changes: Any) -> Record:
    """A record of a report, signed."""
    content = CODEC.encode(SENSOR_REPORT, a_report(**changes)) if value is None else value
    headers = () if signer is None else (signature_header(CODEC, content, signer),)
    return Record(topics.SENSOR_REPORTS, 0, 41, key, content, NOW_MS, headers)


def a_roster(**times: int) -> Roster:
    return Roster("GBR", {}, SensorKeys.of([SensorKey("edge-1", public_of(KEY), **times)]))


def facts(record: Record, roster: Roster | None = None) -> list[Reported]:
    return list(report_facts(record, "edge-1", CODEC, roster or a_roster(), Normaliser()))


def signature(record: Record, roster: Roster | None = None) -> Signature:
    [sent] = [each for each in facts(record, roster) if isinstance(each, Sent)]
    return sent.signature


def test_a_report_is_a_fact_and_so_is_each_of_its_observations() -> None:
    sent, *rows = facts(a_record())
    assert isinstance(sent, Sent)
    assert (sent.place, sent.published_ms, sent.signature) == (FactPlace("partition 0", 41), NOW_MS, Signature.VALID)
    assert [row.place for row in rows if isinstance(row, Statement)] == [
        FactPlace("partition 0", 41, index) for index in range(len(rows))
    ]


def test_a_signature_counts_by_the_roster_at_the_time_of_publication() -> None:
    assert signature(a_record(signer=None)) is Signature.MISSING
    assert signature(a_record(signer=OTHER)) is Signature.UNKNOWN_KEY
    assert signature(a_record(), Roster("GBR")) is Signature.NO_ROSTER_KEY
    assert signature(a_record(), a_roster(until_ms=NOW_MS)) is Signature.UNKNOWN_KEY
    assert signature(a_record(), a_roster(from_ms=NOW_MS + 1)) is Signature.UNKNOWN_KEY
    assert signature(a_record(), a_roster(revoked_ms=NOW_MS)) is Signature.REVOKED_KEY
    assert signature(a_record(), a_roster(revoked_ms=NOW_MS + 1)) is Signature.VALID
    changed = a_record()
    header = changed.headers[0][1]
    forged = msgspec.structs.replace(changed, headers=(("signature", header[:-1] + b"\0"),))
    assert signature(forged) is Signature.INVALID


def test_what_is_not_about_the_sensor_is_no_fact_of_it() -> None:
    assert facts(a_record(key=b"edge-2", sensor="edge-2")) == []
    assert facts(a_record(b"edge-1", key=b"edge-2")) == []


@pytest.mark.parametrize("changes", [{"key": b"edge-2"}, {"sensor": "edge-2"}])
def test_a_report_whose_record_names_another_sensor_is_found(changes: dict[str, Any]) -> None:
    [sent] = [each for each in facts(a_record(**changes)) if isinstance(each, Sent)]
    assert sent.key != sent.sensor


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0\x01", b"edge-1 edge-1"])
def test_a_record_of_the_sensor_that_is_no_report_is_one_that_cannot_be_read(value: bytes) -> None:
    [unread] = facts(a_record(value, signer=None))
    assert isinstance(unread, Unread)
    assert (unread.place, unread.is_whole) == (FactPlace("partition 0", 41), True)


def test_columns_that_do_not_fit_together_cannot_be_read() -> None:
    _, unread = facts(a_record(counts=[1, 2, 3, 4, 5, 6, 7]))
    assert isinstance(unread, Unread)
    assert unread.reason is RejectReason.MISMATCHED_COLUMNS


def test_what_an_officer_sends_again_is_no_report_of_the_sensor_and_its_first_copy_is_not_judged() -> None:
    again = facts(a_record(redrive_of="sensor.reports.v1-0-41-0"))
    assert again
    assert all(isinstance(each, Statement) and each.is_redriven for each in again)
    published = Published(NOWHERE, "edge-1", a_roster())
    record = a_record()
    sent, first, *_ = facts(record)
    published._accepted = frozenset({"sensor.reports.v1-0-41-0"})
    assert published._is_corrected(record, first)
    assert not published._is_corrected(record, sent), "it was sent, whatever was wrong in it"


def a_statement(**changes: Any) -> Statement:
    report = a_report([an_observation(**changes)])
    [found] = statements(report, lambda index: FactPlace("f", index), NOW_MS, Normaliser())
    return found


def test_a_value_is_judged_for_itself_also_if_the_observation_is_refused_for_something_else() -> None:
    late = a_statement(value="Bad..Example.", last_seen_ms=NOW_MS + 2 * DAY_MS)
    assert (late.refused, late.key) == (RejectReason.TIME_OUT_OF_RANGE, b"")
    odd = a_statement(last_seen_ms=NOW_MS + 2 * DAY_MS)
    assert odd.refused is RejectReason.TIME_OUT_OF_RANGE
    assert odd.key


def test_a_value_is_canonical_if_it_and_its_type_stay_as_they_are() -> None:
    assert a_statement(kind=IndicatorType.DOMAIN_NAME, value="bad.kakenet-mal.org").is_canonical
    assert not a_statement(kind=IndicatorType.DOMAIN_NAME, value="BAD.kakenet-mal.org").is_canonical
    assert not a_statement(kind=IndicatorType.IPV6_ADDR, value="198.51.100.7").is_canonical


def test_codes_that_are_in_no_contract_are_found() -> None:
    report = a_report([an_observation()])
    unknown = {**report, "kinds": b"\xf0"}
    [found] = statements(unknown, lambda index: FactPlace("f", index), NOW_MS, Normaliser())  # type: ignore[arg-type]
    assert (found.kind, found.refused, found.key) == (None, RejectReason.UNKNOWN_TYPE, b"")
    odd = {**report, "withdrawals": b"\xf0"}
    [found] = statements(odd, lambda index: FactPlace("f", index), NOW_MS, Normaliser())  # type: ignore[arg-type]
    assert (found.has_odd_code, found.is_withdrawal) == (True, False)
