"""The words of reports: values as people write them, the right value or a refusal, and nothing lost beside another."""

import pytest

from schemas.normalise import Invalid, canonical
from tests.producers.reading_feeds import left_out, observations, readings, refusals

SHA256 = "0123456789abcdef" * 4
MD5 = "0123456789abcdef" * 2


def values_of(text: str, **defaults: object) -> list[str]:
    """The canonical values of what is read in a report."""
    found = observations(readings("prose-report", f"# made up\n{text}\n".encode(), **defaults))
    spelled = [canonical(row.kind, row.value) for row in found]
    return [each[1] for each in spelled if not isinstance(each, Invalid)]


@pytest.mark.parametrize(
    "defanged",
    [
        *("bad[.]example.com", "bad(.)example(.)com", "bad{.}example{.}com", "bad<.>example<.>com"),
        *("bad[dot]example[dot]com", "bad(dot)example(dot)com", r"bad\.example\.com"),
        *("bad [.] example [.] com", "bad[ . ]example[ . ]com", "bad［．］example［．］com", "bad【.】example【.】com"),
        *("bad[。]example[.]com", "bad[.example[.com", "bad.]example.]com"),
    ],
)
def test_each_style_of_defanging_a_name_gives_the_name(defanged: str) -> None:
    assert values_of(f"It calls {defanged}, then stops.") == ["bad.example.com"]


@pytest.mark.parametrize(
    "defanged",
    [
        *("hxxp://bad.example.com/a", "hXXp://bad[.]example[.]com/a", "http[:]//bad.example.com/a"),
        *("h**p://bad.example.com/a", "htxp://bad.example.com/a", "ttp://bad.example.com/a"),
        *("hxxp:// bad.example.com/a", "[hxxp://bad[.]example[.]com/a](http://www.example.org/)"),
        *("hxxp://bad[.]example[.]com/a[the server]", "link:hxxp://bad[.]example[.]com/a[the server]"),
    ],
)
def test_each_style_of_defanging_a_url_gives_the_url(defanged: str) -> None:
    assert values_of(f"See {defanged} and more.") == ["http://bad.example.com/a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("通信先はhxxp://bad[.]example[.]com/xです。", ["http://bad.example.com/x"]),
        (
            "198.51.100[.]5および198.51.100[.]6、bad[.]example[.]comなど",
            ["198.51.100.5", "198.51.100.6", "bad.example.com"],
        ),
        ("・bad[.]example[.]com宛", ["bad.example.com"]),
        ("例え[.]テスト[.]jpなど", ["xn--r8jz45g.xn--zckzah.jp"]),
        ("hxxp://bad[.]example[.]com/資料.zip", ["http://bad.example.com/%E8%B3%87%E6%96%99.zip"]),
        (f"SHA256：{SHA256}", [SHA256]),
        (f"SHA256（dropper.exe）{SHA256}", [SHA256]),
    ],
)
def test_japanese_beside_a_value_is_no_part_of_it(text: str, expected: list[str]) -> None:
    assert values_of(text) == expected


def test_a_value_that_japanese_beside_it_may_belong_to_is_refused() -> None:
    [refused] = refusals(readings("prose-report", "# x\n通信先bad[.]example[.]com\n".encode()))
    assert "put a blank between" in refused.detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"sha256:{SHA256} SHA1={'ab' * 20}", [SHA256, "ab" * 20]),
        (" ".join(SHA256[at : at + 8] for at in range(0, 64, 8)), [SHA256]),
        (f"MD5: {MD5}", [MD5]),
        (f"imphash {MD5}", [MD5]),
        (f"JA3 MD5 {MD5}", []),
        (f"{MD5}", []),
        (f"image@sha256:{SHA256}", []),
        (f"https://www.example.com/file/{SHA256}", []),
        ("198.51.100[.]1,198.51.100[.]2;bad[.]example[.]com", ["198.51.100.1", "198.51.100.2", "bad.example.com"]),
        ("2001[:]db8[:][:]2", ["2001:db8::2"]),
    ],
)
def test_hashes_and_values_in_a_row_are_read_if_their_type_is_certain(text: str, expected: list[str]) -> None:
    assert values_of(text) == expected


def test_digits_in_pairs_may_be_a_certificates_and_are_refused_by_name() -> None:
    pairs = ":".join(SHA256[at : at + 2] for at in range(0, 64, 2))
    [refused] = refusals(readings("prose-report", f"# x\nbad[.]example[.]com {pairs}\n".encode()))
    assert "fingerprint of a certificate" in refused.detail


def test_each_name_and_address_that_is_not_defanged_is_counted() -> None:
    found = readings(
        "prose-report", b"# x\nbad[.]example[.]com www.example.org a@example.org 192.0.2.1 e.g. a.exe 1.2\n"
    )
    assert [piece.detail for piece in left_out(found) if piece.rule == "not-defanged"] == [
        *("www.example.org", "a@example.org", "192.0.2.1")
    ]


def test_what_is_behind_a_block_of_a_page_is_no_part_of_the_value_in_it() -> None:
    page = "<html><li>a[.]example[.]com</li>x<section>b[.]example[.]com</section><dt>c[.]example[.]com<dd>d</html>"
    found = observations(readings("prose-report", page.encode()))
    assert [row.value for row in found] == ["a[.]example[.]com", "b[.]example[.]com", "c[.]example[.]com"]
