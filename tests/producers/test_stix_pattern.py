"""STIX patterns: which of their values are indicators on their own."""

import pytest

from producers.readers.stix_conjunction import Claim
from producers.readers.stix_pattern import MAX_PATTERN_LENGTH, Taken, Unusable, taken_of
from schemas.vocabulary import IndicatorType as Type

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MD5 = "098f6bcd4621d373cade4e832627b4f6"


@pytest.mark.parametrize(
    ("pattern", "claims"),
    [
        ("[ipv4-addr:value = '198.51.100.7']", [(Type.IPV4_ADDR, "198.51.100.7")]),
        ("[ ipv6-addr:value = '2001:db8::7' ]", [(Type.IPV6_ADDR, "2001:db8::7")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [(Type.IPV4_ADDR, "198.51.100.0/24")]),
        ("[domain-name:value='bad.example.com']", [(Type.DOMAIN_NAME, "bad.example.com")]),
        (r"[url:value = 'http://example.com/it\'s\\here']", [(Type.URL, r"http://example.com/it's\here")]),
        ("[email-addr:value = 'a@example.com']", [(Type.EMAIL_ADDR, "a@example.com")]),
        ("[autonomous-system:number = 64500]", [(Type.AUTONOMOUS_SYSTEM, "AS64500")]),
        (f"[file:hashes.'SHA-256' = '{SHA256}']", [(Type.FILE_SHA256, SHA256)]),
        (f"[file:hashes.sha256='{SHA256}']", [(Type.FILE_SHA256, SHA256)]),
        (f"[network-traffic:extensions.'tls-ext'.ja3 = '{MD5}']", [(Type.JA3, MD5)]),
        ("[file:name = '請求書.exe']", [(Type.FILE_NAME, "請求書.exe")]),
        (
            "[domain-name:value IN ('a.example', 'b.example')]",
            [(Type.DOMAIN_NAME, "a.example"), (Type.DOMAIN_NAME, "b.example")],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'bad.example']",
            [(Type.IPV4_ADDR, "198.51.100.7"), (Type.DOMAIN_NAME, "bad.example")],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value = 'bad.example']",
            [(Type.IPV4_ADDR, "198.51.100.7"), (Type.DOMAIN_NAME, "bad.example")],
        ),
        # All hashes of one file; its name is beside them.
        (
            f"[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-256' = '{SHA256}' AND file:name = 'a.exe']",
            [(Type.FILE_MD5, MD5), (Type.FILE_SHA256, SHA256)],
        ),
        (
            "[domain-name:value = 'bad.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
            [(Type.DOMAIN_NAME, "bad.example")],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
            [(Type.IPV4_ADDR, "198.51.100.7")],
        ),
        (
            "[(url:value = 'http://a.example/' OR url:value = 'http://b.example/') AND url:x_seen = true]",
            [(Type.URL, "http://a.example/"), (Type.URL, "http://b.example/")],
        ),
        (
            "[ipv4-addr:value = '198.51.100.7'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
            [(Type.IPV4_ADDR, "198.51.100.7", 1_767_225_600_000, 1_769_904_000_000)],
        ),
        ("[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value = '198.51.100.7']", [(Type.IPV4_ADDR, "198.51.100.7")]),
    ],
)
def test_a_pattern_claims_the_values_that_are_bad_by_themselves(pattern: str, claims: list[tuple[Type, str]]) -> None:
    taken = taken_of(pattern)
    assert isinstance(taken, Taken)
    assert taken.claims == tuple(Claim(*claim) for claim in claims)


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value != '198.51.100.7']",
        "[ipv4-addr:value NOT = '198.51.100.7']",
        "[domain-name:value LIKE '%.example']",
        "[domain-name:value MATCHES '^a']",
        "[process:name = 'evil']",
        "[app:id='com.example.app']",
        "[x509-certificate:issuer = 'CN=x' AND x509-certificate:serial_number = '1']",
    ],
)
def test_a_pattern_that_names_no_value_we_carry_reports_it(pattern: str) -> None:
    unusable = taken_of(pattern)
    assert isinstance(unusable, Unusable)
    assert unusable.is_readable
    assert "the pattern names no value" in unusable.detail


def test_a_value_of_a_type_that_is_not_carried_is_refused_with_its_path() -> None:
    unusable = taken_of("[artifact:hashes.MD5 = 'x' OR user-account:user_id = 'x']")
    assert isinstance(unusable, Unusable)
    assert unusable.detail.endswith("artifact:hashes.MD5, user-account:user_id")


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [domain-name:value = 'bad.example']",
        "[ipv4-addr:value = '198.51.100.7'] AND [domain-name:value = 'bad.example']",
        "[ipv4-addr:value = '198.51.100.7'] REPEATS 5 TIMES WITHIN 60 SECONDS",
    ],
)
def test_a_part_of_what_must_be_seen_together_is_no_indicator(pattern: str) -> None:
    unusable = taken_of(pattern)
    assert isinstance(unusable, Unusable)
    assert "together" in unusable.detail


@pytest.mark.parametrize(
    "pattern",
    ["", "198.51.100.7", "[ipv4-addr:value = ]", "[ipv4-addr:value = 'x'", "[" + "(" * 20_000, "x" * 70_000],
)
def test_what_is_no_pattern_is_unreadable_and_never_an_exception(pattern: str) -> None:
    unusable = taken_of(pattern)
    assert isinstance(unusable, Unusable)
    assert not unusable.is_readable


@pytest.mark.parametrize(
    ("pattern", "operator"),
    [
        ("[domain-name:value LIKE '%.example']", "LIKE"),
        ("[domain-name:value NOT LIKE '%.example']", "NOT LIKE"),
        ("[url:value MATCHES '^http']", "MATCHES"),
        ("[ipv4-addr:value ISSUPERSET '192.0.2.0/24']", "ISSUPERSET"),
        ("[domain-name:value NOT = 'a.example']", "NOT ="),
        ("[domain-name:value != 'a.example']", "!="),
        ("[domain-name:value NOT IN ('a.example', 'b.example')]", "NOT IN"),
        ("[autonomous-system:number >= 64496]", ">="),
        ("[EXISTS file:hashes.MD5]", "EXISTS"),
        ("[url:value MATCHES 'x' AND domain-name:value LIKE 'y']", "MATCHES, LIKE"),
        ("[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'http://a.example/']", "(FOLLOWEDBY)"),
        ("[domain-name:value = 'a.example'] AND [url:value = 'http://a.example/']", "(AND)"),
        ("[domain-name:value = 'a.example'] REPEATS 2 TIMES", "(REPEATS)"),
    ],
)
def test_an_operator_that_names_no_value_is_refused_by_its_name(pattern: str, operator: str) -> None:
    unusable = taken_of(pattern)
    assert isinstance(unusable, Unusable)
    assert unusable.is_readable
    assert f" {operator} is not supported" in unusable.detail or f" {operator}, and none" in unusable.detail
    assert unusable.kind in ("", f"pattern with {operator}")


def test_a_pattern_longer_than_the_limit_is_not_even_parsed() -> None:
    unusable = taken_of(f"[domain-name:value = '{'a' * MAX_PATTERN_LENGTH}']")
    assert isinstance(unusable, Unusable)
