"""Which values name something inside a network."""

import pytest

from schemas.local_values import is_local
from schemas.normalise import canonical, detect
from schemas.vocabulary import IndicatorType
from streams.enrichment.special_use import special_use_of_domain, special_use_of_ipv4

LOCAL = [
    "10.0.0.5", "172.31.255.1", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "0.1.2.3", "224.0.0.1",
    "255.255.255.255", "10.1.0.0/16", "8.0.0.0/6", "0.0.0.0/0", "192.0.0.0/8",
    "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "64:ff9b::a01:203", "2002:a01:203::", "2002:c0a8::/32",
    "64:ff9b:1::1", "2001:0:102:304:0:0:f5fe:fdfc", "fc00::/7", "::/0",
    "db.internal", "printer.local", "router.lan", "nas.home.arpa", "mail.corp", "c2.onion", "5.0.0.10.in-addr.arpa",
    "http://10.0.0.5/a", "http://db.internal/a", "http://[fd00::1]/a", "http://c2.example.com/?ip=10.0.0.5",
    "http://user:pw@192.168.0.1:8080/", "victim@mail.internal",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "192.0.2.1", "172.32.0.1", "100.128.0.1", "198.51.100.0/24", "2001:db8::1", "2606:4700::1111",
    "64:ff9b::808:808", "2002:808:808::", "2001:db8::/32",
    "c2.example.com", "internal.example.com", "local.example.com", "8.8.8.8.in-addr.arpa",
    "http://c2.example.com/v10.0.0.5.6", "http://c2.example.com/1.2.3.4", "a@example.com",
    "d41d8cd98f00b204e9800998ecf8427e",
]  # fmt: skip


def judged(words: str) -> bool:
    kind = detect(words) or IndicatorType.DOMAIN_NAME  # the public suffix list does not know all that is local
    found = canonical(kind, words)
    assert isinstance(found, tuple), words
    return is_local(*found)


@pytest.mark.parametrize("words", LOCAL)
def test_what_names_something_inside_a_network_is_local(words: str) -> None:
    assert judged(words)


@pytest.mark.parametrize("words", PUBLIC)
def test_what_is_on_the_public_internet_is_not_local(words: str) -> None:
    assert not judged(words)


@pytest.mark.parametrize("first", range(256))
def test_no_address_that_the_enrichment_calls_private_passes(first: int) -> None:
    """Two tables, written apart, that must not disagree on what harms."""
    harmless = {"", "documentation", "reserved"}
    for second in range(256):
        address = (first << 24) + (second << 16)
        if special_use_of_ipv4(address, address) not in harmless:
            assert is_local(IndicatorType.IPV4_ADDR, f"{first}.{second}.0.0")


@pytest.mark.parametrize("name", ["a.internal", "a.local", "a.home.arpa", "10.in-addr.arpa", "16.172.in-addr.arpa"])
def test_no_name_that_the_enrichment_calls_private_passes(name: str) -> None:
    assert special_use_of_domain(name) in {"private", "link-local"}
    assert is_local(IndicatorType.DOMAIN_NAME, name)
