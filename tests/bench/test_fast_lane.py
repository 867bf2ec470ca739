"""What the bench sends by the fast lane may leave, and a rate over a distance is held against that of its own round."""

from bench.bridge import kept, urgent_records
from bench.stand import HOME, PARTNER, SHARDS
from consumers.bridge.guard import Passed, check
from schemas.codec import Codec
from schemas.links import all_agreed
from tests.builders import NOW_MS

COUNT = 6


def test_every_second_urgent_record_is_a_recall_and_the_guard_passes_them_all() -> None:
    kinds = []
    for sending in urgent_records(COUNT, 1, NOW_MS):
        verdict = check(
            sending.value,
            sending.key,
            Codec(),
            agreed=all_agreed(HOME, PARTNER),
            now_ms=NOW_MS,
            partition=sending.partition,
            shards=SHARDS,
        )
        assert isinstance(verdict, Passed), verdict
        kinds.append(verdict.record["kind"])
        content = verdict.record["content"]
        assert content is None or content["caveats"] == ["INCIDENT"]
    assert kinds == ["recalled", "content"] * (COUNT // 2)


def test_what_is_left_of_a_rate_is_the_median_of_shares_each_of_its_own_round() -> None:
    rates = [(0, 100), (250, 90), (0, 200), (250, 140), (0, 100), (250, 80)]
    runs = [{"round_trip_ms": round_trip, "rate": rate} for round_trip, rate in rates]
    assert kept(runs) == {"0": 1.0, "250": 0.8}
