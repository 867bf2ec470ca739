"""Hashes, TLS fingerprints, AS numbers and file names."""

import pytest

from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType, RejectReason

MD5, SHA1, SHA256, SHA512 = (
    IndicatorType.FILE_MD5,
    IndicatorType.FILE_SHA1,
    IndicatorType.FILE_SHA256,
    IndicatorType.FILE_SHA512,
)
JA3, JA4, ASN, NAME = (
    IndicatorType.JA3,
    IndicatorType.JA4,
    IndicatorType.AUTONOMOUS_SYSTEM,
    IndicatorType.FILE_NAME,
)
DIGITS = "0123456789abcdef"


@pytest.mark.parametrize(("kind", "length"), [(MD5, 2), (JA3, 2), (SHA256, 4), (SHA512, 8)])
@pytest.mark.parametrize("form", ["{}", " {}\n", "{}\u00a0", '"{}"', "{},", "\ufeff{}"])
def test_a_hash_is_in_lower_case_without_what_surrounds_it(kind: IndicatorType, length: int, form: str) -> None:
    assert canonical(kind, form.format(DIGITS.upper() * length)) == (kind, DIGITS * length)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (MD5, DIGITS * 4, "looks like a SHA-256"),
        (SHA1, DIGITS * 2, "looks like an MD5"),
        (SHA256, DIGITS * 4 + "0", "this has 65"),
        (MD5, DIGITS + "0123456789abcdeg", "hexadecimal digits only"),
        (MD5, "01 23 45 67 89 ab cd ef 01 23 45", "hexadecimal digits only"),
        (MD5, DIGITS + "０" * 16 + "é", "hexadecimal digits only"),
        (JA3, "769,47-53,0-10,23,0", "hexadecimal digits only"),
        (JA4, "t13d1516h2_8daaf6152771", "JA4"),
        (JA4, "x13d1516h2_8daaf6152771_b186095e22b6", "JA4"),
        (JA4, "t99d1516h2_8daaf6152771_b186095e22b6", "JA4"),
        (JA4, "t13d15x6h2_8daaf6152771_b186095e22b6", "JA4"),
        (JA4, "t13d1516h-_8daaf6152771_b186095e22b6", "JA4"),
        (JA4, "t13d1516h2_8daaf615277g_b186095e22b6", "JA4"),
        (JA4, "t13d1516日2_8daaf6152771_b186095e22b6", "JA4"),
        (ASN, "AS0", "from 1"),
        (ASN, "4294967296", "from 1"),
        (ASN, "1.65536", "from 1"),
        (ASN, "AS", "not an AS number"),
        (ASN, "-1", "not an AS number"),
        (ASN, "1.2.3", "not an AS number"),
        (ASN, "AS64500 EXAMPLE-NET", "not an AS number"),
        (ASN, "9" * 5000, "not an AS number"),
        (ASN, "٦٤٥٠٠", "not an AS number"),
        (NAME, "C:\\Users\\someone\\", "no file name"),
        (NAME, "/srv/..", "no file name"),
        (NAME, "a\x00b.exe", "control character"),
        (NAME, "a\x1bb.exe", "control character"),
        (NAME, "a" * 252 + ".exe", "longer than 255"),
        (NAME, "あ" * 84 + ".exe", "longer than 255"),
        (NAME, "[" * 40 + "." + "]" * 40, "many times"),
    ],
)
def test_what_is_none_of_its_type_is_refused_in_words(kind: IndicatorType, value: str, words: str) -> None:
    refusal = canonical(kind, value)
    assert isinstance(refusal, Invalid)
    assert refusal.reason is RejectReason.INVALID_VALUE
    assert words in refusal.detail


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("t13d1516h2_8daaf6152771_b186095e22b6", "t13d1516h2_8daaf6152771_b186095e22b6"),
        (" T13D1516h2_8DAAF6152771_B186095E22B6 ", "t13d1516h2_8daaf6152771_b186095e22b6"),
        ("q13i0310H3_55b375c5d22e_000000000000", "q13i0310H3_55b375c5d22e_000000000000"),
        ("dd2d010200_55b375c5d22e_cd85d2d88918", "dd2d010200_55b375c5d22e_cd85d2d88918"),
    ],
)
def test_a_ja4_keeps_the_case_of_its_alpn_only(value: str, spelling: str) -> None:
    assert canonical(JA4, value) == (JA4, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("AS64500", "AS64500"),
        ("as64500", "AS64500"),
        ("64500", "AS64500"),
        ("ASN 64500", "AS64500"),
        ("AS064500", "AS64500"),
        ("1.10", "AS65546"),
        ("AS1[.]10", "AS65546"),
        ("0.64500", "AS64500"),
        ("4294967295", "AS4294967295"),
        ("ＡＳ６４５００", "AS64500"),
    ],
)
def test_an_as_number_has_one_spelling(value: str, spelling: str) -> None:
    assert canonical(ASN, value) == (ASN, spelling)


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("invoice.exe", "invoice.exe"),
        ("C:\\Users\\someone\\AppData\\Invoice.EXE", "Invoice.EXE"),
        ("/home/someone/.bashrc", ".bashrc"),
        ("C:/mixed\\dir/evil.dll", "evil.dll"),
        ("%TEMP%\\evil.dll", "evil.dll"),
        ('"C:\\Program Files\\evil.dll"', "evil.dll"),
        ("  evil.dll ", "evil.dll"),
        ("evil[.]dll", "evil.dll"),
        ("evil [dot] dll", "evil.dll"),
        ("evil (1).dll", "evil (1).dll"),
        ("(copy)", "(copy)"),
        ("か\u3099.exe", "が.exe"),
        ("請求書.exe", "請求書.exe"),
        ("invoice\u202efdp.exe", "invoice\u202efdp.exe"),
        ("evil\u200b.exe", "evil.exe"),
        ("あ" * 83 + ".exe", "あ" * 83 + ".exe"),
    ],
)
def test_a_file_name_is_the_last_part_of_its_path(value: str, spelling: str) -> None:
    assert canonical(NAME, value) == (NAME, spelling)


@pytest.mark.parametrize("kind", IndicatorType, ids=lambda kind: kind.label)
def test_a_value_of_a_megabyte_is_refused_for_its_length(kind: IndicatorType) -> None:
    for value in ("a" * 1_000_000, "\ud800" * 1_000_000, "é" * 1_000_000):
        refusal = canonical(kind, value)
        assert isinstance(refusal, Invalid)
        assert refusal.reason is RejectReason.VALUE_TOO_LONG
