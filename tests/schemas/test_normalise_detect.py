"""Guessing the type of a value in a list that does not say it."""

import pytest

from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

HEX = "0123456789abcdef"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("198.51.100.7", IndicatorType.IPV4_ADDR),
        ("198.51.100[.]7", IndicatorType.IPV4_ADDR),
        ("198.51.100.7:8080", IndicatorType.IPV4_ADDR),
        ("198.51.100.0/24", IndicatorType.IPV4_NET),
        ("198.51.100.7/32", IndicatorType.IPV4_ADDR),
        ("2001:db8::7", IndicatorType.IPV6_ADDR),
        ("2001:db8::/32", IndicatorType.IPV6_NET),
        ("example.com", IndicatorType.DOMAIN_NAME),
        ("Example[.]co[.]jp", IndicatorType.DOMAIN_NAME),
        ("example.com:8080", IndicatorType.DOMAIN_NAME),
        ("例え.jp", IndicatorType.DOMAIN_NAME),
        ("xn--r8jz45g.jp", IndicatorType.DOMAIN_NAME),
        ("example.duckdns.org", IndicatorType.DOMAIN_NAME),
        ("duckdns.org", IndicatorType.DOMAIN_NAME),
        ("example.onion", IndicatorType.DOMAIN_NAME),
        ("example.bit", IndicatorType.DOMAIN_NAME),
        ("login.example.sh", IndicatorType.DOMAIN_NAME),
        ("example.pl", IndicatorType.DOMAIN_NAME),
        ("example.md", IndicatorType.DOMAIN_NAME),
        ("http://example.com/x", IndicatorType.URL),
        ("hxxps://example[.]com", IndicatorType.URL),
        ("hxxp[:]//example[.]com", IndicatorType.URL),
        ("tcp://198.51.100.7:8080", IndicatorType.URL),
        ("http://invoice.zip/x", IndicatorType.URL),
        ("example.com/path", IndicatorType.URL),
        ("198.51.100.7/path", IndicatorType.URL),
        ("198.51.100.7:8080/path", IndicatorType.URL),
        (HEX * 2, IndicatorType.FILE_MD5),
        ((HEX * 3)[:40].upper(), IndicatorType.FILE_SHA1),
        (HEX * 4, IndicatorType.FILE_SHA256),
        (HEX * 8, IndicatorType.FILE_SHA512),
        ("someone@example.com", IndicatorType.EMAIL_ADDR),
        ("someone[at]example[.]com", IndicatorType.EMAIL_ADDR),
        ("AS64500", IndicatorType.AUTONOMOUS_SYSTEM),
        ("t13d1516h2_8daaf6152771_b186095e22b6", IndicatorType.JA4),
        ("update.exe", IndicatorType.FILE_NAME),
        ("C:\\ProgramData\\update.dll", IndicatorType.FILE_NAME),
        ("請求書.docx", IndicatorType.FILE_NAME),
    ],
)
def test_a_plain_value_shows_its_type(value: str, kind: IndicatorType) -> None:
    assert detect(value) is kind


@pytest.mark.parametrize(
    "value",
    [
        *("invoice.zip", "invoice.pdf.zip", "install.sh", "setup.py", "README.md", "clip.mov", "libfoo.so"),
        *("", " ", "localhost", "64500", "1.10", "3.14", "co.jp", "com", "e.g.", "Fake Donation Sites"),
        *("example.invalidtld", "*.example.com", "/path/only.php", "and/or", "text/plain", "07:01:24"),
        *(HEX, HEX + HEX + "0", "2018-01-02 10:00:00 UTC", "download update.exe", "mailto:", "file:///etc/passwd"),
        *("27e57d84-4310-4825-ab22-743c78b8f3aa", "http://", "a@b", "\ud800", "x" * 9000, "HKLM\\Software\\x"),
        r"www\.[a-z]{2}\-[a-z]{2,3}\.(top|club)$",
    ],
)
def test_a_doubtful_value_is_not_guessed(value: str) -> None:
    assert detect(value) is None


@pytest.mark.parametrize(
    "text",
    [
        *("198.51.100.0/33", "198.51.100.0/024", "198.51.100.0/24/24", "198.51.100.1/198.51.100.9", "198.51.100.7/tcp"),
        *("198.51.100.0/24 botnet range", "198.51.100.0 / 24", "198.51.100.7/443", "198.51.100.0/24-32"),
        *("/gate.php", "/gate.php?u=http://198.51.100.7/x", "example.com/a and more"),
    ],
)
def test_a_network_that_is_written_wrongly_and_a_path_without_a_host_are_not_urls(text: str) -> None:
    assert detect(text) is None


@pytest.mark.parametrize("text", ["198.51.100.7/1/webpanel/login.php", "198.51.100.7/24/panel.php", "example.com/1/2"])
def test_a_path_that_begins_with_a_number_is_a_path(text: str) -> None:
    assert detect(text) is IndicatorType.URL
