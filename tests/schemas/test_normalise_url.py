"""URLs: the URL Standard's spelling, what is dropped and what is left alone."""

import pytest

from schemas.normalise import MAX_RAW_LENGTH, MAX_VALUE_LENGTH, Invalid, canonical
from schemas.vocabulary import IndicatorType, RejectReason

URL = IndicatorType.URL


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("http://example.com/", "http://example.com/"),
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com/Path", "http://example.com/Path"),
        ("http://example.com:80/", "http://example.com/"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com:8080", "http://example.com:8080/"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/a/%2e%2E/c", "http://example.com/c"),
        ("http:\\\\example.com\\path", "http://example.com/path"),
        ("http://198.51.100.7/x", "http://198.51.100.7/x"),
        ("http://0xc6336407/x", "http://198.51.100.7/x"),
        ("http://[2001:DB8:0::7]:8080/x", "http://[2001:db8::7]:8080/x"),
        ("http://[::1]/", "http://[::1]/"),
        ("http://[::]/", "http://[::]/"),
        ("http://localhost/x", "http://localhost/x"),
        ("http://example.com./x", "http://example.com./x"),
        ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://example.com/ドコモ.apk", "http://example.com/%E3%83%89%E3%82%B3%E3%83%A2.apk"),
        ("http://example.com/a b.exe", "http://example.com/a%20b.exe"),
        ("http://example.com/a%20(1).zip", "http://example.com/a%20(1).zip"),
        ("https://example.com/frz(1).zip", "https://example.com/frz(1).zip"),
        ("https://example.com/?q=+1-(888)-555", "https://example.com/?q=+1-(888)-555"),
        ("http://example.com/path.", "http://example.com/path."),
        ("http://example.com/?q=[.]&r=(dot)", "http://example.com/?q=[.]&r=(dot)"),
        ("http://example.com/[at]/{.}", "http://example.com/[at]/%7B.%7D"),
    ],
)
def test_a_url_is_spelt_by_the_url_standard(value: str, spelling: str) -> None:
    assert canonical(URL, value) == (URL, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("hxxp://example.com/x", "http://example.com/x"),
        ("hXXps://example.com/x", "https://example.com/x"),
        ("h**p://example.com/x", "http://example.com/x"),
        ("fxp://example.com/x", "ftp://example.com/x"),
        ("hxxps://example[.]com/a[.]php?b[.]c", "https://example.com/a.php?b.c"),
        ("http://example[.]com/x", "http://example.com/x"),
        ("hxxp://example.com/a[.]php", "http://example.com/a.php"),
        ("hxxp[:]//example(.)com[/]x", "http://example.com/x"),
        ("https[://]example{.}com/x", "https://example.com/x"),
        ("http:\\/\\/example.com\\/x", "http://example.com/x"),
        ("http://example\\.com/x", "http://example.com/x"),
        ("hxxp://198[.]51[.]100[.]7:8080/x", "http://198.51.100.7:8080/x"),
        ("hxxp://[2001[:]db8[:][:]7]/x", "http://[2001:db8::7]/x"),
        ("ｈｔｔｐ：／／example．com／ＡＢ", "http://example.com/%EF%BC%A1%EF%BC%A2"),
        ("http://example。com/", "http://example.com/"),
        ('"http://example.com/x"', "http://example.com/x"),
        ("<http://example.com/x>", "http://example.com/x"),
        ("(http://example.com/x).", "http://example.com/x"),
        ("「http://example.com/x」。", "http://example.com/x"),
        ("http://example.com/x」", "http://example.com/x"),
        ('http://example.com/x"', "http://example.com/x"),
        ("http://exa\u200bmple.com/x\u200b", "http://example.com/x"),
        (" http://example.com/x\t\t", "http://example.com/x"),
    ],
)
def test_a_defanged_url_is_taken_back(value: str, spelling: str) -> None:
    assert canonical(URL, value) == (URL, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("https://example.com/x#someone@example.org", "https://example.com/x"),
        ("https://example.com/x#", "https://example.com/x"),
        ("https://bank.example@example.com/", "https://example.com/"),
        ("ftp://someone:secret@example.com/x", "ftp://example.com/x"),
        ("https://:@example.com/", "https://example.com/"),
        ("https://example.com/someone@example.org", "https://example.com/someone@example.org"),
        ("https://example.com/?", "https://example.com/?"),
    ],
)
def test_fragment_and_credentials_are_dropped_and_nothing_else(value: str, spelling: str) -> None:
    assert canonical(URL, value) == (URL, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("example.com/path", "http://example.com/path"),
        ("example.com", "http://example.com/"),
        ("example[.]com/path", "http://example.com/path"),
        ("Example.com:8080/Path", "http://example.com:8080/Path"),
        ("198.51.100.7:443", "http://198.51.100.7:443/"),
        ("//example.com/path", "http://example.com/path"),
        ("example.com/x://y", "http://example.com/x://y"),
        ("tcp://EXAMPLE.com:443", "tcp://example.com:443"),
        ("ldap://例え.テスト:389/a", "ldap://xn--r8jz45g.xn--zckzah:389/a"),
        ("stratum+tcp://pool.example.com:3333", "stratum+tcp://pool.example.com:3333"),
        ("udp://[2001:DB8::7]:53", "udp://[2001:db8::7]:53"),
        ("wss://example.com:443/ws", "wss://example.com/ws"),
    ],
)
def test_other_schemes_and_none_have_one_spelling_too(value: str, spelling: str) -> None:
    assert canonical(URL, value) == (URL, spelling)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://example.com/a/b…", "ellipsis"),
        ("http://example[.]com/…", "ellipsis"),
        ("http://example.com/a[...]", "ellipsis"),
        ("https://example.com/●●●」というsmsで", "closing bracket"),
        ("http://", "no host"),
        ("http:///", "no host"),
        ("http://exa mple.com/", "no host"),
        ("http://a..example/", "no host"),
        ("http://exa$mple.com/", "no host"),
        ("http://example.com:99999/", "no host"),
        ("http://198.51.100.256/", "no host"),
        ("http://[fe80::1%25eth0]/", "no host"),
        (f"http://{'a' * 64}.example/", "no host"),
        ("tcp:///path", "no host"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("javascript:alert(1)", "without a scheme"),
        ("data:text/html,x", "without a scheme"),
        ("mailto:someone@example.com", "without a scheme"),
        ("someone@example.com/x", "without a scheme"),
        ("just words", "without a scheme"),
        ("intranet/path", "without a scheme"),
        ("/path/only.php", "without a scheme"),
        ("3325256711", "without a scheme"),
        ("07:01:24", "without a scheme"),
        ("http://a.example/\nhttp://b.example/", "control character"),
        ("http://example.com/\ud800", "encoding"),
    ],
)
def test_what_is_no_url_is_refused_in_words(value: str, words: str) -> None:
    refusal = canonical(URL, value)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is RejectReason.INVALID_VALUE
    assert words in refusal.detail


def test_a_url_is_as_long_as_the_limit_and_no_longer() -> None:
    longest = "http://example.com/".ljust(MAX_VALUE_LENGTH, "a")
    assert canonical(URL, longest) == (URL, longest)
    for too_long in (longest + "a", "http://example.com/" + "日" * 300, "a" * (MAX_RAW_LENGTH + 1)):
        refusal = canonical(URL, too_long)
        assert isinstance(refusal, Invalid)
        assert refusal.reason is RejectReason.VALUE_TOO_LONG
    assert canonical(URL, longest + "#" + "a" * 4000) == (URL, longest)


@pytest.mark.parametrize(
    "text",
    [
        "/gate.php",
        "/gate.php?u=http://198.51.100.7/x",
        "http:///gate.php",
        "http:/gate.php",
        "///gate.php",
        "?a=b.example",
    ],
)
def test_a_path_without_a_host_has_no_host(text: str) -> None:
    assert isinstance(canonical(IndicatorType.URL, text), Invalid)
