"""After both clocks were wrong: an indicator that ended in a future that has not come lives, and is released again."""

from streams.correlate import row as rows_of
from streams.repair.put_back import put_back
from tests.builders import DAY_MS
from tests.streams.officers_bench import KEY, ROLL_UP_MS, OfficersBench

YEARS_MS = 3 * 365 * DAY_MS


def goes_wrong(bench: OfficersBench) -> int:
    """Both clocks jump; the true time."""
    true_ms = bench.now_ms
    bench.waits(YEARS_MS)
    return true_ms


def is_put_back(bench: OfficersBench, true_ms: int) -> None:
    """The clocks are right again, and an SRE resets the shard's time."""
    bench.now_ms = true_ms + 60_000
    for key, row in bench.rows():
        after = put_back(row, bench.now_ms)
        bench.correlate.put(key, rows_of.encode(after))
        bench.correlate.due(key)
    bench.turns()


def announced(bench: OfficersBench) -> list[tuple[str, bool]]:
    """The kinds of what a partner was sent, and whether its guards take it: no version is of the future."""
    return [(each["kind"], each["version"] <= bench.now_ms) for each in bench.released]


def test_what_ended_in_the_future_lives_and_is_released_again_as_a_version_of_now() -> None:
    bench = OfficersBench()
    bench.observes("TLP:GREEN")
    true_ms = goes_wrong(bench)
    assert [each["kind"] for each in bench.released] == ["content", "expired"]
    is_put_back(bench, true_ms)
    assert announced(bench)[2:] == [("content", True)]
    assert bench.national[-1]["kind"] == "content"
    assert bench.released[-1]["recalled_through"] < bench.released[-1]["version"]


def test_what_was_first_released_in_the_future_is_released_now() -> None:
    bench = OfficersBench()
    bench.observes("TLP:GREEN", values=("other.example-of-an-attacker.jp",))
    true_ms = goes_wrong(bench)
    bench.observes("TLP:GREEN")
    is_put_back(bench, true_ms)
    [latest] = [each for each in bench.released if each["id"] == bench.released[2]["id"]][-1:]
    assert (latest["kind"], latest["version"] <= bench.now_ms) == ("content", True)
    [row] = [row for key, row in bench.rows() if key == KEY]
    assert row.assertions[0].latest.appended_ms <= bench.now_ms


def test_what_was_recalled_in_the_future_is_recalled_now() -> None:
    bench = OfficersBench()
    bench.observes("TLP:GREEN")
    before = bench.released[-1]["version"]
    true_ms = bench.now_ms
    bench.now_ms += YEARS_MS
    bench.observes("TLP:RED")
    assert bench.released[-1]["kind"] == "recalled"
    is_put_back(bench, true_ms)
    assert announced(bench)[-1] == ("recalled", True)
    assert bench.released[-1]["recalled_through"] >= before


def test_the_same_rows_put_back_twice_give_the_same_records() -> None:
    def run() -> list[dict[str, object]]:
        bench = OfficersBench()
        bench.observes("TLP:GREEN")
        is_put_back(bench, goes_wrong(bench))
        bench.waits(ROLL_UP_MS)
        return bench.released + bench.national

    assert run() == run()


def test_a_row_that_was_never_ahead_stays_as_it_is_but_for_being_looked_at() -> None:
    bench = OfficersBench()
    bench.observes("TLP:GREEN")
    [(_, row)] = bench.rows()
    after = put_back(row, bench.now_ms + 1)
    assert (after.sent, after.assertions, after.version, after.rules) == (
        row.sent,
        row.assertions,
        row.version,
        row.rules,
    )
    is_put_back(bench, bench.now_ms)
    assert len(bench.released) == 1
