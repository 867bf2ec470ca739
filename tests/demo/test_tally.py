"""The tally counts what it is shown, and knows how far each step has come."""

from demo.tally import Tally
from exchange.protocol.record import Input, Record
from schemas import topics
from schemas.codec import PROGRESS, QUARANTINED
from tests.builders import NOW_MS, a_progress, a_quarantined
from tests.demo.stands import FREE, LATE, RED, a_report_of, announced, record


def _progress(step: str, topic: str, next_offset: int) -> Record:
    inputs = [{"topic": topic, "topic_id": "id", "partition": 0, "next_offset": next_offset}]
    return record(topics.progress(step), 0, PROGRESS, "0", a_progress(step=step, inputs=inputs))


def test_an_observation_is_valid_when_intake_has_committed_its_report() -> None:
    tally = Tally("GBR", "JPN")
    tally.take(a_report_of(FREE, RED, offset=0))
    tally.take(a_report_of(LATE, "bad value", offset=2))
    assert (tally.published, tally.valid) == (4, 0)
    assert not tally.is_done("intake", topics.SENSOR_REPORTS)
    tally.take(_progress("intake", topics.SENSOR_REPORTS, 1))
    assert tally.valid == 2
    tally.take(record(topics.QUARANTINE, 0, QUARANTINED, "k", a_quarantined(index=1)))
    tally.take(_progress("intake", topics.SENSOR_REPORTS, 3))
    assert tally.valid == 3
    assert tally.is_done("intake", topics.SENSOR_REPORTS)


def test_what_a_sensor_could_not_read_takes_nothing_from_what_is_valid() -> None:
    tally = Tally("GBR", "JPN")
    tally.take(a_report_of(FREE))
    tally.take(_progress("intake", topics.SENSOR_REPORTS, 1))
    tally.take(record(topics.QUARANTINE, 0, QUARANTINED, "k", a_quarantined(stage="produce", index=4)))
    assert tally.valid == 1


def test_a_bridge_has_carried_what_its_progress_at_the_partner_states() -> None:
    home, partner = Tally("GBR", "JPN"), Tally("JPN", "GBR")
    home.take(announced(topics.released("JPN"), 6, FREE))
    wanted = home.seen(topics.released("JPN"))
    assert wanted == {Input(topics.released("JPN"), 0): 7}
    assert not partner.is_done_to("bridge.GBR", wanted)
    partner.take(_progress("bridge.GBR", topics.released("JPN"), 7))
    assert partner.is_done_to("bridge.GBR", wanted)


def test_work_goes_on_with_the_first_record_after_the_kill() -> None:
    tally = Tally("JPN", "GBR")
    inbox = topics.inbox("GBR")
    tally.take(announced(inbox, 0, FREE, NOW_MS))
    assert tally.first_since(inbox, NOW_MS + 100, 1) is None
    tally.take(announced(inbox, 1, RED, NOW_MS + 90))
    assert tally.first_since(inbox, NOW_MS + 100, 1) is None, "written before the kill, read after it"
    tally.take(announced(inbox, 2, LATE, NOW_MS + 900))
    assert tally.first_since(inbox, NOW_MS + 100, 1) == NOW_MS + 900


def test_keys_are_counted_once() -> None:
    tally = Tally("JPN", "GBR")
    for offset in range(3):
        tally.take(announced(topics.accepted("GBR"), offset, FREE))
    assert len(tally.keys[topics.accepted("GBR")]) == 1
    assert len(tally.records[topics.accepted("GBR")]) == 3
