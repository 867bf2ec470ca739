"""The topics of a nation's cluster."""

import pytest

from schemas.topics import (
    INBOX_BATCH_BYTES,
    MAX_RECORD_BYTES,
    OBSERVATIONS,
    SENSOR_REPORTS,
    accepted,
    inbox,
    released,
    topics_of,
)

TOPICS = {topic.name: topic for topic in topics_of("GBR", ["JPN"], 4)}


def test_all_topics_keyed_by_indicator_have_the_same_partitions_on_both_sides() -> None:
    theirs = topics_of("JPN", ["GBR"], 4)
    keyed = [topic for topic in [*TOPICS.values(), *theirs] if topic.key in ("indicator id", "shard", "row key")]
    assert len(keyed) > 20
    assert {topic.partitions for topic in keyed} == {4}


def test_a_nation_is_never_its_own_partner() -> None:
    with pytest.raises(ValueError, match="GBR cannot be its own partner"):
        topics_of("GBR", ["JPN", "GBR"], 4)


def test_no_topic_is_named_twice() -> None:
    several = topics_of("GBR", ["JPN", "AUS"], 4)
    assert len({topic.name for topic in several}) == len(several)


def test_pictures_are_compacted_and_flows_are_not() -> None:
    assert TOPICS[accepted("JPN")].compacted
    assert TOPICS[released("JPN")].compacted
    assert not TOPICS[inbox("JPN")].compacted
    assert not TOPICS[OBSERVATIONS].compacted
    assert TOPICS[accepted("JPN")].settings()["cleanup.policy"] == "compact"
    assert TOPICS[inbox("JPN")].settings()["cleanup.policy"] == "delete"


def test_sensors_and_partners_do_not_set_the_time_of_their_records() -> None:
    for name in (SENSOR_REPORTS, inbox("JPN"), accepted("JPN")):
        assert TOPICS[name].settings()["message.timestamp.type"] == "LogAppendTime"


def test_every_topic_takes_a_record_of_the_greatest_size_and_an_inbox_a_bridge_s_batch() -> None:
    taken = {name: int(topic.settings()["max.message.bytes"]) for name, topic in TOPICS.items()}
    assert taken.pop(inbox("JPN")) == INBOX_BATCH_BYTES > MAX_RECORD_BYTES
    assert set(taken.values()) == {MAX_RECORD_BYTES}
