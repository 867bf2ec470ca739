"""A change of rules decides everything again: what is known to a partner first, a portion at a time, once."""

from typing import Any

import msgspec

from exchange.metrics import spec
from exchange.protocol.step import Batch
from schemas import topics
from schemas.codec import RELEASED_INDICATOR
from schemas.links import POLICY_FOLDER
from schemas.vocabulary import CommandKind
from streams.correlate import row as rows_of
from streams.correlate.assertion import Assertion
from streams.correlate.redecide import CURSOR_KEY, Cursor
from streams.rules.policy_set import PolicySet, compiled, read_texts
from tests.builders import NOW_MS
from tests.officers import ALICE, BOB
from tests.streams.enrichment_builders import NAME_ATTRIBUTES, a_warninglist, an_enricher
from tests.streams.officers_bench import HOUR_MS, POLICY, OfficersBench
from tests.streams.workbench import Workbench

CONTENT = ("content", "")
VALUES = tuple(f"c{number}.example-of-an-attacker.jp" for number in range(10))
TEXTS = read_texts("GBR", POLICY_FOLDER)


def policy(*changes: tuple[str, str]) -> PolicySet:
    """The shipped set with words of the joint rules changed."""
    texts = dict(TEXTS)
    for old, new in changes:
        (path,) = [path for path, text in texts.items() if old in text]
        texts[path] = texts[path].replace(old, new)
    return compiled(texts, "GBR")


NO_GREEN = policy(('when { resource.tlp == Tlp::"TLP:GREEN" };', 'when { resource.tlp == Tlp::"TLP:GREEN" && false };'))
COARSER = policy(("coarsen-time:hour, expire-after-days:180", "coarsen-time:day, expire-after-days:180"))
WORDLESS = policy(
    ("coarsen-time:hour, expire-after-days:180", "coarsen-time:hour, drop-tearline, expire-after-days:180")
)
REWORDED = policy(('@title("TLP:GREEN may be released', '@title("TLP:GREEN may still be released'))
RESOLVER = "resolver.example-of-a-friend.jp"
LISTED = an_enricher(a_warninglist("resolvers", "hostname", [RESOLVER], NAME_ATTRIBUTES))


def cursor(bench: OfficersBench) -> Cursor:
    (data,) = bench.correlate.get_many([CURSOR_KEY])
    assert data is not None
    return msgspec.msgpack.decode(data, type=Cursor)


def finish(bench: OfficersBench, at_most: int = 100) -> int:
    """Turn until nothing is left to decide again; how many turns that took."""
    for turns in range(1, at_most):
        if not bench.turns().more:
            return turns
    raise AssertionError("it does not come to an end")


def test_a_restart_under_rules_that_forbid_it_recalls_what_was_released() -> None:
    bench = OfficersBench()
    bench.observes(values=VALUES)
    bench.restarts_under(NO_GREEN)
    finish(bench)
    assert bench.announced == [CONTENT] * 10 + [("recalled", "policy-changed")] * 10
    assert {each["policy_version"] for each in bench.decisions[10:]} == {NO_GREEN.version}
    assert all(each["recalled_through"] > 0 for each in bench.released[10:])


def test_a_change_that_changes_nothing_is_audited_and_sent_to_no_one() -> None:
    bench = OfficersBench()
    bench.observes(values=VALUES)
    bench.restarts_under(REWORDED)
    finish(bench)
    assert bench.announced == [CONTENT] * 10
    assert [each["policy_version"] for each in bench.decisions] == [POLICY.version] * 10 + [REWORDED.version] * 10


def test_how_much_is_left_and_for_how_long_is_shown_until_it_is_done() -> None:
    bench = OfficersBench(portion=2)
    bench.observes(values=VALUES)
    bench.restarts_under(NO_GREEN)
    shown: list[tuple[float, float]] = []
    more = True
    while more:
        effects = bench.turns()
        more = effects.more
        left = effects.gauges[spec.UNDECIDED_ROWS.at("correlate", 0)]
        shown.append((left, effects.gauges[spec.RULES_BEHIND_SECONDS.at("correlate", 0)]))
        bench.now_ms += 1_000
    assert [left for left, _ in shown] == sorted((left for left, _ in shown), reverse=True)
    assert [behind_s for _, behind_s in shown[:3]] == [0.0, 1.0, 2.0]
    assert shown[-1] == (0.0, 0.0)
    assert spec.UNDECIDED_ROWS.at("correlate", 0) not in bench.turns().gauges


def test_new_rules_wake_the_shard_without_input_and_the_step_keeps_nothing_between_its_calls() -> None:
    step = OfficersBench().step(POLICY)
    bench = Workbench(step)
    assert step.wakes(bench, NOW_MS) == (CURSOR_KEY,)
    turn = Batch((), (CURSOR_KEY,), None)
    assert step.compute(turn, bench, NOW_MS) == step.compute(turn, bench, NOW_MS)
    assert step.wakes(bench, NOW_MS) == (CURSOR_KEY,), "only a committed cursor is the end of it"
    bench.turn(NOW_MS)
    assert step.wakes(bench, NOW_MS) == ()


def test_the_cursor_is_due_at_once_and_never_late_so_other_due_rows_do_not_hurry_with_it() -> None:
    moved = Cursor(b"rules", NOW_MS - 60_000)
    assert moved.change(NOW_MS).due_ms == NOW_MS
    assert msgspec.structs.replace(moved, done=True).change(NOW_MS).due_ms == 0


def test_it_is_done_once() -> None:
    bench = OfficersBench()
    bench.observes(values=VALUES)
    bench.restarts_under(REWORDED)
    finish(bench)
    known = len(bench.correlate.outputs)
    bench.restarts_under(REWORDED)
    assert finish(bench) == 1
    assert len(bench.correlate.outputs) == known
    assert cursor(bench).done


def test_the_same_rules_decide_nothing_again_after_a_restart() -> None:
    bench = OfficersBench()
    bench.observes(values=VALUES)
    bench.restarts_under(POLICY)
    assert finish(bench) == 1
    assert len(bench.decisions) == 10


def test_stricter_obligations_recall_what_was_reported_in_finer_detail_and_send_the_rest() -> None:
    bench = OfficersBench()
    bench.observes()
    bench.restarts_under(COARSER)
    finish(bench)
    fine, coarse = bench.released
    assert coarse["kind"] == "content"
    assert coarse["recalled_through"] == fine["version"], "the hour must not be kept"
    assert coarse["content"]["first_seen_ms"] % (24 * HOUR_MS) == 0


def test_rules_under_which_a_tearline_may_not_go_recall_it_and_disturb_nothing_that_has_none() -> None:
    bench = OfficersBench()
    bench.observes(values=VALUES[:1], tearline="for release")
    bench.observes(values=VALUES[1:])
    bench.restarts_under(WORDLESS)
    finish(bench)
    assert len(bench.released) == len(VALUES) + 1
    reported, *_, again = bench.released
    assert (reported["content"]["tearline"], again["id"]) == ("for release", reported["id"])
    assert "tearline" not in again["content"]
    assert again["recalled_through"] == reported["version"]


def test_what_partners_know_of_comes_first_and_normal_work_goes_on() -> None:
    bench = OfficersBench(portion=2)
    bench.observes("TLP:RED", values=VALUES[:6])
    bench.observes(values=VALUES[6:])
    bench.restarts_under(NO_GREEN)
    assert bench.turns().more
    assert [kind for kind, _ in bench.announced[4:]] == ["recalled", "recalled"]
    bench.observes("TLP:CLEAR", values=("news.example-of-an-attacker.jp",))
    assert [kind for kind, _ in bench.announced].count("content") == 5, "a new report is not kept waiting"
    assert [kind for kind, _ in bench.announced].count("recalled") == 4
    assert {each["indicator_id"] for each in bench.decisions if each["outcome"] == "withhold"} > set()
    finish(bench)
    again = [each for each in bench.decisions if each["policy_version"] == NO_GREEN.version]
    assert len({each["indicator_id"] for each in again}) == 11


def test_a_worker_that_dies_on_the_way_is_followed_by_one_that_goes_on() -> None:
    bench = OfficersBench(portion=3)
    bench.observes(values=VALUES)
    bench.restarts_under(NO_GREEN)
    bench.turns()
    bench.restarts_under(NO_GREEN)
    finish(bench)
    recalled = [each["id"] for each in bench.released if each["kind"] == "recalled"]
    assert sorted(recalled) == sorted({each["id"] for each in bench.released}), "each once"


def test_rules_that_change_again_on_the_way_begin_anew() -> None:
    bench = OfficersBench(portion=3)
    bench.observes(values=VALUES)
    bench.restarts_under(NO_GREEN)
    bench.turns()
    bench.restarts_under(POLICY)
    finish(bench)
    last = {each["id"]: each["kind"] for each in bench.released}
    assert set(last.values()) == {"content"}
    recalled = [each for each in bench.released if each["kind"] == "recalled"]
    assert len(recalled) == 3
    assert len(bench.released) == 16


def test_what_is_reported_meanwhile_is_decided_by_the_new_rules_and_not_twice() -> None:
    bench = OfficersBench(portion=3)
    bench.observes(values=VALUES)
    bench.restarts_under(NO_GREEN)
    bench.observes(values=VALUES)
    finish(bench)
    again = [each["indicator_id"] for each in bench.decisions if each["policy_version"] == NO_GREEN.version]
    assert len(again) == len(set(again)) == 10
    assert bench.announced.count(("recalled", "policy-changed")) == 10


def test_an_approval_outlives_rules_that_ask_the_same() -> None:
    bench = OfficersBench()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    bench.approves(ALICE)
    bench.restarts_under(REWORDED)
    finish(bench)
    assert bench.announced == [CONTENT]
    assert bench.decisions[-1]["review"] == "approved"


def test_an_approval_does_not_outlive_a_rule_that_asks_for_more_people() -> None:
    bench = OfficersBench()
    bench.observes(caveats=("関係者限り",))
    bench.approves(ALICE)
    two = policy(
        (
            '@reviewers("1")\n@deadline_hours("72")\nforbid (principal, action == Action::"release", resource)\n'
            'when { resource.caveats.contains(Caveat::"関係者限り") };',
            '@reviewers("2")\n@deadline_hours("72")\nforbid (principal, action == Action::"release", resource)\n'
            'when { resource.caveats.contains(Caveat::"関係者限り") };',
        )
    )
    bench.restarts_under(two)
    finish(bench)
    assert bench.announced == [CONTENT, ("recalled", "policy-changed")]
    assert (bench.shown[-1]["needed"], bench.shown[-1]["verdicts"]) == (2, [])
    assert bench.approves(ALICE) == ""
    assert bench.approves(BOB) == ""
    assert bench.announced[-1] == CONTENT


def test_a_veto_outlives_any_rules() -> None:
    bench = OfficersBench()
    bench.observes()
    bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand")
    bench.restarts_under(REWORDED)
    finish(bench)
    assert [kind for kind, _ in bench.announced] == ["content", "recalled"]
    assert bench.decisions[-1]["rules"] == ["standing-veto"]


def test_a_warninglist_that_comes_to_have_it_revokes_what_was_released() -> None:
    bench = OfficersBench()
    bench.observes(values=(RESOLVER,))
    bench.restarts_under(POLICY, enricher=LISTED)
    finish(bench)
    assert bench.announced == [CONTENT, ("revoked", "false-positive")]
    assert bench.released[-1]["recalled_through"] == 0
    assert bench.national[-1]["warninglists"]
    assert bench.shown[-1]["rules"] == ["warninglist-well-known"]
    bench.observes("TLP:RED", values=(RESOLVER,))
    assert bench.announced[-1] == ("recalled", "marking-tightened")


def test_rows_of_the_first_format_are_decided_again() -> None:
    """Format 1 knew no rules, and its rows have neither standing, nor rules, nor terms."""
    bench = OfficersBench()
    bench.observes()
    key, row = next((key, row) for key, row in bench.rows() if row.assertions)
    fields: list[Any] = msgspec.msgpack.decode(rows_of.encode(row))
    fields[3] = [_of_format_1(assertion) for assertion in row.assertions]
    old = msgspec.msgpack.encode(fields[: fields.index(row.rules)])
    assert rows_of.decode(old).rules == b""
    bench.correlate.put(key, old)
    bench.restarts_under(REWORDED)
    finish(bench)
    assert bench.announced == [CONTENT]
    written = bench.correlate.written(topics.released("JPN"), RELEASED_INDICATOR)
    assert len(written) == 1


def _of_format_1(assertion: Assertion) -> list[Any]:
    """An assertion as it was kept in full."""
    latest = assertion.latest
    stated = [latest.epoch, latest.sequence, latest.appended_ms, latest.marking, latest.confidence]
    texts = [latest.valid_until_ms, latest.labels, latest.description, latest.context]
    seen = [[each.marking, each.count, each.first_seen_ms, each.last_seen_ms] for each in assertion.tallies]
    return [assertion.sensor, [*stated, *texts], seen]
