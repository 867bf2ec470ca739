"""Laws of normalisation, for every type and every string."""

import string
from ipaddress import IPv4Address, IPv6Address

import pytest
from ada_url import URL
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.normalise import MAX_RAW_LENGTH, MAX_VALUE_LENGTH, Invalid, canonical, detect, normalise
from schemas.normalise.address import canonical_address, spelled_address
from schemas.normalise.domain import canonical_domain, is_canonical_domain, spelled_domain
from schemas.normalise.fingerprint import HEX_DIGITS, spelled_hash
from schemas.normalise.url import canonical_url, spelled_url
from schemas.vocabulary import IndicatorType, RejectReason

KINDS = st.sampled_from(IndicatorType)
ADDRESS_KINDS = {
    IndicatorType.IPV4_ADDR,
    IndicatorType.IPV6_ADDR,
    IndicatorType.IPV4_NET,
    IndicatorType.IPV6_NET,
}
# All of Unicode, lone surrogates and unassigned code points too.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
# Pieces of indicators, of defanging and of nonsense: more telling than random characters.
PIECES = st.sampled_from(
    [
        *("http", "https", "hxxp", "hxxps", "ftp", "tcp", "://", "[://]", ":", "[:]", "//", "/", "\\", "\\.", "\\/"),
        *("example", "com", "jp", "EXAMPLE", "a", "A", "0", "1", "198", "51", "100", "7", "2001", "db8", "255", "01"),
        *(".", "..", "[.]", "(.)", "{.}", "[dot]", "(DOT)", "[.", ".]", "．", "。", "[", "]", "(", ")", "{", "}"),
        *("@", "[at]", "(at)", "[@]", "mailto:", "AS", "64500", "::", "%", "%2e", "%20", "?", "#", "&", "=", "-", "_"),
        *(" ", "\t", "\n", "\x00", "\u00a0", "\u200b", "\u200c", "\u200d", "\u202e", "\ufeff", "\u3000", "\u00ad"),
        *('"', "'", "`", "<", ">", ",", ";", "!", "…", "「", "」", "“", "”", "*", "|", "^", "xn--", "xn--wgv71a119e"),
        *("日本語", "ﾃｽﾄ", "テスト", "ß", "İ", "K", "`", "h", "H", "\u0331", "\u0301", "①", "２", "😀", "א", "ا"),
        *("\ud800", "\udca0"),
        *("/32", "/128", "/24", "/0", "::ffff:", "d41d8cd98f00b204e9800998ecf8427e", ".zip", ".exe", "t13d1516h2_"),
    ]
)  # fmt: skip
ODD_TEXT = st.lists(PIECES, max_size=14).map("".join)
TEXT = ANY_TEXT | ODD_TEXT

LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))
IPV4 = st.integers(0, 2**32 - 1).map(lambda number: str(IPv4Address(number)))
IPV6 = st.integers(2**100, 2**128 - 1).map(lambda number: str(IPv6Address(number)))
PATHS = st.text(string.ascii_letters + string.digits + "-._~/?=&%+:;,!$*@()[]'|^{} é日", max_size=40)
URLS = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["http", "https", "ftp", "tcp", "ldap"]),
    DOMAINS | IPV4,
    st.sampled_from(["", ":80", ":443", ":8080", ":065", ":99999"]),
    PATHS,
)


@given(KINDS, TEXT | URLS | DOMAINS | st.builds("{}{}{}".format, PIECES, URLS | DOMAINS | IPV4 | IPV6, ODD_TEXT))
@settings(max_examples=1500)
@example(IndicatorType.EMAIL_ADDR, "mailto:'a@example.com")
@example(IndicatorType.EMAIL_ADDR, "a{{.}}b@example.com")
@example(IndicatorType.EMAIL_ADDR, "H\u0331@example.com")
@example(IndicatorType.URL, "http://example.com/(...)#x")
@example(IndicatorType.URL, "http://example.com/?`#x")
@example(IndicatorType.FILE_NAME, 'a/"b[[.]]c"')
@example(IndicatorType.FILE_NAME, "\u1fefa\u1fef")
def test_a_canonical_value_is_accepted_again_and_stays_as_it_is(kind: IndicatorType, text: str) -> None:
    spelled = canonical(kind, text)
    if isinstance(spelled, Invalid):
        assert spelled.detail
        return
    assert canonical(*spelled) == spelled
    assert normalise(*spelled) == spelled[1]
    assert 0 < len(spelled[1]) <= MAX_VALUE_LENGTH
    assert spelled[1].encode()


@given(KINDS, TEXT)
@settings(max_examples=500)
def test_the_type_changes_among_addresses_and_networks_only(kind: IndicatorType, text: str) -> None:
    spelled = canonical(kind, text)
    if not isinstance(spelled, Invalid):
        assert spelled[0] == kind or {spelled[0], kind} <= ADDRESS_KINDS


@given(TEXT | DOMAINS | IPV4 | IPV6 | URLS)
@settings(max_examples=500)
def test_a_detected_type_is_the_one_the_value_normalises_to(text: str) -> None:
    kind = detect(text)
    if kind is not None:
        spelled = canonical(kind, text)
        assert not isinstance(spelled, Invalid)
        assert spelled[0] == kind
        if kind is not IndicatorType.FILE_NAME:
            assert detect(spelled[1]) == kind


@given(DOMAINS | TEXT | st.text(string.ascii_lowercase + "-_.x", max_size=30))
@settings(max_examples=500)
def test_the_short_cut_for_domains_agrees_with_the_long_way(text: str) -> None:
    assert canonical_domain(text) == spelled_domain(text)


@given(IPV4 | IPV6 | ODD_TEXT | st.text("0123456789.", max_size=16))
@settings(max_examples=500)
def test_the_short_cut_for_addresses_agrees_with_the_long_way(text: str) -> None:
    assert canonical_address(text) == spelled_address(text)


@given(URLS | ODD_TEXT | ODD_TEXT.map(lambda text: "http://" + text))
@settings(max_examples=1000)
def test_the_short_cut_for_urls_agrees_with_the_long_way(text: str) -> None:
    assert canonical_url(text) == spelled_url(text)


@given(st.sampled_from(sorted(HEX_DIGITS)), st.text("0123456789abcdefABCDEFg _", min_size=30, max_size=130))
def test_the_short_cut_for_hashes_agrees_with_the_long_way(kind: IndicatorType, text: str) -> None:
    text = text[: HEX_DIGITS[kind]]
    assert canonical(kind, text) == spelled_hash(kind, text)


@given(st.sampled_from(sorted(HEX_DIGITS)), st.data())
def test_a_hash_has_one_spelling(kind: IndicatorType, data: st.DataObject) -> None:
    digits = data.draw(st.text("0123456789abcdef", min_size=HEX_DIGITS[kind], max_size=HEX_DIGITS[kind]))
    for spelling in (digits, digits.upper(), f" {digits}\u00a0", f'"{digits}",'):
        assert canonical(kind, spelling) == (kind, digits)


@given(
    st.lists(
        st.text(
            st.characters(categories=["L", "M", "N", "So"]) | st.sampled_from("abz-_\u200c\u200d"),
            min_size=1,
            max_size=6,
        ),
        min_size=2,
        max_size=3,
    )
)
@settings(max_examples=500)
@example(["faß", "example"])
@example(["I❤", "example"])
@example(["אב", "example"])
@example(["न्\u200da", "example"])
def test_a_domain_is_spelt_as_the_host_of_its_url(labels: list[str]) -> None:
    name = ".".join(labels)
    spelled = canonical(IndicatorType.DOMAIN_NAME, name)
    url = canonical(IndicatorType.URL, f"http://{name}/")
    if not isinstance(spelled, Invalid) and not isinstance(url, Invalid):
        assert URL(url[1]).hostname.rstrip(".") == spelled[1]


DOTS = st.sampled_from(
    ["[.]", "(.)", "{.}", "[dot]", "(DOT)", "[Dot]", " [.] ", "[.", ".]", "\\.", "．", "。", "\u200b."]
)
WRAPS = st.sampled_from(["{}", " {}\t", '"{}"', "'{}'", "<{}>", "({})", "「{}」", "“{}”", "\ufeff{}", "`{}`,", "[{}]"])


@given(DOMAINS | IPV4, DOTS, WRAPS)
def test_defanging_a_name_or_address_changes_nothing(value: str, dot: str, wrap: str) -> None:
    kind = detect(value) or IndicatorType.DOMAIN_NAME
    assert canonical(kind, wrap.format(value.replace(".", dot))) == canonical(kind, value)


@given(IPV6, st.sampled_from(["[:]", "(:)", "：", "\u200b:"]), WRAPS)
def test_defanging_an_ipv6_address_changes_nothing(value: str, colon: str, wrap: str) -> None:
    assert canonical(IndicatorType.IPV6_ADDR, wrap.format(value.replace(":", colon))) == canonical(
        IndicatorType.IPV6_ADDR, value
    )


@given(
    st.sampled_from([("http", "hxxp"), ("https", "hXXps"), ("http", "h**p"), ("ftp", "fxp"), ("https", "https")]),
    DOMAINS | IPV4,
    DOTS,
    st.sampled_from(["://", "[://]", "[:]//", "(:)//", ":\\/\\/", "：／／"]),
    st.text(string.ascii_lowercase + "/-_?=&", max_size=20),
    WRAPS,
)
def test_defanging_a_url_changes_nothing(
    scheme: tuple[str, str], host: str, dot: str, separator: str, path: str, wrap: str
) -> None:
    defanged = wrap.format(f"{scheme[1]}{separator}{host.replace('.', dot)}/{path}")
    assert canonical(IndicatorType.URL, defanged) == canonical(IndicatorType.URL, f"{scheme[0]}://{host}/{path}")


@given(LABELS, DOMAINS, DOTS, st.sampled_from(["[@]", "[at]", "(AT)", " [at] ", "＠", "@"]), WRAPS)
def test_defanging_an_email_address_changes_nothing(local: str, domain: str, dot: str, at: str, wrap: str) -> None:
    defanged = wrap.format(f"{local}{at}{domain.replace('.', dot)}")
    assert canonical(IndicatorType.EMAIL_ADDR, defanged) == (IndicatorType.EMAIL_ADDR, f"{local}@{domain}")


@given(URLS)
@settings(max_examples=500)
def test_a_url_that_is_valid_as_it_stands_means_the_same_afterwards(text: str) -> None:
    spelled = canonical(IndicatorType.URL, text)
    if isinstance(spelled, Invalid) or not text.startswith(("http", "ftp")):
        return
    # What the URL Standard makes of it, less the blanks that no URL ends in.
    assert spelled[1] == URL(text.rstrip(" ")).href


MONOTONOUS = [
    *("(", "[.]", " [", ".", "a.", "\u200c", "न्\u200d", "\\.", "'", "{.", "xn--a.", "日", "[[.]]", "/", "…", "a["),
    *(":", "@", " ", "\x00", "\ud800", "http://", "hxxp[:]", "%", "a" * 63 + ".", "אב", "0", "::", "「"),
]  # fmt: skip


@pytest.mark.parametrize("kind", IndicatorType, ids=lambda kind: kind.label)
def test_a_long_monotonous_value_is_answered_at_once(kind: IndicatorType) -> None:
    for unit in MONOTONOUS:
        for length in (253, 2048, MAX_RAW_LENGTH):
            canonical(kind, (unit * length)[:length])
            detect((unit * length)[:length])
        for longer in (MAX_RAW_LENGTH + 1, 1_000_000):
            spelled = canonical(kind, (unit * longer)[:longer])
            assert isinstance(spelled, Invalid)
            assert spelled.reason is RejectReason.VALUE_TOO_LONG


@given(st.text(string.ascii_lowercase + string.digits + ".-_", max_size=80))
def test_a_name_that_is_surely_canonical_is_canonical(text: str) -> None:
    if is_canonical_domain(text):
        assert spelled_domain(text) == (IndicatorType.DOMAIN_NAME, text)
