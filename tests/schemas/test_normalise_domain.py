"""Domain names and the domains of email addresses."""

import pytest

from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType, RejectReason

DOMAIN = IndicatorType.DOMAIN_NAME
EMAIL = IndicatorType.EMAIL_ADDR


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("example.com", "example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("example.com.", "example.com"),
        ("example[.]com", "example.com"),
        ("example(dot)com", "example.com"),
        ("example{.}com", "example.com"),
        ("example [DOT] com", "example.com"),
        ("example[.com", "example.com"),
        ("example.]com", "example.com"),
        ("example\\.com", "example.com"),
        ("exa\u200bmple.com", "example.com"),
        ("exa\u00admple.com", "example.com"),
        ("\u202eexample.com", "example.com"),
        ("ex\u200dample.com", "example.com"),
        ("'example.com'", "example.com"),
        ("<example.com>;", "example.com"),
        ("(example[.]com).", "example.com"),
        ("「example.com」", "example.com"),
        ("・example.com、", "example.com"),
        ("example．com", "example.com"),
        ("example。com", "example.com"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("example.com:8080", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("login_pro.example.com", "login_pro.example.com"),
        ("r3---sn.example.com", "r3---sn.example.com"),
        ("a-.example.com", "a-.example.com"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ドコモ.example.jp", "xn--tck0b2d.example.jp"),
        ("ﾄﾞｺﾓ.example.jp", "xn--tck0b2d.example.jp"),
        ("XN--R8JZ45G.XN--ZCKZAH", "xn--r8jz45g.xn--zckzah"),
        ("faß.example", "xn--fa-hia.example"),
        ("i❤.example", "xn--i-7iq.example"),
        ("xn--i-7iq.example", "xn--i-7iq.example"),
        ("نامه\u200cای.example", "xn--mgba3gch31f060k.example"),
        ("duckdns.org", "duckdns.org"),
        ("co.jp", "co.jp"),
        ("identity.b32.i2p", "identity.b32.i2p"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
        (".".join(["a" * 61] * 4 + ["ab", "cd"]), ".".join(["a" * 61] * 4 + ["ab", "cd"])),
    ],
)
def test_a_domain_name_has_one_spelling(value: str, spelling: str) -> None:
    assert canonical(DOMAIN, value) == (DOMAIN, spelling)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("localhost", "two labels"),
        ("com", "two labels"),
        ("198.51.100.7", "number"),
        ("example.123", "number"),
        ("07:01:24", "only letters"),
        ("example..com", "empty label"),
        (".example.com", "empty label"),
        ("*.example.com", "wildcard"),
        ("http://example.com", "URL"),
        ("example.com/path", "URL"),
        ("someone@example.com", "email"),
        ("exam ple.com", "only letters"),
        ("free text, and a full stop. and more", "number"),
        ("exa$mple.com", "only letters"),
        (f"{'a' * 64}.example", "longer than 63"),
        (f"{'あ' * 60}.example", "longer than 63"),
        (".".join(["a" * 61] * 4 + ["abc", "cd"]), "longer than 253"),
        ("a." * 1000 + "example", "longer than 253"),
        ("xn--a.example", "Punycode"),
        ("xn--.example", "Punycode"),
        ("xn---bbk.example", "Punycode"),
        ("xn--example-.com", "Punycode"),
        ("xn--é.example", "Punycode"),
        ("\u0301a.example", "U+0301"),
        ("a\ue000.example", "U+E000"),
        ("אב1a.example", "directions"),
        ("例\u200dえ.example", "joiner"),
        ("exam\x00ple.com", "control character"),
        ("example.c", "at least two letters"),
        (r"^[a-z]{1}\-[a-z]{1,3}\.example$", "only letters"),
    ],
)
def test_what_is_no_domain_name_is_refused_in_words(value: str, words: str) -> None:
    refusal = canonical(DOMAIN, value)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is RejectReason.INVALID_VALUE
    assert words in refusal.detail


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("someone@example.com", "someone@example.com"),
        ("Some.One+tag@Example.COM", "some.one+tag@example.com"),
        ("someone[@]example[.]com", "someone@example.com"),
        ("someone [at] example [dot] com", "someone@example.com"),
        ("someone(at)example.com", "someone@example.com"),
        ("<someone@example.com>,", "someone@example.com"),
        ("mailto:someone@example.com", "someone@example.com"),
        ("someone＠example．com", "someone@example.com"),
        ("some..one.@example.jp", "some..one.@example.jp"),
        ("someone@例え.テスト", "someone@xn--r8jz45g.xn--zckzah"),
        ("山田@example.jp", "山田@example.jp"),
    ],
)
def test_an_email_address_has_one_spelling(value: str, spelling: str) -> None:
    assert canonical(EMAIL, value) == (EMAIL, spelling)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("example.com", "one @"),
        ("@example.com", "one @"),
        ("someone@", "one @"),
        ("a@b@example.com", "one @"),
        ("someone@localhost", "two labels"),
        ("someone@[192.0.2.1]", "number"),
        ("some one@example.com", "character"),
        ('"some one"@example.com', "character"),
        ("Someone <someone@example.com>", "character"),
        (f"{'a' * 65}@example.com", "longer than 64"),
        (f"{'山' * 22}@example.com", "longer than 64"),
        ("a{{.}}b@example.com", "more than once"),
        ("someone@example.com?subject=x", "only letters"),
    ],
)
def test_what_is_no_email_address_is_refused_in_words(value: str, words: str) -> None:
    refusal = canonical(EMAIL, value)
    assert isinstance(refusal, Invalid)
    assert words in refusal.detail
