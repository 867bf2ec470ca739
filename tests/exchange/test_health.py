"""A process is restarted only where that helps, and is ready only when all of its shards run."""

import pytest

from exchange.health import Health, Pulse, all_of, liveness, reach, readiness
from exchange.protocol.shard import Phase

NOW_MS = 1_790_000_000_000
LIMIT_MS = 60_000


def pulse(phase: Phase, *, turned_s_ago: int = 0) -> Pulse:
    return Pulse(phase, NOW_MS - turned_s_ago * 1000)


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.RESTORING, Phase.RUNNING])
def test_a_shard_that_does_not_turn_any_more_asks_for_a_restart_and_states_which(phase: Phase) -> None:
    shards = {("intake", 0): pulse(Phase.RUNNING), ("correlate", 3): pulse(phase, turned_s_ago=61)}
    health = liveness(shards, NOW_MS, LIMIT_MS)
    assert not health.ok
    assert health.why == f"correlate shard 3 has not turned for 61 s while {phase.name.lower()}"


def test_shards_that_turn_are_alive_at_the_limit_still() -> None:
    assert liveness({("intake", 0): pulse(Phase.RUNNING, turned_s_ago=60)}, NOW_MS, LIMIT_MS).ok


@pytest.mark.parametrize("phase", [Phase.FENCED, Phase.CLOSED])
def test_a_shard_that_is_not_ours_any_more_is_no_reason_for_a_restart(phase: Phase) -> None:
    assert liveness({("intake", 0): pulse(phase, turned_s_ago=9000)}, NOW_MS, LIMIT_MS).ok


def test_a_process_without_shards_is_alive() -> None:
    assert liveness({}, NOW_MS, LIMIT_MS).ok


def test_nothing_is_ready_before_the_first_assignment() -> None:
    assert not readiness({}, assigned=False).ok


def test_a_spare_worker_is_ready() -> None:
    assert readiness({}, assigned=True).ok


def test_a_process_is_ready_when_every_shard_runs() -> None:
    shards = {("intake", 0): pulse(Phase.RUNNING), ("intake", 1): pulse(Phase.CLOSED)}
    assert readiness(shards, assigned=True).ok


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.RESTORING, Phase.FENCED])
def test_one_shard_that_does_not_run_keeps_the_process_unready_and_is_named(phase: Phase) -> None:
    shards = {("intake", 0): pulse(Phase.RUNNING), ("receive.JPN", 2): pulse(phase)}
    health = readiness(shards, assigned=True)
    assert not health.ok
    assert health.why == f"receive.JPN shard 2 is {phase.name.lower()}"


def test_a_process_whose_cluster_does_not_answer_is_not_ready_and_states_which_one() -> None:
    shards = readiness({("intake", 0): pulse(Phase.RUNNING)}, assigned=True)
    health = all_of(shards, reach({"GBR": 0.0, "JPN": 12.4}, 10))
    assert not health.ok
    assert health.why == "JPN's Kafka has not answered for 12 s"


def test_a_short_silence_is_a_restart_of_a_broker_and_no_outage() -> None:
    assert all_of(Health(True, "every shard runs"), reach({"GBR": 9.9}, 10)).ok
