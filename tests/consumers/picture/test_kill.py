"""A picture whose keeper is killed at any moment is as if it had never been."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

import pytest

from consumers.picture.entry import Ended, Entry
from consumers.picture.filters import Filter
from consumers.picture.followers import leaving, register
from consumers.picture.picture import Picture
from consumers.picture.tables import connect
from consumers.subscription.changes import State, Use
from consumers.subscription.cursor import Cursor
from schemas.markings import Tlp
from tests.builders import NOW_MS
from tests.consumers.picture.feeding_worker import INDICATORS, topic_of
from tests.consumers.picture.topics import World

RECORDS = 900
ALL_US = (0, 1 << 62)
KILLS = 8


def _run(home: Path, seed: int, kill_after_s: float | None) -> float | None:
    """How many seconds the worker took to its end; None if it was killed, so long after it had begun."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.consumers.picture.feeding_worker", str(home), str(seed), str(RECORDS)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "begins\n"
    began_s = time.monotonic()
    timer = threading.Timer(kill_after_s, worker.kill) if kill_after_s is not None else None
    if timer is not None:
        timer.start()
    printed = worker.stdout.read()
    took_s = time.monotonic() - began_s
    worker.wait()
    worker.stdout.close()
    if timer is not None:
        timer.cancel()
    return took_s if printed == "ends\n" else None


def _begin_at_the_first_record(world: World) -> None:
    """Every record is read, and not only the latest of each key."""
    world.keeper().close()
    position = Cursor(world.gbr.topic_id, NOW_MS, dict.fromkeys(world.gbr.records, 0))
    database = connect(world.path, writes=True)
    database.execute("INSERT INTO origin (name, topic, cursor) VALUES ('GBR', 't', ?)", (position.to_json(),))
    database.close()


def shown(picture: Picture, ceiling: Tlp) -> list[tuple[Entry | Ended, bool]]:
    """All of what a reader up to a ceiling may see, or once might."""
    return picture.within("GBR", ceiling, Use(), ALL_US, 2 * INDICATORS)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_keeper_killed_at_any_moment_loses_and_repeats_nothing(tmp_path: Path, seed: int) -> None:
    killed, whole = (
        World(tmp_path / "killed", GBR=topic_of(seed, RECORDS)),
        World(tmp_path / "whole", GBR=topic_of(seed, RECORDS)),
    )
    for each in (killed, whole):
        _begin_at_the_first_record(each)
    whole_s = _run(tmp_path / "whole", seed, None)
    assert whole_s is not None
    database = connect(killed.path, writes=True)
    register(database, "output", ["GBR"], 0, NOW_MS)
    chance, ended, seen_us = Random(seed), 0, 0
    for _ in range(KILLS):
        ended += _run(tmp_path / "killed", seed, chance.uniform(0.0, whole_s / 2)) is not None
        with killed.picture() as picture:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert picture.head_us() >= seen_us
            seen_us = picture.head_us()
    assert ended < KILLS, "no kill came in time"
    assert _run(tmp_path / "killed", seed, None) is not None
    with killed.picture() as one, whole.picture() as other:
        everything = [
            {each.id: (each.state, each.version, each.confidence, each.labels) for each in at.search(Filter())}
            for at in (one, other)
        ]
        assert everything[0] == everything[1]
        changes = one.changes(0, 2 * INDICATORS)
        assert [each.added_us for each in changes] == sorted({each.added_us for each in changes})
        ends = [{each.id: (each.state, each.version) for each in at.changes(0, 2 * INDICATORS)} for at in (one, other)]
        assert ends[0] == ends[1]
        words = [sorted(each.id for each in at.search(Filter(text="example"))) for at in (one, other)]
        assert words[0] == words[1]
        # Whoever pages through what it may see gets the same of both, and each marking explained before it is used.
        for ceiling in (Tlp.CLEAR, Tlp.GREEN):
            seen = [[each for each, within in shown(at, ceiling) if within] for at in (one, other)]
            live = [{(each.id, each.version) for each in entries if each.state is State.LIVE} for entries in seen]
            assert live[0] == live[1]
            assert (ceiling is Tlp.CLEAR) == (not live[0])
        for at in (one, other):
            explained = {each.recipients: each.added_us for each in at.handling("GBR", Tlp.GREEN, Use(), ALL_US, -1)}
            for entry, _ in shown(at, Tlp.GREEN):
                if isinstance(entry, Entry):
                    assert explained[entry.releasable_to or ()] < entry.added_us
        # What was recalled and had a value is kept for the output: it has applied nothing yet.
        assert leaving(database, 0, one.head_us())
    database.close()
