"""A copy of another worker's state: it follows what is committed, gives way at once, and is worth its room."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from exchange import clock
from exchange.kafka.clients import Cluster
from exchange.kafka.committed import committed
from exchange.protocol import changelog as changelog_module
from exchange.protocol.effects import Effects
from exchange.protocol.feed import Feed
from exchange.protocol.log import Log
from exchange.protocol.record import Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Shard
from exchange.protocol.standby import Standby
from exchange.protocol.state import RocksState
from exchange.protocol.step import Batch, Step
from localkafka.local import LocalBroker
from tests.conftest import Brokers
from tests.exchange.changelogs import Changelog, Owner, write_open
from tests.polling import eventually

SOON_S = 20.0
HOUR_MS = 3_600_000


@pytest.fixture
def changelog(brokers: Brokers, unique: str) -> Changelog:
    """A step of this test's own."""
    return Changelog(Cluster("GBR", brokers.gbr), f"{unique}step")


def standby_of(changelog: Changelog, folder: Path, **settings: float) -> Standby:
    """A copy in ``folder``, begun at once."""
    found = {"settle_s": 0.0, "pause_s": 0.05} | settings
    return Standby("step-0", lambda: (changelog.log(), lambda: changelog.state(folder)), **found)


def rows_in(changelog: Changelog, folder: Path) -> dict[bytes, bytes]:
    """What a folder holds, its own keeper gone: keys are a to z."""
    state = changelog.state(folder)
    try:
        keys = [bytes([code]) for code in range(ord("a"), ord("z") + 1)]
        return {key: row for key, row in zip(keys, state.get_many(keys), strict=True) if row is not None}
    finally:
        state.close()


def follows_to(standby: Standby, batch: int) -> None:
    eventually(lambda: standby.place[1] >= batch, SOON_S, f"batch {batch} in the copy")


def test_a_copy_follows_what_is_committed_and_forgets_what_is_dropped(changelog: Changelog, tmp_path: Path) -> None:
    owner, standby = Owner(changelog), standby_of(changelog, tmp_path)
    owner.write(a="1", b="1")
    standby.start()
    follows_to(standby, 1)
    owner.write(b="2", c="2")
    owner.write(a=None)
    follows_to(standby, 3)
    assert standby.stop(SOON_S)
    assert rows_in(changelog, tmp_path) == owner.rows == {b"b": b"2", b"c": b"2"}


def test_a_copy_has_nothing_of_an_open_or_an_aborted_transaction(changelog: Changelog, tmp_path: Path) -> None:
    owner, standby = Owner(changelog), standby_of(changelog, tmp_path)
    owner.write(a="1")
    standby.start()
    follows_to(standby, 1)
    dead = write_open(changelog, f"{changelog.step}.dead", RowChange(b"a", b"never"), batch=9)
    dead.abort_transaction(20)
    owner.write(b="2")
    follows_to(standby, 2)
    assert standby.stop(SOON_S)
    assert rows_in(changelog, tmp_path) == owner.rows


def test_who_takes_the_shard_over_from_its_copy_reads_the_tail_only(changelog: Changelog, tmp_path: Path) -> None:
    owner, standby = Owner(changelog), standby_of(changelog, tmp_path / "copy")
    for number in range(50):
        owner.write(**{chr(ord("a") + number % 26): str(number)})
    standby.start()
    follows_to(standby, 50)
    assert standby.stop(SOON_S)
    owner.write(z="last")
    log = changelog.log()
    asked = spied(log)
    shard = Shard(Nothing(), log, NoInput(), lambda: changelog.state(tmp_path / "copy"), lambda: 1)
    shard.take()
    try:
        assert shard.position.batch == 51
        assert len(asked) == 1
        assert asked[0] > 100, "from where the copy was, not from the beginning"
    finally:
        shard.close()
    assert rows_in(changelog, tmp_path / "copy") == owner.rows


def test_a_copy_of_a_shard_that_has_long_been_quiet_is_still_one(
    changelog: Changelog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the log is young enough to tell by: but nothing has come since, so nothing can be forgotten."""
    owner = Owner(changelog)
    place = owner.write(a="1")
    monkeypatch.setattr(changelog_module, "_TOMBSTONES_MS", -HOUR_MS)  # as if all of it were older than half a day
    assert changelog.log().remembers(place)
    assert not changelog.log().remembers(0)
    cleared = counted_clears(monkeypatch)
    for batch in (2, 3):
        standby = standby_of(changelog, tmp_path)
        standby.start()
        follows_to(standby, batch - 1)
        owner.write(a=str(batch))
        follows_to(standby, batch)
        assert standby.stop(SOON_S)
    assert cleared == []


def test_a_batch_after_a_long_silence_does_not_cost_the_state(
    changelog: Changelog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two is the marker of the first one's transaction, which is old, but no row."""
    ahead_ms = clock.now_ms() + HOUR_MS
    monkeypatch.setattr(changelog_module, "_TOMBSTONES_MS", -HOUR_MS // 2)
    for batch, at_ms in ((1, 0), (2, ahead_ms)):
        owner = write_open(changelog, f"{changelog.step}.owner", RowChange(b"a", b"1"), batch=batch, at_ms=at_ms)
        owner.commit_transaction(20)
    log = changelog.log()
    assert log.remembers(2), "behind the two records of the first batch, before its marker"
    assert not log.remembers(1)


def test_a_copy_that_was_away_for_too_long_begins_again_after_compaction(
    brokers: Brokers, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone that it missed is gone: whoever built on the old copy would bring the row back to life."""
    quick = {"segment.ms": "100", "delete.retention.ms": "0", "min.cleanable.dirty.ratio": "0.01"}
    changelog = Changelog(Cluster("GBR", brokers.gbr), f"{unique}step", quick)
    owner = Owner(changelog)
    owner.write(a="1", b="1")
    standby = standby_of(changelog, tmp_path / "old")
    standby.start()
    follows_to(standby, 1)
    assert standby.stop(SOON_S)
    owner.write(a=None)

    def dropped() -> bool:
        owner.write(b=str(owner.batch))  # a tombstone goes with the second cleaning after it, each of closed segments
        return b"a" not in keys_on(changelog)

    eventually(dropped, 60, "the tombstone compacted away")
    monkeypatch.setattr(changelog_module, "_TOMBSTONES_MS", -HOUR_MS)
    for name in ("old", "new"):
        standby = standby_of(changelog, tmp_path / name)
        standby.start()
        follows_to(standby, owner.batch)
        assert standby.stop(SOON_S)
        assert rows_in(changelog, tmp_path / name) == owner.rows


def test_a_broker_that_is_away_only_pauses_the_copy(own_broker: LocalBroker, tmp_path: Path) -> None:
    changelog = Changelog(Cluster("GBR", own_broker.bootstrap), "step")
    owner, standby = Owner(changelog), standby_of(changelog, tmp_path / "copy")
    owner.write(a="1")
    standby.start()
    follows_to(standby, 1)
    own_broker.kill()
    late = standby_of(changelog, tmp_path / "late")
    late.start()
    own_broker.start()
    owner.close()
    owner = Owner(changelog)
    owner.write(b="2")
    follows_to(standby, 2)
    follows_to(late, 2)
    own_broker.pause()
    assert standby.stop(5), "a take-over must not wait for a broker that is silent"
    assert late.stop(5)
    own_broker.resume()
    assert rows_in(changelog, tmp_path / "late") == {b"a": b"1", b"b": b"2"}


def test_a_copy_stops_at_once_and_leaves_its_folder_free(changelog: Changelog, tmp_path: Path) -> None:
    owner, standby = Owner(changelog), standby_of(changelog, tmp_path)
    owner.write(a="1")
    standby.start()
    follows_to(standby, 1)
    assert standby.stop(5)
    RocksState(tmp_path, changelog.ids[changelog.topic], 1).close()


def test_a_copy_of_a_shard_that_is_given_back_at_once_is_not_even_begun(tmp_path: Path) -> None:
    asked = []
    standby = Standby("step-0", lambda: asked.append(1), settle_s=30)  # type: ignore[arg-type,return-value]
    standby.start()
    assert standby.stop(1)
    assert asked == []


def test_a_second_copy_on_one_machine_keeps_to_a_folder_of_its_own(changelog: Changelog, tmp_path: Path) -> None:
    """The owner holds the first folder; when it is lost, whichever folder has come further is taken."""
    owner, held = Owner(changelog), changelog.state(tmp_path / "0")
    owner.write(a="1")
    standby = standby_of(changelog, tmp_path / "0")
    standby.start()
    follows_to(standby, 1)
    assert standby.stop(SOON_S)
    held.close()
    taken = changelog.state(tmp_path / "0")
    assert taken.start()[1] == 1
    taken.close()


def keys_on(changelog: Changelog) -> set[bytes]:
    """The keys of the records that the changelog still has, dropped ones included."""
    return {message.key() or b"" for message in committed(changelog.cluster, changelog.topic, 0)}


def spied(log: Log) -> list[int]:
    """From where the changelog is read from now on."""
    asked: list[int] = []
    read = log.changelog

    def changelog(start: int) -> object:
        asked.append(start)
        return read(start)

    log.changelog = changelog  # type: ignore[method-assign,assignment]
    return asked


def counted_clears(monkeypatch: pytest.MonkeyPatch) -> list[RocksState]:
    """The states that are wiped from now on."""
    cleared: list[RocksState] = []
    clear = RocksState.clear

    def counted(state: RocksState) -> None:
        cleared.append(state)
        clear(state)

    monkeypatch.setattr(RocksState, "clear", counted)
    return cleared


class Nothing(Step[None]):
    """A step that does nothing."""

    name = "nothing"

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # it does nothing
        return Effects()


class NoInput(Feed[None]):
    """A feed of nothing."""

    def facts(self, records: Sequence[Record]) -> None: ...

    def resume(self, next_offsets: object) -> int:  # noqa: ARG002  # there is nothing to resume
        return 0

    def poll(self, timeout_s: float) -> Sequence[Record]:  # noqa: ARG002  # there is nothing to wait for
        return []

    def lag(self) -> int:
        return 0

    def close(self) -> None:
        pass
