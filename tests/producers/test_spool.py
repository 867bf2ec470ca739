"""The spool: durable, one owner, one identity for each report."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import ConfigurationError, Refused, SchemaIncompatible
from producers.spool.spool import QUARANTINED, REPORT, Spool, SpoolFull, folder_of
from tests.builders import NOW_MS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "GBR" / "edge-1"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as opened:
        yield opened


def step(spool: Spool, payload: bytes, line: int = 1, *, path: str = "/feed", complete: bool = False) -> None:
    """One report, and one refusal, of one input."""
    known = spool.earlier_states(path, ())
    source = known[0] if known else spool.open_input(path, 100, b"digest", NOW_MS)
    spool.append(
        source,
        line=line,
        item=1,
        complete=complete,
        report=(b"edge-1", payload, 3),
        refusals=[(b"key", b"refused")],
        now_ms=NOW_MS,
    )


def test_a_step_is_in_the_outbox_in_order_with_its_sequence_taken(spool: Spool) -> None:
    step(spool, b"one")
    step(spool, b"two", 2)
    entries = spool.unsent(0, 10)
    assert [(entry.kind, entry.payload) for entry in entries] == [
        (QUARANTINED, b"refused"),
        (REPORT, b"one"),
        (QUARANTINED, b"refused"),
        (REPORT, b"two"),
    ]
    assert spool.next_sequence() == 2
    assert (spool.pending_reports, spool.pending_records, spool.pending_bytes) == (2, 4, 20)
    assert spool.oldest_at_ms == NOW_MS


def test_what_is_acknowledged_is_forgotten_and_its_sequence_is_not(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
        spool.acknowledge(spool.unsent(0, 10))
        assert (spool.pending_records, spool.pending_bytes, spool.oldest_at_ms) == (0, 0, 0)
    with Spool(folder, "GBR", "edge-1", NOW_MS + 1) as spool:
        assert spool.unsent(0, 10) == []
        assert spool.next_sequence() == 1
        assert spool.epoch == NOW_MS


def test_a_spool_that_is_opened_again_has_what_it_had(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
        before = spool.unsent(0, 10)
    with Spool(folder, "GBR", "edge-1", NOW_MS + 1) as spool:
        assert spool.unsent(0, 10) == before
        assert (spool.pending_reports, spool.pending_records) == (1, 2)
        [state] = spool.earlier_states("/feed", ())
        assert (state.line, state.item, state.complete) == (1, 1, False)


def test_ids_are_never_used_twice(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
        last = spool.unsent(0, 10)[-1].id
        spool.acknowledge(spool.unsent(0, 10))
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"two", 2)
        assert all(entry.id > last for entry in spool.unsent(0, 10))


def test_two_processes_cannot_have_one_spool(spool: Spool, folder: Path) -> None:
    with pytest.raises(Refused, match=r"another process \(id \d+\) produces as sensor edge-1"):
        Spool(folder, "GBR", "edge-1", NOW_MS)
    assert spool.next_sequence() == 0


def test_a_spool_is_given_back_when_it_cannot_be_used(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS):
        pass
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="is of sensor edge-1 of GBR"):
            Spool(folder, "JPN", "edge-1", NOW_MS)
    with Spool(folder, "GBR", "edge-1", NOW_MS):
        pass


def test_a_clock_behind_the_epoch_is_reported_before_anything_is_numbered(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS):
        pass
    with pytest.raises(ConfigurationError, match="clock is 5 s behind"):
        Spool(folder, "GBR", "edge-1", NOW_MS - 5000)


def test_a_full_disk_reports_it_and_leaves_nothing_half_done(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
        before = spool.unsent(0, 10)
        pages = spool._database.execute("PRAGMA page_count").fetchone()[0]
        spool._database.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(SpoolFull, match="Free space"):
            step(spool, b"x" * 100_000, 2)
        assert spool.unsent(0, 10) == before
        assert spool.next_sequence() == 1
        spool._database.execute("PRAGMA max_page_count = 1000000")
        step(spool, b"two", 2)
        assert spool.next_sequence() == 2
        assert spool.pending_reports == 2


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_a_spool_of_an_older_format_goes_on(version: int, folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
        database = spool._database
        database.execute("ALTER TABLE assertion DROP COLUMN content")
        if version < 5:
            database.execute("ALTER TABLE outbox DROP COLUMN checksum")
        if version < 4:
            database.execute("DROP TABLE whole")
        if version < 3:
            database.execute("DROP INDEX input_by_prefix")
            for column in ("prefix", "marking"):
                database.execute(f"ALTER TABLE input DROP COLUMN {column}")
        if version == 1:
            database.execute("DROP TABLE assertion")
        database.execute(f"PRAGMA user_version = {version}")
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"two", 2)
        assert spool.pending_reports == 2
        assert [state.line for state in spool.earlier_states("/feed", [b"other"])] == [2]


def test_a_newer_spool_is_refused_and_not_misread(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        spool._database.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaIncompatible, match="format 99"):
        Spool(folder, "GBR", "edge-1", NOW_MS)


def test_a_damaged_spool_states_what_to_do(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "spool.sqlite").write_bytes(b"no database at all " * 1000)
    with pytest.raises(SchemaIncompatible, match="is damaged"):
        Spool(folder, "GBR", "edge-1", NOW_MS)


@pytest.mark.parametrize("at", [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
def test_a_spool_that_is_damaged_in_the_middle_is_stated_and_nothing_changed_is_sent(folder: Path, at: float) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        for number in range(1, 60):
            step(spool, bytes([number]) * 3900, number)
        spool._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = folder / "spool.sqlite"
    content = bytearray(path.read_bytes())
    place = int(len(content) * at)
    content[place : place + 600] = b"\xff" * 600
    path.write_bytes(content)
    with pytest.raises(SchemaIncompatible, match="Move it away"), Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        spool.unsent(0, 100)


def test_every_commit_is_synced(spool: Spool) -> None:
    settings = {
        name: spool._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL


def test_the_inputs_that_are_remembered_are_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.spool.spool._INPUTS_KEPT", 3)
    for number in range(10):
        spool.open_input(f"/feed-{number}", 1, b"%d" % number, NOW_MS)
    assert spool.same_content(b"6") == []
    assert len(spool.same_content(b"7")) == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "x" * 201])
def test_a_sensor_whose_name_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be named"):
        folder_of(Path("/home"), "GBR", name)


def test_the_database_is_one_that_any_sqlite_can_look_into(folder: Path) -> None:
    with Spool(folder, "GBR", "edge-1", NOW_MS) as spool:
        step(spool, b"one")
    with sqlite3.connect(folder / "spool.sqlite") as database:
        assert database.execute("SELECT COUNT(*) FROM outbox").fetchone() == (2,)
    database.close()
