"""``exchange.kafka.log`` on real Kafka: fencing, transactions, what is read back, and what is refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

from exchange.errors import NotFound, ProducerFenced, SchemaIncompatible, Unwritable
from exchange.kafka.clients import Cluster, begin_offset, end_offset, topic_ids
from exchange.kafka.log import KafkaLog
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.log import ChangelogLost, TransactionAborted
from exchange.protocol.record import Input, RowChange
from schemas.topics import Topic
from tests.conftest import Brokers
from tests.exchange.kafka_step import FORMAT, KafkaStep
from tests.localkafka.kafka import producer_of
from tests.polling import eventually

_CALL_S = 30.0


@pytest.fixture
def cluster(brokers: Brokers) -> Cluster:
    return Cluster("GBR", brokers.gbr)


@pytest.fixture
def step(cluster: Cluster, unique: str) -> KafkaStep:
    return KafkaStep(cluster, unique)


@pytest.fixture
def owner(step: KafkaStep) -> Iterator[KafkaLog]:
    log = step.owner()
    yield log
    log.close()


def _start_transaction(log: KafkaLog, step: KafkaStep, value: bytes) -> None:
    """What a commit does before it is interrupted: a record of an open transaction is on the broker."""
    producer = log._transactions.producer
    producer.begin_transaction()
    producer.produce(step.out.topic, value, b"k", 0)
    assert producer.flush(_CALL_S) == 0


def _finish_transaction(log: KafkaLog) -> None:
    """The rest of that commit."""
    transactions = log._transactions
    try:
        transactions._end(transactions.producer)
    except KafkaException as exception:
        transactions._judge(transactions.producer, exception)


def _recreate(cluster: Cluster, topic: str, config: dict[str, str] | None = None) -> None:
    admin = AdminClient(cluster.client())
    before = topic_ids(cluster, [topic])
    admin.delete_topics([topic], operation_timeout=_CALL_S)[topic].result(_CALL_S)

    def is_gone() -> bool:
        try:
            return topic_ids(cluster, [topic]) != before
        except NotFound:
            return True

    eventually(is_gone, _CALL_S, f"{topic} is gone")
    ensure_topics(cluster, [Topic(topic, "key", 1, config=config or {})])


# -- one owner ------------------------------------------------------------------------------------------------------


def test_a_successor_ends_the_open_transaction_of_a_zombie_before_it_reads(step: KafkaStep, owner: KafkaLog) -> None:
    owner.commit([step.output(b"1")], [], step.position(1))
    _start_transaction(owner, step, b"zombie")
    successor = step.owner()
    assert successor.position() == step.position(1)
    assert step.committed() == [b"1"]


def test_a_zombie_that_is_fenced_while_it_fills_its_batch_does_not_fence_its_successor(
    step: KafkaStep, owner: KafkaLog
) -> None:
    """librdkafka learns of it in the background, and then only reports "fatal": to ask by fencing would be robbery."""
    _start_transaction(owner, step, b"zombie")
    successor = step.owner()
    producer = owner._transactions.producer
    producer.produce(step.out.topic, b"zombie", b"k", 0)

    def is_broken() -> bool:
        try:
            producer.produce(step.out.topic, b"zombie", b"k", 0)
        except Exception as error:
            return "_FATAL" in repr(error)
        return False

    eventually(is_broken, _CALL_S, "the zombie's producer has heard that it is fenced")
    with pytest.raises(ProducerFenced):
        owner.commit([step.output(b"zombie")], [], step.position(1))
    successor.commit([step.output(b"1")], [], step.position(1))
    assert step.committed() == [b"1"]


def test_a_transaction_that_was_open_for_too_long_is_fenced_and_taken_again(step: KafkaStep, cluster: Cluster) -> None:
    paused = step.log(timeout_ms=1_000)
    paused.fence()
    _start_transaction(paused, step, b"paused")
    admin, place = AdminClient(cluster.client()), TopicPartition(*_topic_partition(step.out))

    def is_over() -> bool:
        spec = {place: OffsetSpec.latest()}  # type: ignore[no-untyped-call]
        stable = admin.list_offsets(spec, isolation_level=IsolationLevel.READ_COMMITTED)[place].result(_CALL_S)
        return bool(stable.offset == end_offset(cluster, *_topic_partition(step.out)))

    eventually(is_over, _CALL_S, "the broker has ended the transaction")
    with pytest.raises(ProducerFenced, match="ended its transaction after 1 s"):
        _finish_transaction(paused)
    paused.fence()
    paused.commit([step.output(b"1")], [], step.position(1))
    assert step.committed() == [b"1"]


def _topic_partition(place: Input) -> tuple[str, int]:
    return place.topic, place.partition


# -- what cannot be written -----------------------------------------------------------------------------------------


def test_a_record_that_its_topic_refuses_is_named_after_one_more_try_and_leaves_no_trace(
    step: KafkaStep, owner: KafkaLog
) -> None:
    batch = [step.output(b"fine"), step.output(os.urandom(5_000), b"the-culprit", step.narrow)]
    with pytest.raises(TransactionAborted):
        owner.commit(batch, [RowChange(b"a", b"1")], step.position(1))
    with pytest.raises(Unwritable, match=rf"{step.narrow.topic}-0 .*the-culprit.*5000 bytes"):
        owner.commit(batch, [RowChange(b"a", b"1")], step.position(1))
    assert step.committed() == []
    assert step.rows() == {}
    owner.commit([step.output(b"1")], [], step.position(1))
    assert step.committed() == [b"1"]


def test_a_record_that_the_client_refuses_is_named_at_once(step: KafkaStep, owner: KafkaLog) -> None:
    owner.commit([step.output(b"1")], [], step.position(1))
    with pytest.raises(Unwritable, match=r"the-culprit.*3145728 bytes"):
        owner.commit([step.output(b"fine"), step.output(bytes(3 << 20), b"the-culprit")], [], step.position(2))
    with pytest.raises(Unwritable, match=rf"{step.out.topic}-7 .*Unknown partition"):
        owner.commit([step.output(b"fine", to=Input(step.out.topic, 7))], [], step.position(2))
    owner.commit([step.output(b"2")], [], step.position(2))
    assert step.committed() == [b"1", b"2"]


def test_a_shard_with_a_record_that_cannot_be_written_stops(step: KafkaStep, tmp_path: Path) -> None:
    step.out = step.narrow
    shard = step.shard(tmp_path / "state")
    shard.take()
    step.send(b"+0", key=os.urandom(5_000))
    with pytest.raises(Unwritable, match=step.narrow.topic):
        shard.turn(_CALL_S)
    shard.close()
    assert step.committed() == []


# -- what is read back ----------------------------------------------------------------------------------------------


def test_a_position_is_found_behind_many_aborted_ones(step: KafkaStep, owner: KafkaLog, cluster: Cluster) -> None:
    owner.commit([], [], step.position(1))
    other = producer_of(cluster.bootstrap, f"{step.name}aborting")
    for _ in range(40):  # each leaves a record and a marker
        other.begin_transaction()
        other.produce(step.progress, b"aborted", b"0", 0)
        assert other.flush(_CALL_S) == 0
        other.abort_transaction(_CALL_S)
    assert end_offset(cluster, step.progress, 0) > 64
    assert owner.position() == step.position(1)


def test_a_claimant_that_was_fenced_long_ago_reads_what_its_successor_has_committed(
    step: KafkaStep, owner: KafkaLog
) -> None:
    step.owner().commit([], [RowChange(b"a", b"1")], step.position(1))
    assert owner.position() == step.position(1)
    assert [batch for _, batch, _ in owner.changelog(0)] == [1]


def test_position_and_rows_are_found_after_compaction(cluster: Cluster, unique: str) -> None:
    step = KafkaStep(
        cluster,
        unique,
        {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100"},
    )
    owner = step.owner()
    batch = 0

    def is_compacted() -> bool:
        nonlocal batch
        batch += 1
        rows = [RowChange(b"a", b"%d" % batch), RowChange(b"gone", None if batch > 3 else b"x")]
        owner.commit([], rows, step.position(batch))
        return sum(len(rows) for rows, _, _ in owner.changelog(0)) < 2 * batch

    eventually(is_compacted, 60.0, "compaction has been there")
    assert begin_offset(cluster, step.changelog, 0) == 0, "compaction leaves the begin where it is"
    successor = step.owner()
    assert successor.position() == step.position(batch)
    assert step.rows() == {b"a": RowChange(b"a", b"%d" % batch)}
    assert max(number for _, number, _ in successor.changelog(0)) == batch


def test_rows_from_long_ago_are_not_trusted_to_be_remembered(step: KafkaStep, owner: KafkaLog) -> None:
    old = producer_of(step.cluster.bootstrap, f"{step.name}old")
    old.begin_transaction()
    for key in (b"dropped", b"forgotten", b"last"):
        old.produce(step.changelog, None, key, 0, timestamp=1_000)
    old.commit_transaction(_CALL_S)
    place = owner.commit([], [RowChange(b"a", b"1")], step.position(1))
    assert not owner.remembers(1)
    owner.commit([], [RowChange(b"a", b"2")], step.position(2))
    assert owner.remembers(place)


# -- what is refused ------------------------------------------------------------------------------------------------


def test_a_recreated_input_is_refused(step: KafkaStep, owner: KafkaLog, cluster: Cluster) -> None:
    owner.commit([], [], step.position(1))
    _recreate(cluster, step.source.topic)
    with pytest.raises(SchemaIncompatible, match=f"{step.source.topic} was recreated"):
        step.owner().position()


def test_a_changelog_that_was_recreated_under_a_running_owner_is_refused_later(
    step: KafkaStep, owner: KafkaLog, cluster: Cluster
) -> None:
    """The owner does not notice, and continues: the new changelog ends with the right batch, but is not whole."""
    owner.commit([], [RowChange(b"lost", b"1")], step.position(1))
    _recreate(cluster, step.changelog, {"cleanup.policy": "compact"})

    def is_committed() -> bool:
        try:
            owner.commit([], [RowChange(b"kept", b"1")], step.position(2))
        except TransactionAborted:  # until its client has learned of the new topic
            return False
        return True

    eventually(is_committed, _CALL_S, "the owner goes on")
    with pytest.raises(SchemaIncompatible, match=f"{step.changelog} was recreated"):
        step.owner().position()


def test_a_changelog_that_was_recreated_while_it_was_taken_is_refused(step: KafkaStep, cluster: Cluster) -> None:
    """Its folder and its log know the id of before: what another owner wrote in between would look whole."""
    slow = step.log()
    _recreate(cluster, step.changelog, {"cleanup.policy": "compact"})
    with pytest.raises(SchemaIncompatible, match=f"{step.changelog} was recreated"):
        slow.fence()


def test_a_changelog_that_was_cut_is_a_loss(cluster: Cluster, unique: str) -> None:
    step = KafkaStep(cluster, unique, {"cleanup.policy": "compact,delete"})
    owner = step.owner()
    place = owner.commit([], [RowChange(b"lost", b"1")], step.position(1))
    owner.commit([], [RowChange(b"kept", b"1")], step.position(2))
    cut = TopicPartition(step.changelog, 0, place)
    admin = AdminClient(cluster.client())
    admin.delete_records([cut])[cut].result(_CALL_S)
    with pytest.raises(ChangelogLost, match=f"reaches from offset {place} to"):
        list(owner.changelog(0))
    assert [rows for rows, _, _ in owner.changelog(place)] == [[RowChange(b"kept", b"1")]]


def test_a_changelog_that_ends_before_the_state_is_a_loss(step: KafkaStep, owner: KafkaLog) -> None:
    place = owner.commit([], [RowChange(b"a", b"1")], step.position(1))
    with pytest.raises(ChangelogLost):
        list(owner.changelog(place + 100))


def test_a_newer_state_format_is_refused_and_not_misread(step: KafkaStep) -> None:
    newer = step.log(state_format=FORMAT + 1)
    newer.fence()
    newer.commit([], [RowChange(b"a", b"1")], step.position(1))
    with pytest.raises(SchemaIncompatible, match="start the newer version again"):
        step.owner().position()


def test_a_position_that_is_no_record_of_ours_is_refused(step: KafkaStep, owner: KafkaLog, cluster: Cluster) -> None:
    other = producer_of(cluster.bootstrap, f"{step.name}other")
    other.begin_transaction()
    other.produce(step.progress, b"not avro", b"0", 0)
    other.commit_transaction(_CALL_S)
    with pytest.raises(SchemaIncompatible, match=rf"{step.progress}-0 offset 0"):
        owner.position()
