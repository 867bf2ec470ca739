"""Fingerprints of certificates, imphashes, user agents, mutexes and registry keys."""

import pytest

from schemas.identity import indicator_key
from schemas.normalise import Invalid, canonical, detect
from schemas.vocabulary import TYPES_OF_V3, IndicatorType

CERT1, CERT256, IMPHASH = IndicatorType.X509_SHA1, IndicatorType.X509_SHA256, IndicatorType.IMPHASH
AGENT, MUTEX, KEY = IndicatorType.USER_AGENT, IndicatorType.MUTEX, IndicatorType.REGISTRY_KEY
HEX = "0123456789abcdef"
SHA1, SHA256 = (HEX * 3)[:40], HEX * 4
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


def in_octets(digits: str, between: str) -> str:
    return between.join(digits[place : place + 2] for place in range(0, len(digits), 2))


@pytest.mark.parametrize(("kind", "digits"), [(CERT1, SHA1), (CERT256, SHA256)])
@pytest.mark.parametrize("between", ["", ":", " ", "-"])
def test_a_fingerprint_of_a_certificate_is_its_digits_in_lower_case(
    kind: IndicatorType, digits: str, between: str
) -> None:
    assert canonical(kind, in_octets(digits.upper(), between)) == (kind, digits)
    assert canonical(kind, f'"{in_octets(digits, between)}"') == (kind, digits)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("HKLM\\Software\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("hkey_local_machine\\SOFTWARE\\made-up\\", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("HKLM\\\\Software\\\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("HKLM:\\Software\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("Registry::HKEY_LOCAL_MACHINE\\Software\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("Computer\\HKEY_LOCAL_MACHINE\\Software\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("[HKEY_LOCAL_MACHINE\\Software\\Made-Up]", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("\\REGISTRY\\MACHINE\\Software\\Made-Up", "HKEY_LOCAL_MACHINE\\software\\made-up"),
        ("HKCU\\Software\\x y", "HKEY_CURRENT_USER\\software\\x y"),
        ("HKU\\.DEFAULT\\Software\\x", "HKEY_USERS\\.default\\software\\x"),
        ("HKU\\S-1-5-18\\Software\\x", "HKEY_USERS\\s-1-5-18\\software\\x"),
        ("HKU\\S-1-5-21-1004336348-1177238915-682003330-1001\\Software\\x", "HKEY_CURRENT_USER\\software\\x"),
        ("\\REGISTRY\\USER\\S-1-5-21-1-2-3-500_Classes\\x", "HKEY_CURRENT_USER\\software\\classes\\x"),
        ("HKU\\S-1-12-1-1-2-3-4\\x", "HKEY_CURRENT_USER\\x"),
        ("HKCR\\.abc", "HKEY_CLASSES_ROOT\\.abc"),
        ("HKCC\\x", "HKEY_CURRENT_CONFIG\\x"),
        ("HKLM\\Software\\ÄB", "HKEY_LOCAL_MACHINE\\software\\äb"),
        ("HKLM\\Software\\İ\u212a", "HKEY_LOCAL_MACHINE\\software\\İ\u212a"),  # not i, not k: they are other keys
        ("HKLM\\Software\\a/b", "HKEY_LOCAL_MACHINE\\software\\a/b"),
    ],
)
def test_a_registry_key_has_its_hive_in_full_no_account_and_one_case(value: str, spelling: str) -> None:
    assert canonical(KEY, value) == (KEY, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("made-up", "made-up"),
        ("Made-Up {00000000-0000-4000-8000-000000000001}", "Made-Up {00000000-0000-4000-8000-000000000001}"),
        ("Global\\made-up", "Global\\made-up"),
        ("Global\\\\made-up", "Global\\made-up"),
        ("Local\\made-up", "made-up"),
        ("global made-up", "global made-up"),
        ("\\BaseNamedObjects\\made-up", "Global\\made-up"),
        ("\\Sessions\\1\\BaseNamedObjects\\made-up", "made-up"),
        ("'made-up'", "made-up"),
        ("/var/run/made-up.lock", "/var/run/made-up.lock"),
        ("(made-up)", "(made-up)"),
        ("ミューテックス", "ミューテックス"),
    ],
)
def test_a_mutex_keeps_its_case_and_says_whether_all_sessions_see_it(value: str, spelling: str) -> None:
    assert canonical(MUTEX, value) == (MUTEX, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("made-up/1.0", "made-up/1.0"),
        ("  Made-Up/1.0  (x;  y) ", "Made-Up/1.0  (x;  y)"),
        ("User-Agent: made-up/1.0", "made-up/1.0"),
        ('"made-up/1.0"', "made-up/1.0"),
        ("(made-up)", "(made-up)"),
        ("bot (+hxxps://bad[.]example.com/x)", "bot (+https://bad.example.com/x)"),
        (CHROME, CHROME),
    ],
)
def test_a_user_agent_is_the_value_of_the_field_as_it_was_sent(value: str, spelling: str) -> None:
    assert canonical(AGENT, value) == (AGENT, spelling)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (CERT1, SHA256, "looks like a SHA-256"),
        (CERT1, in_octets(SHA1, ":")[:-1], "hexadecimal digits only"),
        (CERT256, "01:23-45" * 16, "hexadecimal digits only"),
        (IMPHASH, SHA1, "looks like a SHA-1"),
        (IMPHASH, in_octets(HEX * 2, ":"), "hexadecimal digits only"),
        (KEY, "HKLM", "whole hive"),
        (KEY, "HKU\\S-1-5-21-1-2-3-1001", "whole hive"),
        (KEY, "Software\\Microsoft", "begins with a hive"),
        (KEY, "MACHINE\\Software", "begins with a hive"),
        (KEY, "HKLM\\" + "a" * 256, "255 characters"),
        (KEY, "HKLM\\a\x00b", "control character"),
        (MUTEX, "Global\\", "nothing but its namespace"),
        (MUTEX, "a\\b", "no backslash"),
        (MUTEX, "Session\\1\\a", "no backslash"),
        (MUTEX, "a" * 261, "260 characters"),
        (AGENT, "User-Agent:", "no user agent"),
        (AGENT, "-", "no user agent"),
        (AGENT, "a\r\nX: y", "control character"),
    ],
)
def test_what_is_none_of_its_type_is_refused_with_what_it_should_be(
    kind: IndicatorType, value: str, words: str
) -> None:
    refusal = canonical(kind, value)
    assert isinstance(refusal, Invalid)
    assert words in refusal.detail


@pytest.mark.parametrize(
    "value", [SHA1, SHA256, HEX * 2, CHROME, "Global\\made-up", "HKLM\\Software\\made-up", "made-up"]
)
def test_none_of_them_is_guessed(value: str) -> None:
    assert detect(value) not in TYPES_OF_V3


def test_a_hash_of_a_file_and_the_same_digits_of_another_thing_are_two_indicators() -> None:
    for digits, kinds in (
        (SHA1, (IndicatorType.FILE_SHA1, CERT1)),
        (SHA256, (IndicatorType.FILE_SHA256, CERT256)),
        (HEX * 2, (IndicatorType.FILE_MD5, IndicatorType.JA3, IMPHASH)),
        ("made-up", (IndicatorType.FILE_NAME, MUTEX, AGENT)),
    ):
        assert len(
            {indicator_key(*spelled) for kind in kinds if isinstance(spelled := canonical(kind, digits), tuple)}
        ) == len(kinds)
