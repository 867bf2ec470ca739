"""Obligations: read strictly, combined to the strictest, carried out on a copy."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Content
from streams.rules.obligations import carry_out, parse, strictest

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
NOW: Final = 20_000 * DAY + 5 * HOUR + 7
CONTENT: Final = Content(
    type="ipv4-addr",
    value="192.0.2.1",
    tlp="TLP:AMBER",
    pap="",
    releasable_to=["GBR", "JPN"],
    caveats=[],
    confidence=80,
    labels=[],
    first_seen_ms=NOW - 30 * HOUR,
    last_seen_ms=NOW,
    sightings=3,
    valid_until_ms=0,
    release_expires_ms=0,
    registered_domain="",
    asn=64496,
    country="GB",
)
KNOWN: Final = (
    "coarsen-time:hour",
    "coarsen-time:day",
    "expire-after-days:30",
    "expire-after-days:90",
    "pap-at-least:GREEN",
    "pap-at-least:AMBER",
    "name-only-partner",
    "drop-tearline",
)


def _after(*obligations: str, content: Content = CONTENT) -> Content:
    return carry_out(content, obligations, partner="JPN", released_at_ms=NOW)


def test_times_are_cut_down_to_the_hour_or_the_day() -> None:
    assert _after("coarsen-time:hour")["last_seen_ms"] == NOW - 7
    by_day = _after("coarsen-time:day")
    assert (by_day["first_seen_ms"], by_day["last_seen_ms"]) == (19_998 * DAY, 20_000 * DAY)


def test_a_release_ends_on_a_whole_day_and_never_later_than_it_would_have() -> None:
    assert _after("expire-after-days:30")["release_expires_ms"] == 20_031 * DAY
    sooner = Content(**{**CONTENT, "release_expires_ms": NOW + DAY})
    assert _after("expire-after-days:30", content=sooner)["release_expires_ms"] == NOW + DAY


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "PAP:AMBER"), ("PAP:CLEAR", "PAP:AMBER"), ("PAP:AMBER", "PAP:AMBER"), ("PAP:RED", "PAP:RED")],
)
def test_pap_is_raised_and_never_lowered(before: str, after: str) -> None:
    content = Content(**{**CONTENT, "pap": before})
    assert _after("pap-at-least:AMBER", content=content)["pap"] == after


def test_the_partner_is_the_only_recipient_named() -> None:
    assert _after("name-only-partner")["releasable_to"] == ["JPN"]


def test_a_tearline_is_released_unless_an_obligation_removes_it() -> None:
    written = Content(**{**CONTENT, "tearline": "for release"})
    assert _after("name-only-partner", content=written)["tearline"] == "for release"
    assert _after("drop-tearline", content=written) == CONTENT
    assert _after("drop-tearline") == CONTENT


@given(st.permutations(KNOWN), st.integers(0, len(KNOWN)))
def test_order_does_not_matter_and_the_original_stays_as_it_is(order: list[str], size: int) -> None:
    content = Content(**{**CONTENT, "tearline": "for release"})
    before = content.copy()
    assert _after(*order[:size], content=content) == _after(*sorted(order[:size]), content=content)
    assert before == content


def test_of_two_the_stricter_is_carried_out() -> None:
    several = [owed for text in KNOWN for owed in parse(text)]
    assert [str(owed) for owed in strictest(several)] == [
        "coarsen-time:day",
        "drop-tearline",
        "expire-after-days:30",
        "name-only-partner",
        "pap-at-least:AMBER",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "coarsen-time:minute",
        "coarsen-time",
        "expire-after-days:0",
        "expire-after-days:4000",
        "expire-after-days:-1",
        "expire-after-days:९",
        "pap-at-least:UNSTATED",
        "pap-at-least:PURPLE",
        "name-only-partner:JPN",
        "drop-tearline:JPN",
        "mask",
    ],
)
def test_an_unknown_obligation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unknown obligation"):
        parse(text)
    with pytest.raises(ValueError, match="unknown obligation"):
        _after(text)


def test_obligations_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="contradict"):
        parse("expire-after-days:30, expire-after-days:90")


@pytest.mark.parametrize("text", KNOWN)
def test_an_obligation_is_spelled_as_it_is_read(text: str) -> None:
    assert [str(owed) for owed in parse(f" {text} ,")] == [text]
