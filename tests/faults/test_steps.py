"""A bridge that ends or stands still between any two steps: its successor continues, and each record arrives once."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

import pytest

from exchange import clock
from exchange.errors import Exit
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from exchange.role import metrics_of
from schemas import topics
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType
from tests.builders import a_content, a_released, an_id
from tests.conftest import Brokers
from tests.consumers.border import Border, carrying
from tests.faults.steps import BULK, FAST, carry_until
from tests.polling import eventually

WITHIN_S: Final = 60.0
REFUSED: Final = b"nothing that a guard can read"
# A process that has imported all this once makes those that are to end: each is there at once.
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([carry_until.__module__])


class Traffic:
    """Goes on: content, an end, which goes by the fast lane, too, and on either lane what the guard refuses."""

    def __init__(self, border: Border) -> None:
        self._border, self._made = border, 0
        self.released: list[bytes] = []
        self.urgent: list[bytes] = []

    def more(self) -> None:
        """Some of each."""
        border, some = self._border, [self._content(), self._content(), self._end()]
        keys = [each["id"].encode() for each in some]
        self.released += keys
        self.urgent += keys[-1:]
        border.release(*some)
        for topic in (topics.released(border.partner), topics.urgent(border.partner)):
            border.put(border.here, topic, [(b"refused", REFUSED)])

    def _content(self) -> ReleasedIndicator:
        now_ms, name = clock.now_ms(), self._name()
        content = a_content(value=name, releasable_to=[self._border.partner], first_seen_ms=now_ms, last_seen_ms=now_ms)
        content["release_expires_ms"] = now_ms + 86_400_000
        return self._released(name, content=content)

    def _end(self) -> ReleasedIndicator:
        return self._released(self._name(), kind="expired", content=None)

    def _name(self) -> str:
        self._made += 1
        return f"{self._made}.example.com"

    def _released(self, name: str, **changes: object) -> ReleasedIndicator:
        home, now_ms = self._border.home, clock.now_ms()
        record = a_released(origin=home, hops=[home], version=now_ms, **changes)
        record["id"] = an_id(IndicatorType.DOMAIN_NAME, name)
        return record


@pytest.fixture
def border(brokers: Brokers) -> Border:
    return Border(brokers)


def test_a_bridge_that_is_killed_between_any_two_steps_of_the_fast_lane_carries_each_record(border: Border) -> None:
    """In bulk the next test's bridges are hit at the same moments: until they wake they are as good as killed, and
    leave the same transactions open."""
    traffic = Traffic(border)
    _carry_all(border, traffic)
    with _hit_at_each_moment(border, traffic, "fast", signal.SIGKILL) as victims:
        for victim in victims:
            victim.join(WITHIN_S)
            assert victim.exitcode == -signal.SIGKILL
    _carry_all(border, traffic)
    _arrived_once(border, traffic)


@pytest.mark.parametrize("lane", ["bulk", "fast"])
def test_a_bridge_that_stood_still_between_any_two_steps_is_fenced_when_it_wakes(border: Border, lane: str) -> None:
    traffic = Traffic(border)
    _carry_all(border, traffic)
    with (
        _hit_at_each_moment(border, traffic, lane, signal.SIGSTOP) as zombies,
        carrying(border, _metrics(border)) as broken,
    ):
        _has_come(border, traffic)
        for zombie in zombies:
            os.kill(zombie.pid or 0, signal.SIGCONT)

        def all_have_ended() -> bool:
            traffic.more()  # one that stood still before it had begun continues until there is work
            return not any(zombie.is_alive() for zombie in zombies)

        eventually(all_have_ended, WITHIN_S, "all zombies end")
        assert {zombie.exitcode for zombie in zombies} == {Exit.FENCED}
        _has_come(border, traffic)
    assert not broken, "none of them has fenced its successor"
    _arrived_once(border, traffic)


@contextmanager
def _hit_at_each_moment(
    border: Border, traffic: Traffic, lane: str, number: signal.Signals
) -> Iterator[list[ForkServerProcess]]:
    """One bridge after the other, with work for each; each takes over from the one before, which is hit by then."""
    moments = BULK if lane == "bulk" else FAST
    step = topics.bridge_step(border.home) if lane == "bulk" else topics.urgent_step(border.home)
    hit: list[ForkServerProcess] = []
    try:
        for name, moment in moments.items():
            traffic.more()
            arguments = border.here, border.there, step, moment, number
            process = _FORKS.Process(target=carry_until, args=arguments, name=name, daemon=True)
            process.start()
            hit.append(process)
            eventually(lambda: _is_hit(process), WITHIN_S, f"a bridge comes so far that {name}")  # noqa: B023  # now
        yield hit
    finally:
        for process in hit:  # one that stands still does not hear that it is to end, and the run would wait for it
            process.kill()


def _is_hit(process: ForkServerProcess) -> bool:
    """Whether it has ended, or stands still."""
    try:
        state = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:  # no one has this number any more
        return True
    return state in "TZ"


def _carry_all(border: Border, traffic: Traffic) -> None:
    """A bridge that nothing happens to."""
    traffic.more()
    with carrying(border, _metrics(border)) as broken:
        _has_come(border, traffic)
    assert not broken


def _metrics(border: Border) -> Metrics:
    return metrics_of(Role.BRIDGE, border.home, (border.partner,), (topics.bridge_step(border.home),))


def _has_come(border: Border, traffic: Traffic) -> None:
    for keys, inbox in ((traffic.released, topics.inbox), (traffic.urgent, topics.urgent_inbox)):
        eventually(lambda: set(_keys(border, inbox(border.home))) >= set(keys), WITHIN_S, "all is there")  # noqa: B023


def _keys(border: Border, topic: str) -> list[bytes]:
    return [record.key or b"" for record in border.read(border.there, topic)]


def _arrived_once(border: Border, traffic: Traffic) -> None:
    """In the inbox each record once and in its order; of the fast lane, whose copies may come again, no other and none
    missing; and at home each refusal under its key."""
    assert _keys(border, topics.inbox(border.home)) == traffic.released
    assert set(_keys(border, topics.urgent_inbox(border.home))) == set(traffic.urgent)
    refused = {
        f"{record.topic}-{record.partition}-{record.offset}--1"
        for topic in (topics.released(border.partner), topics.urgent(border.partner))
        for record in border.read(border.here, topic)
        if record.value == REFUSED
    }
    kept = {(record.key or b"").decode() for record in border.read(border.here, topics.QUARANTINE)}
    assert refused == {key for key in kept if f".{border.partner}." in key}
