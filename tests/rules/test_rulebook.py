"""Policies that come into force at a time, and borders that close: the records for the partner, and the audit."""

from schemas.records import PolicyRecord
from schemas.vocabulary import CommandKind
from streams.rules.policy_set import compiled
from streams.rules.rulebook import Candidate, Rulebook, candidate, history_of
from tests.builders import DAY_MS, NOW_MS
from tests.officers import ALICE
from tests.policy_records import LEAD_MS, TEXTS, Topic, a_border, a_set, an_activation, signed, stricter
from tests.streams.officers_bench import POLICY, OfficersBench

CONTENT = ("content", "")
STRICTER = compiled(stricter(), "GBR")
AT_MS = NOW_MS + DAY_MS


def a_bench(topic: Topic) -> OfficersBench:
    return OfficersBench(rules=Rulebook(POLICY, topic))


def with_stricter(at_ms: int = AT_MS) -> Topic:
    topic = Topic()
    assert topic.append(signed(a_set(stricter())), NOW_MS) == ""
    assert topic.append(signed(an_activation(STRICTER.version, at_ms)), NOW_MS) == ""
    return topic


def version_at(topic: Topic, at_ms: int) -> str:
    return history_of(POLICY, topic.published(at_ms)).at(at_ms).policy_set.version


def test_the_shipped_rules_are_in_force_until_an_activation_s_time_and_the_others_from_it_on() -> None:
    topic = with_stricter()
    assert version_at(topic, AT_MS - 1) == POLICY.version
    assert version_at(topic, AT_MS) == STRICTER.version


def test_two_workers_that_learn_of_it_at_different_moments_decide_alike_at_every_time() -> None:
    """Each has read the topic before the activation's time, as the lead sees to; one early, one at the last moment."""
    early, late = with_stricter(), with_stricter()
    for at_ms in range(AT_MS - 5, AT_MS + 5):
        one, other = Rulebook(POLICY, early).in_force(at_ms), Rulebook(POLICY, late).in_force(at_ms)
        assert one.classifier.engine.version == other.classifier.engine.version
        assert one.borders == other.borders


def test_a_decision_names_its_policy_version_and_releases_that_are_no_longer_allowed_are_recalled() -> None:
    bench = a_bench(with_stricter())
    bench.observes()
    assert (bench.announced, bench.decisions[-1]["policy_version"]) == ([CONTENT], POLICY.version)
    bench.now_ms = AT_MS
    bench.observes()
    bench.waits(60_001)
    assert bench.announced == [CONTENT, ("recalled", "policy-changed")]
    assert bench.decisions[-1]["policy_version"] == STRICTER.version
    assert bench.decisions[-1]["rules"] == ["gbr-no-domains"]


def test_an_earlier_set_can_be_activated_again() -> None:
    topic = with_stricter()
    assert topic.append(signed(an_activation(POLICY.version, AT_MS + DAY_MS, number=2)), NOW_MS) == ""
    assert version_at(topic, AT_MS) == STRICTER.version
    assert version_at(topic, AT_MS + DAY_MS) == POLICY.version


def test_an_activation_follows_the_set_in_force_at_its_time_and_not_the_present_one() -> None:
    topic = with_stricter(AT_MS)
    assert topic.append(signed(an_activation(POLICY.version, AT_MS + DAY_MS, number=2)), NOW_MS) == ""
    history = history_of(POLICY, topic.published(NOW_MS))
    assert history.at(NOW_MS).policy_set.version == POLICY.version
    assert history.at(AT_MS).record_id == "on-1"
    assert history.before("on-1") == history.activated[0]
    assert history.before("on-2") == history.at(AT_MS)
    assert history.before("never said") is None
    assert [history.next_after(at_ms) for at_ms in (NOW_MS, AT_MS, AT_MS + DAY_MS)] == [*history.activated[1:], None]


def test_a_set_follows_what_is_in_force_now_and_an_activation_what_is_in_force_at_its_time() -> None:
    history = history_of(POLICY, with_stricter().published(NOW_MS))
    a_draft = candidate(a_set(stricter()), history, "GBR", NOW_MS)
    assert isinstance(a_draft, Candidate)
    assert (a_draft.policy_set.version, a_draft.before.policy_set.version) == (STRICTER.version, POLICY.version)
    assert a_draft.then is None
    later = candidate(an_activation(POLICY.version, AT_MS + 1), history, "GBR", NOW_MS)
    assert isinstance(later, Candidate)
    assert (later.policy_set.version, later.before.policy_set.version) == (POLICY.version, STRICTER.version)
    sooner = candidate(an_activation(POLICY.version, AT_MS - 1), history, "GBR", NOW_MS)
    assert isinstance(sooner, Candidate)
    assert sooner.then is not None
    assert (sooner.before.policy_set.version, sooner.then.policy_set.version) == (POLICY.version, STRICTER.version)


def test_a_draft_of_a_set_that_does_not_load_or_is_not_published_is_no_candidate() -> None:
    history = history_of(POLICY, Topic().published(NOW_MS))
    assert candidate(an_activation(STRICTER.version, AT_MS), history, "GBR", NOW_MS) == (
        f"{STRICTER.version[:12]} is not a published set: publish it first"
    )
    foreign = a_set(stricter())
    foreign["version"] = POLICY.version
    assert "its texts are of version" in str(candidate(foreign, history, "GBR", NOW_MS))


def test_of_two_activations_at_one_time_the_later_written_follows_the_earlier() -> None:
    topic = with_stricter(AT_MS)
    assert topic.append(signed(an_activation(POLICY.version, AT_MS, number=2)), NOW_MS) == ""
    history = history_of(POLICY, topic.published(NOW_MS))
    follows = history.before("on-2")
    assert follows is not None
    assert (follows.record_id, history.at(AT_MS).record_id) == ("on-1", "on-2")


def test_a_set_that_does_not_load_and_its_activation_are_named_with_the_reason() -> None:
    topic = Topic()
    topic.append(signed(a_set({**TEXTS, "national/GBR/v1/test.cedar": "forbid ("}, version="cd" * 32)), NOW_MS)
    topic.append(signed(an_activation("cd" * 32, AT_MS)), NOW_MS)
    refused = history_of(POLICY, topic.published(NOW_MS)).refused
    assert [each.record_id for each in refused] == ["set-1", "on-1"]
    assert "national/GBR/v1/test.cedar:1" in refused[0].detail
    assert refused[1].detail == "there is no valid set cdcdcdcdcdcd before its activation"


def refused_in_force(record: PolicyRecord) -> str:
    """The set in force after an invalid set and its activation."""
    topic = Topic()
    topic.append(signed(record), NOW_MS)
    topic.append(signed(an_activation(record["version"], AT_MS)), NOW_MS)
    return version_at(topic, AT_MS)


def test_of_a_set_that_does_not_load_the_activation_does_nothing_and_the_old_rules_stay() -> None:
    broken = {
        "a syntax error": "forbid (",
        "an unknown attribute": stricter_but("resource.colour", "resource.type"),
        "a permit without a condition": 'permit (principal, action == Action::"release", resource);',
        "a rule without an id": stricter_but("", '@id("gbr-no-domains")'),
        "a rule without a basis": stricter_but("", '@basis("a test")'),
        "obligations that conflict": stricter_but(
            '@outcome("hold")\n@reviewers("1")\n@deadline_hours("1")\n'
            '@obligations("coarsen-time:hour, coarsen-time:day")',
            '@outcome("withhold")',
        ),
    }
    for text in broken.values():
        record = a_set({**TEXTS, "national/GBR/v1/test.cedar": text}, version="cd" * 32)
        assert refused_in_force(record) == POLICY.version


def stricter_but(new: str, old: str) -> str:
    text = stricter()["national/GBR/v1/test.cedar"]
    assert old in text
    return text.replace(old, new)


def test_a_set_under_another_s_version_does_nothing() -> None:
    assert refused_in_force(a_set(stricter(), version="ef" * 32)) == POLICY.version


def test_an_activation_before_its_set_or_by_one_person_does_nothing() -> None:
    topic = Topic()
    assert topic.append(signed(an_activation(STRICTER.version, AT_MS)), NOW_MS) == ""
    assert topic.append(signed(a_set(stricter())), NOW_MS) == ""
    assert version_at(topic, AT_MS) == POLICY.version
    assert topic.append(signed(an_activation(STRICTER.version, AT_MS, number=2), ALICE), NOW_MS) != ""
    assert version_at(topic, AT_MS) == POLICY.version


def test_a_closed_border_stops_releases_but_not_recalls() -> None:
    topic = Topic()
    bench = a_bench(topic)
    bench.observes()
    assert topic.append(signed(a_border("closed"), ALICE), bench.now_ms) == ""
    bench.observes(values=("another.example-of-an-attacker.jp",))
    bench.observes(sensor="second", tlp="TLP:CLEAR")
    assert bench.announced == [CONTENT]
    assert {each["border"] for each in bench.decisions} == {"open", "closed"}
    bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand")
    assert bench.announced == [CONTENT, ("recalled", "recalled-by-hand")]


def test_a_tightened_source_over_a_closed_border_recalls_all_of_it() -> None:
    topic = Topic()
    bench = a_bench(topic)
    bench.observes(sensor="first")
    bench.observes(sensor="second", tlp="TLP:CLEAR")
    assert topic.append(signed(a_border("closed"), ALICE), bench.now_ms) == ""
    bench.observes(sensor="first", tlp="TLP:RED")
    assert [kind for kind, _ in bench.announced][-1] == "recalled"


def test_releases_that_waited_for_a_closed_border_follow_when_it_opens() -> None:
    topic = Topic()
    assert topic.append(signed(a_border("closed"), ALICE), NOW_MS) == ""
    bench = a_bench(topic)
    bench.observes()
    assert bench.announced == []
    assert topic.append(signed(a_border("open", 2), ALICE), bench.now_ms + LEAD_MS) == ""
    bench.observes()
    bench.waits(60_001)
    assert bench.announced == [CONTENT]


def test_in_shadow_everything_is_decided_and_audited_and_nothing_is_released() -> None:
    topic = Topic()
    assert topic.append(signed(a_border("shadow"), ALICE), NOW_MS) == ""
    bench = a_bench(topic)
    bench.observes()
    assert bench.announced == []
    assert (bench.decisions[-1]["outcome"], bench.decisions[-1]["shadow"]) == ("release", True)


def goes_on(bench: OfficersBench) -> None:
    """Turn the shard as long as it is woken or has more to do, without any input."""
    while bench.correlate.wakes(bench.now_ms) or bench.turns().more:
        bench.turns()


def test_all_rows_are_decided_again_at_an_activations_time_without_any_input() -> None:
    bench = a_bench(with_stricter())
    bench.observes()
    goes_on(bench)
    assert not bench.correlate.wakes(AT_MS - 1)
    bench.now_ms = AT_MS
    assert bench.correlate.wakes(AT_MS)
    goes_on(bench)
    assert bench.announced == [CONTENT, ("recalled", "policy-changed")]


def test_waiting_releases_follow_without_any_input_when_a_border_opens() -> None:
    topic = Topic()
    assert topic.append(signed(a_border("closed"), ALICE), NOW_MS) == ""
    bench = a_bench(topic)
    bench.observes()
    assert topic.append(signed(a_border("open", 2), ALICE), bench.now_ms + LEAD_MS) == ""
    goes_on(bench)
    assert bench.announced == [CONTENT]


def test_a_border_that_closes_and_opens_recalls_nothing_and_decides_nothing_again() -> None:
    topic = Topic()
    bench = a_bench(topic)
    bench.observes()
    goes_on(bench)
    before = len(bench.correlate.outputs)
    assert topic.append(signed(a_border("closed"), ALICE), bench.now_ms) == ""
    goes_on(bench)
    assert topic.append(signed(a_border("open", 2), ALICE), bench.now_ms + LEAD_MS) == ""
    goes_on(bench)
    assert len(bench.correlate.outputs) == before
