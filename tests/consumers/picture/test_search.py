"""What a filter finds: the database and the filter itself agree, and every part of a filter works as documented."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.picture.filters import EVERY_STATE, Filter
from consumers.picture.picture import Picture
from consumers.picture.words import contains
from consumers.subscription.changes import State
from tests.builders import DAY_MS, HOUR_MS, NOW_MS
from tests.consumers.picture.topics import TopicInMemory, World

ADDRESSES = {
    "192.0.2.7": "ipv4-addr",
    "192.0.2.64/26": "ipv4-net",
    "192.0.2.0/24": "ipv4-net",
    "192.0.0.0/16": "ipv4-net",
    "198.51.100.1": "ipv4-addr",
    "2001:db8::1": "ipv6-addr",
    "2001:db8::/32": "ipv6-net",
    "2001:db8:1::/48": "ipv6-net",
}


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    world = World(tmp_path_factory.mktemp("home"), GBR=TopicInMemory(), JPN=TopicInMemory("indicator.national.v1"))
    for number, (value, kind) in enumerate(ADDRESSES.items()):
        world.gbr.release(value, kind, at_ms=NOW_MS + number, content={"labels": [], "confidence": -1})
    world.gbr.release(
        "c2.bad-site.example",
        content={
            "labels": ["Botnet:Quartz", "attack.t1566.001"],
            "confidence": 40,
            "tlp": "TLP:CLEAR",
            "tearline": "標的型攻撃の不正通信先",
            "last_seen_ms": NOW_MS - DAY_MS,
        },
    )
    world.gbr.release(
        "http://c2.bad-site.example/login.php", "url", content={"labels": ["phishing"], "tlp": "TLP:AMBER"}
    )
    world.gbr.release("old.example", at_ms=NOW_MS - 9 * DAY_MS, content={"valid_until_ms": NOW_MS - HOUR_MS})
    gone = world.gbr.release("gone.example")
    world.topics["JPN"].own("c2.bad-site.example", labels=["t1071"], confidence=90)
    world.topics["JPN"].own("wrong.example", kind="revoked")
    world.catch_up()
    world.gbr.release("gone.example", record="recalled", version=NOW_MS + 1)
    world.catch_up()
    assert gone
    return world.picture()


def found(picture: Picture, **asked: Any) -> list[tuple[str, str]]:
    return sorted((each.value, each.origin) for each in picture.search(Filter(**asked)))


IN_AND_AROUND = ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.64/26", "192.0.2.7")
GBR_SITE, JPN_SITE = ("c2.bad-site.example", "GBR"), ("c2.bad-site.example", "JPN")
URL = ("http://c2.bad-site.example/login.php", "GBR")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"value": "c2.bad-site.example"}, [GBR_SITE, JPN_SITE]),
        ({"value": "C2.bad-site.example"}, []),
        ({"prefix": "c2."}, [GBR_SITE, JPN_SITE]),
        ({"prefix": "http"}, [URL]),
        ({"prefix": "%"}, []),
        ({"value": "c2.bad-site.example", "origins": frozenset({"JPN"})}, [JPN_SITE]),
        ({"types": frozenset({"url"})}, [URL]),
        ({"types": frozenset({"url", "domain-name"}), "confidence": 90}, [JPN_SITE]),
        ({"confidence": 41}, [JPN_SITE, URL]),
        ({"labels": ("botnet:quartz",)}, [GBR_SITE]),
        ({"labels": ("botnet",)}, []),
        ({"labels": ("botnet*",)}, [GBR_SITE]),
        ({"labels": ("botnet*", "phishing")}, []),
        ({"techniques": ("T1566",)}, [GBR_SITE]),
        ({"techniques": ("t1566.001",)}, [GBR_SITE]),
        ({"techniques": ("T1566.002",)}, []),
        ({"techniques": ("T1071",)}, [JPN_SITE]),
        ({"ceiling": "TLP:CLEAR"}, [GBR_SITE]),
        ({"ceiling": "TLP:GREEN", "prefix": "c2"}, [GBR_SITE, JPN_SITE]),
        ({"seen_until_ms": NOW_MS - 3 * HOUR_MS}, []),
        ({"seen_since_ms": NOW_MS - 2 * HOUR_MS, "prefix": "c2"}, [JPN_SITE]),
        ({"states": frozenset({State.ENDED})}, [("old.example", "GBR")]),
        ({"states": frozenset({State.REVOKED})}, [("wrong.example", "JPN")]),
        ({"states": frozenset({State.RECALLED})}, []),
        ({"since_ms": NOW_MS + 1}, [(value, "GBR") for value in sorted(list(ADDRESSES)[1:])]),
        ({"text": "bad-site"}, [GBR_SITE, JPN_SITE, URL]),
        ({"text": "SITE.exam"}, [GBR_SITE, JPN_SITE, URL]),
        ({"text": "site login"}, [URL]),
        ({"text": "quartz"}, [GBR_SITE]),
        ({"text": "不正通信"}, [GBR_SITE]),
        ({"text": "通信不正"}, []),
        ({"text": "gone"}, []),
        ({"text": '" OR * NEAR('}, []),
        ({"text": "...", "prefix": "c2"}, [GBR_SITE, JPN_SITE]),
        ({"cidr": "192.0.2.7"}, [(each, "GBR") for each in ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.7")]),
        ({"cidr": "192.0.2.0/25"}, [(each, "GBR") for each in IN_AND_AROUND]),
        ({"cidr": "203.0.113.0/24"}, []),
        ({"cidr": "2001:db8:1::5"}, [(each, "GBR") for each in ("2001:db8:1::/48", "2001:db8::/32")]),
        ({"cidr": "::/0"}, [(each, "GBR") for each in ("2001:db8:1::/48", "2001:db8::/32", "2001:db8::1")]),
        ({"cidr": "no address"}, []),
    ],
)  # fmt: skip
def test_a_filter_finds(picture: Picture, asked: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(picture, **asked) == sorted(expected)


FILTERS = st.builds(
    Filter,
    origins=st.sampled_from([frozenset(), frozenset({"GBR"}), frozenset({"JPN", "FRA"})]),
    types=st.frozensets(st.sampled_from(["url", "ipv4-addr", "ipv4-net", "domain-name", "nonsense"]), max_size=2),
    states=st.frozensets(st.sampled_from(list(State)), min_size=1),
    prefix=st.sampled_from(["", "1", "c2", "c2.bad-site.example", "h", "_", "\u00e9"]),
    cidr=st.sampled_from(["", *ADDRESSES, "0.0.0.0/0", "192.0.2.0/25", "::/0", "x"]),
    labels=st.lists(st.sampled_from(["phishing", "BOTNET*", "t1071", "*", "--", ""]), max_size=2).map(tuple),
    techniques=st.lists(st.sampled_from(["T1566", "t1566.001", "T1", "T1071"]), max_size=2).map(tuple),
    confidence=st.sampled_from([None, 0, 40, 80, 101]),
    ceiling=st.sampled_from(["", "TLP:CLEAR", "TLP:GREEN", "TLP:RED"]),
    since_ms=st.sampled_from([0, NOW_MS, NOW_MS + 3]),
    seen_since_ms=st.sampled_from([0, NOW_MS - 2 * HOUR_MS]),
    seen_until_ms=st.sampled_from([0, NOW_MS - 3 * HOUR_MS, NOW_MS]),
    text=st.sampled_from(["", "c2", "site.ex", "不正", "x", "標的", "t1566 bad"]) | st.text(max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FILTERS)
def test_the_database_finds_what_the_filter_lets_through_and_nothing_else(picture: Picture, filters: Filter) -> None:
    everything = list(picture.entries(Filter(states=EVERY_STATE)))
    expected = sorted(each.added_us for each in everything if filters.matches(each))
    assert sorted(each.added_us for each in picture.search(filters)) == expected
    assert sorted(each.added_us for each in picture.entries(filters)) == expected


def test_entries_come_in_the_order_of_ids_with_the_nation_first(picture: Picture) -> None:
    entries = list(picture.entries(Filter(states=EVERY_STATE)))
    assert [each.id for each in entries] == sorted(each.id for each in entries)
    site = [each.origin for each in entries if each.value == "c2.bad-site.example"]
    assert site == ["JPN", "GBR"]


def test_the_latest_received_comes_first_and_a_limit_ends(picture: Picture) -> None:
    received = [each.received_ms for each in picture.search(Filter())]
    assert received == sorted(received, reverse=True)
    assert len(list(picture.search(Filter(), 3))) == 3


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 32))
def test_containment_is_that_of_the_standard_library(number: int, one: int, other: int) -> None:
    from consumers.picture.address import holding, place_of, places_in, related
    from schemas.normalise import Invalid, canonical
    from schemas.vocabulary import IndicatorType

    inner = ip_network((number, max(one, other)), strict=False)
    outer = ip_network((number, min(one, other)), strict=False)
    spelled = canonical(IndicatorType.IPV4_NET, str(inner))
    assert not isinstance(spelled, Invalid)
    first, last = places_in(outer)
    place = place_of(spelled[0].label, spelled[1])
    assert _between(first, place, last)
    assert canonical(IndicatorType.IPV4_NET, str(outer)) in list(holding(inner))
    assert related(spelled[1], outer)
    assert related(str(outer), inner)
    sibling = ip_network((number ^ 1 << 31, max(one, other)), strict=False)
    assert related(str(sibling), inner) == (inner.overlaps(sibling))


def _between(first: object, place: object, last: object) -> bool:
    assert isinstance(first, int)
    assert isinstance(place, int)
    assert isinstance(last, int)
    return first <= place <= last


@given(st.text(max_size=20), st.text(max_size=6))
def test_words_are_found_where_they_are(text: str, asked: str) -> None:
    assert contains([text], text)
    if not asked.split():
        assert contains([text], asked)
