"""Addresses and networks: one spelling, and the type that the value itself has."""

import pytest

from schemas.normalise import Invalid, canonical, normalise
from schemas.vocabulary import IndicatorType, RejectReason

V4, V6, NET4, NET6 = (
    IndicatorType.IPV4_ADDR,
    IndicatorType.IPV6_ADDR,
    IndicatorType.IPV4_NET,
    IndicatorType.IPV6_NET,
)
ALL_FOUR = (V4, V6, NET4, NET6)


@pytest.mark.parametrize(
    ("value", "kind", "spelling"),
    [
        ("198.51.100.7", V4, "198.51.100.7"),
        ("198.51.100[.]7", V4, "198.51.100.7"),
        ("198[.]51[.]100[.]7", V4, "198.51.100.7"),
        ("198.51.100.[.]7", V4, "198.51.100.7"),
        ("198(.)51{.}100[dot]7", V4, "198.51.100.7"),
        ("１９８．５１．１００．７", V4, "198.51.100.7"),
        ("198。51。100。7", V4, "198.51.100.7"),
        (' "198.51.100.7",', V4, "198.51.100.7"),
        ("198.51.100.7.", V4, "198.51.100.7"),
        ("\ufeff198.51.100.7\u200b\u00a0", V4, "198.51.100.7"),
        ("198.51.100.7:8080", V4, "198.51.100.7"),
        ("[2001:db8::7]:8080", V6, "2001:db8::7"),
        ("10.0.0.1", V4, "10.0.0.1"),
        ("127.0.0.1", V4, "127.0.0.1"),
        ("2001:DB8:0:0:0:0:0:7", V6, "2001:db8::7"),
        ("2001:0db8:0000:0001:0000:0000:0000:0007", V6, "2001:db8:0:1::7"),
        ("[2001:db8::7]", V6, "2001:db8::7"),
        ("2001[:]db8[:][:]7", V6, "2001:db8::7"),
        ("2001:db8[::]7", V6, "2001:db8::7"),
        ("::ffff:198.51.100.7", V4, "198.51.100.7"),
        ("::ffff:c633:6407", V4, "198.51.100.7"),
        ("64:ff9b::198.51.100.7", V6, "64:ff9b::c633:6407"),
        ("198.51.100.7/24", NET4, "198.51.100.0/24"),
        ("198.51.100[.]0/24", NET4, "198.51.100.0/24"),
        ("198.51.100.7/32", V4, "198.51.100.7"),
        ("0.0.0.0/0", NET4, "0.0.0.0/0"),
        ("2001:db8::7/32", NET6, "2001:db8::/32"),
        ("[2001:db8::]/32", NET6, "2001:db8::/32"),
        ("2001:db8::7/128", V6, "2001:db8::7"),
        ("::ffff:198.51.100.7/120", NET4, "198.51.100.0/24"),
        ("::ffff:198.51.100.7/128", V4, "198.51.100.7"),
        ("::/0", NET6, "::/0"),
    ],
)
@pytest.mark.parametrize("claimed", ALL_FOUR, ids=lambda kind: kind.label)
def test_an_address_has_one_spelling_and_its_own_type(
    claimed: IndicatorType, value: str, kind: IndicatorType, spelling: str
) -> None:
    assert canonical(claimed, value) == (kind, spelling)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("198.51.100.07", "octal"),
        ("0198.51.100.7", "octal"),
        ("198.51.100", "four numbers"),
        ("198.51.100.256", "four numbers"),
        ("198.51.100.7.9", "four numbers"),
        ("198.51.100.7²", "four numbers"),
        ("0xc6.51.100.7", "four numbers"),
        ("3325256711", "four numbers"),
        ("198.51.100.*", "four numbers"),
        ("198.51.100.1-198.51.100.9", "four numbers"),
        ("example.com", "four numbers"),
        ("07:01:24", "not an IPv6 address"),
        ("2001:db8:100f:f0", "not an IPv6 address"),
        ("2001:db8::7::1", "not an IPv6 address"),
        ("fe80::1%eth0", "zone"),
        ("fe80::1%25eth0/64", "zone"),
        ("198.51.100.0/33", "prefix"),
        ("198.51.100.0/024", "prefix"),
        ("198.51.100.0/", "prefix"),
        ("198.51.100.0/255.0.255.0", "prefix"),
        ("198.51.100.0/0.0.0.255", "prefix"),
        ("198.51.100.0/255.255.255.00", "prefix"),
        ("2001:db8::/255.255.255.0", "prefix"),
        ("2001:db8::/129", "prefix"),
        ("198.51.100.7:99999", "port"),
        ("http://198.51.100.7/", "URL"),
        ("198.51.100.7\n198.51.100.8", "control character"),
        ("\udca0198.51.100.7", "encoding"),
        ("", "empty"),
        ('""', "empty"),
        (" \u200b ", "empty"),
    ],
)
def test_what_is_no_address_is_refused_in_words(value: str, words: str) -> None:
    refusal = canonical(V4, value)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is RejectReason.INVALID_VALUE
    assert words in refusal.detail


def test_a_network_of_one_address_cannot_be_normalised_as_a_network() -> None:
    assert normalise(NET4, "198.51.100.7/24") == "198.51.100.0/24"
    refusal = normalise(NET4, "198.51.100.7/32")
    assert isinstance(refusal, Invalid)
    assert "ipv4-addr" in refusal.detail


@pytest.mark.parametrize(
    ("mask", "length"),
    [("255.255.255.0", 24), ("255.255.254.0", 23), ("255.0.0.0", 8), ("255.255.255.255", 32), ("255.255.255.128", 25)],
)
def test_a_mask_of_contiguous_bits_is_a_prefix_length(mask: str, length: int) -> None:
    assert canonical(IndicatorType.IPV4_NET, f"198.51.100.7/{mask}") == canonical(
        IndicatorType.IPV4_NET, f"198.51.100.7/{length}"
    )
