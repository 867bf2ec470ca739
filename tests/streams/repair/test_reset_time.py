"""On real Kafka: both clocks were three years ahead, everything has ended, and an SRE brings the shards back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.clock import now_ms
from exchange.errors import Refused
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR
from streams.repair.reset_time import reset_time
from tests.builders import DAY_MS, a_report, an_observation
from tests.polling import eventually
from tests.streams.lone_nation import PARTNER, SOON_S, LoneNation, lone_nation

pytestmark = pytest.mark.kafka

YEARS_MS = 3 * 365 * DAY_MS
VALUE = "c2.example-of-an-attacker.jp"
STEPS = [step.name for step in topics.streams_steps((PARTNER,))]


@pytest.fixture
def nation(tmp_path: Path) -> Iterator[LoneNation]:
    with lone_nation(tmp_path) as lone:
        yield lone


def kinds(nation: LoneNation) -> list[tuple[str, bool]]:
    """What was released, and whether in a version that has come."""
    found = [nation.decoded(record, RELEASED_INDICATOR) for record in nation.records(topics.released(PARTNER))]
    return [(each["kind"], each["version"] <= now_ms()) for each in found]


def test_shards_that_were_three_years_ahead_go_on_from_now(nation: LoneNation) -> None:
    observation = an_observation(value=VALUE, first_seen_ms=0, last_seen_ms=0)
    nation.start()
    nation.send(a_report([observation]))
    eventually(lambda: kinds(nation) == [("content", True)], SOON_S, "the release")
    with pytest.raises(Refused, match="is not ahead"):
        reset_time(nation.cluster, "correlate", 0, nation.settings, dry_run=True)
    nation.stop()
    nation.clocks_are_off(YEARS_MS)
    nation.start()
    eventually(lambda: kinds(nation)[1:] == [("expired", False)], SOON_S, "the end")
    nation.stop()
    nation.clocks_are_off(0)
    dry = reset_time(nation.cluster, "correlate", 0, nation.settings, dry_run=True)
    assert dry.ahead_ms > YEARS_MS - DAY_MS
    assert dry.batch is None
    for step in STEPS:
        try:
            assert reset_time(nation.cluster, step, 0, nation.settings, dry_run=False).batch
        except Refused as refused:  # nothing came to it while the clocks were wrong
            assert step != "correlate", refused  # noqa: PT017
    nation.start()
    eventually(lambda: kinds(nation)[2:] == [("content", True)], SOON_S, "the release of now")
    nation.send(a_report([an_observation(value=f"new.{VALUE}", first_seen_ms=0, last_seen_ms=0)], sequence=1))
    eventually(lambda: kinds(nation)[3:] == [("content", True)], SOON_S, "what is new")
    assert {each["kind"] for each in nation.latest(topics.NATIONAL, INDICATOR).values()} == {"content"}
    assert nation.broken == []
