"""Lists of one indicator a line."""

import pytest

from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType, RejectReason
from tests.producers.reading_feeds import content_of, left_out, lines_of, observations, readings, recorded, refusals

FORMAT = "txt-list"


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        ("198.51.100.7", IndicatorType.IPV4_ADDR, "198.51.100.7"),
        ("2001:db8::7", IndicatorType.IPV6_ADDR, "2001:db8::7"),
        ("198.51.100.0/24  # a scanner's", IndicatorType.IPV4_NET, "198.51.100.0/24"),
        ("hxxp://bad[.]example[.]com/a", IndicatorType.URL, "hxxp://bad[.]example[.]com/a"),
        ("https://example.com/a#part", IndicatorType.URL, "https://example.com/a#part"),
        ("0.0.0.0 bad.example.com", IndicatorType.DOMAIN_NAME, "bad.example.com"),
        ("\tbad.example.com\t\t\t", IndicatorType.DOMAIN_NAME, "bad.example.com"),
        (
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            IndicatorType.FILE_SHA1,
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ),
    ],
)
def test_a_line_is_the_indicator_that_it_looks_like(line: str, kind: IndicatorType, value: str) -> None:
    [seen] = observations(readings(FORMAT, line.encode()))
    assert (seen.kind, seen.value, seen.count) == (kind, value, 1)


def test_32_digits_are_refused_until_the_operator_states_their_type() -> None:
    content = b"d41d8cd98f00b204e9800998ecf8427e\n"
    [refused] = refusals(readings(FORMAT, content))
    assert "--columns md5" in refused.detail
    [md5] = observations(readings(FORMAT, content, columns=("md5",)))
    [ja3] = observations(readings(FORMAT, content, columns=("ja3",)))
    assert (md5.kind, ja3.kind) == (IndicatorType.FILE_MD5, IndicatorType.JA3)


def test_a_number_behind_a_tab_is_how_often_it_was_seen() -> None:
    [seen] = observations(readings(FORMAT, b"198.51.100.7\t12\n"))
    assert seen.count == 12


def test_a_comment_behind_a_value_is_its_description() -> None:
    [seen] = observations(readings(FORMAT, b"198.51.100.7 # seen at night\n"))
    assert seen.description == "seen at night"


def test_comments_are_left_out_and_blank_lines_are_nothing() -> None:
    found = readings(FORMAT, b"\n# a\n// b\n; c\n   \n")
    assert [(piece.rule, piece.place.line) for piece in left_out(found)] == [
        *(("comment", 2), ("comment", 3), ("comment", 4)),
    ]
    assert len(found) == 3


def test_what_is_no_indicator_is_refused_with_its_line_and_the_rest_is_read() -> None:
    found = readings(FORMAT, b"bad.example.com\nScam and Phishing\nworse.example.com\n")
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (RejectReason.UNKNOWN_TYPE, 2)
    assert refused.original == b"Scam and Phishing"
    assert len(observations(found)) == 2


def test_the_operators_defaults_hold() -> None:
    marking = SourceMarking(tlp="TLP:GREEN")
    [seen] = observations(readings(FORMAT, b"198.51.100.7", marking=marking, confidence=40, labels=("scanner",)))
    assert (seen.marking, seen.confidence, seen.labels) == (marking, 40, ("scanner",))


def test_every_address_and_count_of_a_recorded_reputation_list_is_read() -> None:
    expected = [line.split("\t") for line in lines_of("txt/ipsum-20000.txt.gz")]
    seen = observations(recorded("txt/ipsum-20000.txt.gz", FORMAT))
    assert [[row.value, str(row.count)] for row in seen] == expected
    assert len(seen) == 20_000


@pytest.mark.parametrize("file", ["txt/mass-scanner-cidr.txt", "txt/nso-v3-domains.txt", "txt/donot-sha256.txt"])
def test_every_line_of_a_clean_recorded_list_is_one_indicator(file: str) -> None:
    found = recorded(file, FORMAT)
    assert refusals(found) == []
    assert [row.value for row in observations(found)] == [line.split(" #")[0].strip() for line in lines_of(file)]


@pytest.mark.parametrize(
    ("file", "refused"),
    [
        ("txt/android-roamingmantis.txt.gz", 145),  # regular expressions
        ("txt/formbook.txt.gz", 445),  # paths without a host
        ("txt/ua-ru-iocs", 3),  # section titles
        ("txt/skimmer.txt", 0),
    ],
)
def test_every_line_of_a_recorded_list_is_read_or_refused(file: str, refused: int) -> None:
    found = recorded(file, FORMAT)
    assert len(found) - len(left_out(found)) == len(lines_of(file))
    assert len(refusals(found)) == refused
    numbers = [reading.place.line for reading in found]
    assert numbers == sorted(set(numbers))
    all_lines = content_of(file).split(b"\n")
    assert all(line.original == all_lines[line.place.line - 1].rstrip(b"\r") for line in refusals(found))
