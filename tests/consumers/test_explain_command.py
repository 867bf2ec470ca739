"""`kakehashi explain` and `released show` on real Kafka: a closed border, and an indicator that a partner sent."""

import json
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.authority.policy_record import key_of
from exchange.authority.policy_watch import PolicyWatch
from exchange.authority.roster import Roster, entry_text
from exchange.errors import Exit, NotFound
from exchange.kafka.topics_admin import ensure_topics
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import DECISION, INDICATOR, POLICY_RECORD, RECEIPT, RELEASED_INDICATOR
from schemas.records import Receipt
from schemas.signing import approved_policy
from schemas.vocabulary import IndicatorType
from streams.rules.policy_set import load
from tests.builders import NOW_MS, a_content, a_decision, a_policy_record, a_receipt, a_released, an_id, an_indicator
from tests.conftest import Brokers
from tests.consumers.border import SHARDS, Border
from tests.officers import ALICE, ROSTER
from tests.officers import key_of as officer_key


@pytest.fixture
def border(brokers: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Border:
    """Two nations whose topics the commands find."""
    border = Border(brokers)
    for cluster, other in ((border.here, border.partner), (border.there, border.home)):
        monkeypatch.setenv(f"KAKEHASHI_{cluster.nation}_BOOTSTRAP", cluster.bootstrap)
        every = topics.topics_of(cluster.nation, (other,), 4)
        ensure_topics(cluster, [each for each in every if each.name in (topics.AUDIT, topics.NATIONAL)])
        entries = "\n".join(entry_text(each) for each in ROSTER.officers.values())
        (tmp_path / f"{cluster.nation}.toml").write_text(entries, "utf-8")
    monkeypatch.setenv("KAKEHASHI_NATIONS", f"{border.home},{border.partner}")
    monkeypatch.setenv("KAKEHASHI_SHARDS", str(SHARDS))
    monkeypatch.setenv("KAKEHASHI_OFFICERS", str(tmp_path))
    monkeypatch.setattr(
        "exchange.settings.Settings.partners",
        lambda _self, nation: (border.partner if nation == border.home else border.home,),
    )
    rules = load("GBR")
    monkeypatch.setattr("streams.rules.policy_set.load", lambda *_, **__: rules)  # these nations have none
    return border


def close(border: Border) -> None:
    record = a_policy_record(
        record_id=str(uuid.uuid4()), kind="border", nation=border.home, version="", partner=border.partner,
        state="closed", reason="a drill",
    )  # fmt: skip
    signed = approved_policy(border.codec, record, officer_key(ALICE))
    border.put(border.here, topics.POLICY, [(key_of(signed), border.codec.encode(POLICY_RECORD, signed))])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command_line(Invocation()), list(arguments))


def test_behind_a_closed_border_all_answers_name_the_border_and_nothing_is_called_released(border: Border) -> None:
    decision = a_decision(indicator_id=an_id(), partner=border.partner, border="closed", released_version=0)
    border.put(border.here, topics.AUDIT, [(an_id().encode(), border.codec.encode(DECISION, decision))])
    close(border)
    explained = run("explain", "--nation", border.home, an_id())
    assert explained.exit_code == 0, explained.output
    assert explained.stdout.startswith(f"NOT SENT to {border.partner}")
    assert f"The border to {border.partner} is closed now, by alice" in explained.stdout
    assert "(a drill)" in explained.stdout
    shown = run("released", "show", "--nation", border.home, an_id())
    assert isinstance(shown.exception, NotFound)
    assert f"The border to {border.partner} is closed now" in shown.output
    assert "never released" not in str(shown.exception)


@pytest.mark.parametrize(
    ("kind", "words"), [("content", "holds it from {}"), ("recalled", "held it from {} until it was recalled")]
)
def test_a_nation_that_has_it_from_its_partner_names_the_origin(border: Border, kind: str, words: str) -> None:
    changes = {"content": a_content(value="held.example.com")} if kind == "content" else {"content": None}
    record = a_released(kind=kind, origin=border.home, hops=[border.home], version=NOW_MS, **changes)
    value = border.codec.encode(RELEASED_INDICATOR, record)
    border.put(border.there, topics.accepted(border.home), [(record["id"].encode(), value)])
    explained = run("explain", "--nation", border.partner, record["id"])
    assert explained.exit_code == 0, explained.output
    assert f"{border.partner} {words.format(border.home)}" in explained.stdout
    assert f"{border.partner} has not reported it itself" in explained.stdout
    [line] = run("explain", "--nation", border.partner, "--json", record["id"]).stdout.splitlines()
    assert json.loads(line)["origin"] == border.home


def test_what_no_one_has_is_stated_to_be_unknown_or_still_on_its_way(border: Border) -> None:
    explained = run("explain", "--nation", border.partner, "nowhere.example.org")
    assert isinstance(explained.exception, NotFound)
    assert "the workers have not come to it yet" in str(explained.exception)


def test_the_warninglists_that_matched_and_the_labels_that_stay_home_are_named(border: Border) -> None:
    own = an_indicator(warninglists=["alexa", "cisco_top1000"], labels=["phishing", "victim: Example Ltd", "local:x"])
    decision = a_decision(indicator_id=own["id"], partner=border.partner)
    border.put(border.here, topics.AUDIT, [(own["id"].encode(), border.codec.encode(DECISION, decision))])
    border.put(border.here, topics.NATIONAL, [(own["id"].encode(), border.codec.encode(INDICATOR, own))])
    explained = run("explain", "--nation", border.home, own["id"]).stdout
    assert "\n  Its value is on these warninglists now: alexa, cisco_top1000.\n" in explained
    why = f"These labels stay in {border.home}, because no vocabulary of the policy has them"
    assert f"\n  {why}: victim: Example Ltd, local:x.\n" in explained
    lines = run("explain", "--nation", border.home, "--json", own["id"]).stdout.splitlines()
    assert [each for line in lines for each in json.loads(line)["sentences"] if each.startswith(why)]


def test_a_dispute_shows_in_the_picture_of_both_until_a_later_version_is_accepted(border: Border) -> None:
    record = a_released(origin=border.home, hops=[border.home], version=NOW_MS, content=a_content())
    value = border.codec.encode(RELEASED_INDICATOR, record)
    border.put(border.there, topics.accepted(border.home), [(an_id().encode(), value)])
    assert (
        run("dispute", "--nation", border.partner, "--partner", border.home, "--reason", "outdated", an_id()).exit_code
        == 0
    )

    explained = run("explain", "--nation", border.partner, an_id()).stdout
    assert f"\n  {border.partner} disputes it: outdated.\n" in explained
    [line] = run("tail", "--nation", border.partner, "--partner", border.home, "--no-follow").stdout.splitlines()
    [shown] = json.loads(line)["disputes"]
    assert (shown["nation"], shown["reason"], shown["version"]) == (border.partner, "outdated", NOW_MS)

    dispute = a_receipt(code="disputed", reason="outdated", version=NOW_MS, nation=border.partner)
    decision = a_decision(partner=border.partner, at_ms=NOW_MS)
    border.put(border.here, topics.AUDIT, [(an_id().encode(), border.codec.encode(DECISION, decision))])
    _answer(border, dispute)
    assert (
        f"\n  An analyst of {border.partner} disputes it: outdated.\n"
        in run("explain", "--nation", border.home, an_id()).stdout
    )
    _answer(border, a_receipt(code="applied", version=NOW_MS + 1, nation=border.partner))
    assert "disputes it" not in run("explain", "--nation", border.home, an_id()).stdout


def test_a_search_that_found_nothing_shows_at_both_and_stays_when_later_versions_come(border: Border) -> None:
    name = "searched.example.com"
    identifier = an_id(value=name)
    record = a_released(
        id=identifier, origin=border.home, hops=[border.home], version=NOW_MS, content=a_content(value=name)
    )
    value = border.codec.encode(RELEASED_INDICATOR, record)
    border.put(border.there, topics.accepted(border.home), [(identifier.encode(), value)])
    asked = ("sighting", "--nation", border.partner, "--partner", border.home, "--not-seen", name)
    answered = run(*asked)
    assert answered.exit_code == 0, answered.output
    assert "and not seen it" in answered.stdout
    assert run(*asked, "--count", "2").exit_code == Exit.USAGE

    searched = f"{border.partner} searched for it and had not seen it by "
    explained = run("explain", "--nation", border.partner, name).stdout
    assert f"\n  {searched}" in explained
    decision = a_decision(indicator_id=identifier, partner=border.partner, at_ms=NOW_MS)
    border.put(border.here, topics.AUDIT, [(identifier.encode(), border.codec.encode(DECISION, decision))])
    shared = {"indicator_id": identifier, "nation": border.partner}
    _answer(border, a_receipt(code="received", reason="not-seen", version=NOW_MS, **shared))
    _answer(border, a_receipt(code="applied", version=NOW_MS + 1, **shared))
    found = run("explain", "--nation", border.home, name).stdout
    assert f"  An analyst of {searched}" in found


def _answer(border: Border, receipt: Receipt) -> None:
    key = f"{receipt['indicator_id']}/{receipt['code']}".encode()
    border.put(border.here, topics.partner_receipts(border.partner), [(key, border.codec.encode(RECEIPT, receipt))])


def test_a_policy_record_without_effect_is_logged_by_roles_and_not_by_commands(
    border: Border, caplog: pytest.LogCaptureFixture
) -> None:
    record = a_policy_record(record_id=str(uuid.uuid4()), nation=border.home)
    border.put(border.here, topics.POLICY, [(key_of(record), border.codec.encode(POLICY_RECORD, record))])
    decision = a_decision(indicator_id=an_id(), partner=border.partner)
    border.put(border.here, topics.AUDIT, [(an_id().encode(), border.codec.encode(DECISION, decision))])
    for words in (("explain",), ("released", "show")):
        run(*words, "--nation", border.home, an_id())
    assert "policy.refused" not in caplog.text
    watch = PolicyWatch(border.here, lambda: Roster(border.home), (border.partner,), 60_000).start()
    watch.stop()
    assert "policy.refused" in caplog.text


@pytest.mark.parametrize("value", ["canary.kakehashi.example", "h110.newcomer-evil.nonexist"])
def test_a_name_that_the_exchange_holds_is_found_by_its_value_though_its_type_cannot_be_seen(
    border: Border, value: str
) -> None:
    name = an_id(IndicatorType.DOMAIN_NAME, value)
    decision = a_decision(indicator_id=name, partner=border.partner)
    border.put(border.here, topics.AUDIT, [(name.encode(), border.codec.encode(DECISION, decision))])
    for options in ((), ("--type", "domain-name")):
        explained = run("explain", "--nation", border.home, *options, value.upper())
        assert explained.exit_code == 0, explained.output
        assert name in explained.stdout
    elsewhere = run("explain", "--nation", border.home, "--type", "url", value)
    assert isinstance(elsewhere.exception, NotFound)
    assert f"{value} as url (--type names another type)" in str(elsewhere.exception)
