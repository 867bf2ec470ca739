"""What of a victim may be in a URL: found behind the host, however it is encoded; an ordinary URL has nothing of it."""

from base64 import b64encode

import pytest

from schemas.normalise.url import canonical_url
from schemas.vocabulary import IndicatorType
from streams.enrichment.local_query import has_local_query
from tests.streams.enrichment_builders import an_enricher

LOCAL = [
    "http://c2.example.com/gate.php?user=t.tanaka&pw=Spring2026&ip=10.0.0.5",
    "http://c2.example.com/in?id=7&host=WS-0042",
    "http://c2.example.com/in?Computer_Name=WS-0042",
    "http://c2.example.com/in?a=1;password=x",
    "http://c2.example.com/in?a=203.0.113.9",
    "http://c2.example.com/in?a=2001:db8::9",
    "http://c2.example.com/in?a=%32%30%33.0.113.9",
    "http://c2.example.com/192.168.1.5/in",
    "http://c2.example.com/in/srv01.corp.internal",
    "http://c2.example.com/in?d=srv01.hospital.local",
    "http://c2.example.com/in?m=00-1A-2B-3C-4D-5E",
    "http://phish.example.com/?e=victim@example.org",
    "http://phish.example.com/victim%40example.org",
    "http://phish.example.com/?x=victim%2540example.org",
    "http://phish.example.com/login/" + b64encode(b"victim@example.org").decode().rstrip("="),
    "http://c2.example.com/in?d=" + b64encode(b"user=tanaka&pw=Spring2026").decode(),
]
ORDINARY = [
    "http://c2.example.com/",
    "http://c2.example.com/a/b.php?id=7&v=1.2.3&x=",
    "http://203.0.113.9/jquery-3.4.1.min.js",
    "http://c2.example.com/lib/1.2.3.4/x.js",
    "http://c2.example.com/?q=bot&user=",
    "http://c2.example.com/update?version=10.0.19045&lang=ja",
    "http://c2.example.com/d/aGVsbG8gd29ybGQhIQ==",
]


@pytest.mark.parametrize("url", LOCAL)
def test_a_url_with_something_of_a_victim_is_found(url: str) -> None:
    spelled = canonical_url(url)
    assert isinstance(spelled, tuple)
    assert has_local_query(spelled[1])
    assert an_enricher().enrich(IndicatorType.URL, spelled[1]).local_query


@pytest.mark.parametrize("url", ORDINARY)
def test_an_ordinary_url_has_nothing_local(url: str) -> None:
    spelled = canonical_url(url)
    assert isinstance(spelled, tuple)
    assert not has_local_query(spelled[1])
