"""``kakehashi released`` on real Kafka: what a partner says it did with a release, for people and for tools."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from exchange.errors import NotFound, Refused
from exchange.kafka.topics_admin import ensure_topics
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import INDICATOR, RECEIPT
from schemas.identity import key_of_id, shard_of_key
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, a_content, a_receipt, a_released, an_id, an_indicator
from tests.conftest import Brokers
from tests.consumers.border import SHARDS, Border

SHA256 = {number: f"{number:064x}" for number in range(5)}
APPLIED, REFUSED, WAITING, RECALLED, DISPUTED = (an_id(IndicatorType.FILE_SHA256, SHA256[each]) for each in range(5))


def _release(border: Border, number: int, **changes: Any) -> ReleasedIndicator:
    content = a_content(type="file-sha256", value=SHA256[number], registered_domain="")
    if number == 2:
        content["tearline"] = "Block it.\n公開"
    return a_released(**{"content": content, "origin": border.home, "hops": [border.home], **changes})


@pytest.fixture(scope="module")
def border(brokers: Brokers) -> Border:
    """Five releases, each answered in another way, or not at all."""
    border = Border(brokers)
    national = [each for each in topics.topics_of(border.home, (border.partner,), 4) if each.name == topics.NATIONAL]
    ensure_topics(border.here, national)
    recall = _release(border, 3, kind="recalled", id=RECALLED, content=None)
    border.release(*(_release(border, each) for each in (0, 1, 2)), recall, _release(border, 4))
    receipts = [
        a_receipt(indicator_id=APPLIED, code="applied", nation=border.partner),
        a_receipt(indicator_id=REFUSED, code="refused", reason="unknown-type", nation=border.partner),
        a_receipt(indicator_id=DISPUTED, code="applied", nation=border.partner),
        a_receipt(indicator_id=DISPUTED, code="disputed", reason="outdated", nation=border.partner),
    ]
    values = [
        (f"{each['indicator_id']}/{each['code']}".encode(), border.codec.encode(RECEIPT, each)) for each in receipts
    ]
    border.put(border.here, topics.partner_receipts(border.partner), values)
    assert {shard_of_key(key_of_id(each), SHARDS) for each in (APPLIED, WAITING)} == {0}
    return border


@pytest.fixture(autouse=True)
def environ(border: Border, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the border's two nations."""
    monkeypatch.setenv("KAKEHASHI_NATIONS", f"{border.home},{border.partner}")
    monkeypatch.setenv("KAKEHASHI_SHARDS", str(SHARDS))
    monkeypatch.setattr("exchange.settings.Settings.partners", lambda *_: (border.partner,))  # they have no links
    for cluster in (border.here, border.there):
        monkeypatch.setenv(f"KAKEHASHI_{cluster.nation}_BOOTSTRAP", cluster.bootstrap)


def released(border: Border, *arguments: str) -> Result:
    reported = ["released", arguments[0], "--nation", border.home, *arguments[1:]]
    return CliRunner().invoke(command_line(Invocation()), reported)


@pytest.mark.parametrize(
    ("name", "answer", "printed"),
    [
        (APPLIED, "APPLIED", "applied"),
        (REFUSED, "REFUSED", "unknown-type"),
        (WAITING, "WAITING", "No receipt for this version yet"),
        (RECALLED, "WAITING", "recalled: its marking no longer allows the release"),
        (DISPUTED, "APPLIED", "disputes it: outdated"),
    ],
    ids=["applied", "refused", "waiting", "recalled", "disputed"],
)
def test_it_states_what_the_partner_has_done_with_it(border: Border, name: str, answer: str, printed: str) -> None:
    shown = released(border, "show", name)
    assert shown.stdout.startswith(f"{answer} by {border.partner}  {name}")
    assert printed in shown.stdout
    assert f"version {NOW_MS}" in shown.stdout


def test_what_its_sources_wrote_for_release_is_shown(border: Border) -> None:
    shown = released(border, "show", WAITING)
    assert "  tearline        Block it.\n  tearline        公開\n" in shown.stdout
    assert json.loads(released(border, "show", "--json", WAITING).stdout)["tearline"] == "Block it.\n公開"


def test_an_indicator_may_be_named_by_its_value(border: Border) -> None:
    assert APPLIED in released(border, "show", SHA256[0]).stdout


def test_what_was_never_released_is_an_answer_that_states_where_to_ask(border: Border) -> None:
    shown = released(border, "show", an_id())
    assert isinstance(shown.exception, NotFound)
    assert f"{an_id()} was released by {border.home}: `kakehashi explain" in str(shown.exception)
    assert shown.stdout == ""


@pytest.mark.parametrize("words", ["indicator--no", " "])
def test_what_is_no_indicator_is_an_answer_too(border: Border, words: str) -> None:
    assert isinstance(released(border, "show", words).exception, Refused)


def test_an_unknown_partner_is_a_usage_error(border: Border) -> None:
    shown = released(border, "show", "--partner", "FRA", APPLIED)
    assert shown.exit_code == 2
    assert "unknown nation `FRA`" in shown.stderr


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ((), {APPLIED, REFUSED, WAITING, RECALLED, DISPUTED}),
        (("--waiting",), {WAITING, RECALLED}),
        (("--recalls",), {RECALLED}),
        (("--disputed",), {DISPUTED}),
    ],
    ids=["all", "waiting", "recalls", "disputed"],
)
def test_a_tool_gets_those_that_it_asks_for_as_json_lines(
    border: Border, option: tuple[str, ...], names: set[str]
) -> None:
    lines = [json.loads(line) for line in released(border, "list", *option).stdout.splitlines()]
    assert {each["id"] for each in lines} == names
    assert {each["partner"] for each in lines} == {border.partner}


def test_what_was_recalled_is_listed_with_the_value_that_our_own_record_has(border: Border) -> None:
    own = an_indicator(id=RECALLED, type="file-sha256", value=SHA256[3])
    border.put(border.here, topics.NATIONAL, [(RECALLED.encode(), border.codec.encode(INDICATOR, own))])
    [line] = released(border, "list", "--recalls").stdout.splitlines()
    recalled = json.loads(line)
    assert (recalled["kind"], recalled["value"], recalled["reason"]) == ("recalled", SHA256[3], "marking-tightened")
