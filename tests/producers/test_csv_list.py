"""CSV lists: with and without a header, of several shapes, encodings and degrees of damage."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime

import pytest

from producers.readers.list_times import list_milliseconds
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal
from tests.producers.reading_feeds import content_of, left_out, observations, readings, recorded, refusals

FORMAT = "csv-list"

HEADER = b"first_seen,type,value,tlp,tags\n"


def rows_of(file: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content_of(file).decode("utf-8-sig"), newline="")))


def milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    "file",
    [
        "csv/tweetfeed-20210912.csv.gz",
        "csv/tweetfeed-20211012.csv.gz",
        "csv/tweetfeed-20220227.csv.gz",
        "csv/tweetfeed-20240115.csv",
        "csv/tweetfeed-20240116.csv.gz",
        "csv/tweetfeed-20240201.csv.gz",
    ],
)
def test_every_row_of_the_recorded_feed_without_a_header_is_one_indicator(file: str) -> None:
    found = recorded(file, FORMAT)
    assert refusals(found) == []
    seen = observations(found)
    expected = rows_of(file)
    assert [row.value for row in seen] == [value.strip() for _, _, _, value, _, _ in expected]
    assert [row.first_seen_ms for row in seen] == [milliseconds(date) for date, *_ in expected]
    assert [row.labels for row in seen] == [
        tuple(dict.fromkeys(tag.lstrip("#") for tag in tags.split())) for *_, tags, _ in expected
    ]
    assert [row.context for row in seen] == [
        (("reporter", user), ("reference", link)) for _, user, *_, link in expected
    ]
    word = {"ip": "ipv4-addr", "domain": "domain-name", "md5": "file-md5", "sha256": "file-sha256"}
    assert [row.kind.label for row in seen] == [word.get(kind, kind) for _, _, kind, *_ in expected]


def test_a_value_is_left_as_its_source_spelled_and_typed_it() -> None:
    values = {row.value: row.kind for row in observations(recorded("csv/tweetfeed-20240115.csv", FORMAT))}
    assert values["07:01:24"] is IndicatorType.IPV4_ADDR  # intake says that this is no address


def test_lines_of_latin_1_are_quarantined_with_their_bytes_and_the_others_are_read() -> None:
    found = recorded("csv/prince-of-persia-latin-1.csv", FORMAT, columns=("md5",))
    bad = [line for line in content_of("csv/prince-of-persia-latin-1.csv").split(b"\r\n") if b"\xa0" in line]
    assert [refused.original for refused in refusals(found)] == bad
    assert {refused.reason for refused in refusals(found)} == {RejectReason.UNREADABLE_LINE}
    assert (len(bad), len(observations(found))) == (15, 242 - 15)


def test_with_its_encoding_stated_all_of_a_latin_1_file_is_read() -> None:
    found = recorded("csv/prince-of-persia-latin-1.csv", FORMAT, columns=("md5",), encoding="latin-1")
    assert (len(observations(found)), refusals(found)) == (242, [])


def test_a_shift_jis_list_with_japanese_headers_is_read_with_its_handling_limits() -> None:
    seen = observations(recorded("odd/list-shift-jis.csv", FORMAT, encoding="shift_jis"))
    assert [row.kind.label for row in seen] == [
        *("domain-name", "ipv4-addr", "url", "file-sha256", "email-addr", "file-name"),
    ]
    assert seen[0].value == "フィッシング.example"
    assert seen[1].marking == SourceMarking(tlp="TLP:AMBER", caveats=("関係者限り",))
    assert seen[4].marking == SourceMarking(tlp="TLP:AMBER+STRICT", caveats=("機密性3情報",))
    assert seen[5].marking == SourceMarking()
    assert seen[2].first_seen_ms == milliseconds("2026-11-20 10:02:00")


def test_a_shift_jis_list_read_as_utf_8_is_refused_line_by_line() -> None:
    found = recorded("odd/list-shift-jis.csv", FORMAT)
    assert observations(found) == []
    assert all("--encoding cp932" in refused.detail for refused in refusals(found))


def test_columns_named_by_hash_and_server_are_all_indicators() -> None:
    rows = rows_of("csv/bitter.csv")[1:]
    found = recorded("csv/bitter.csv", FORMAT)
    seen = observations(found)
    for place, kind in enumerate((IndicatorType.FILE_SHA256, IndicatorType.FILE_SHA1, IndicatorType.FILE_MD5)):
        assert [row.value for row in seen if row.kind is kind] == [row[place] for row in rows]
    servers = [row[7] for row in rows if row[7].strip()]
    assert len(seen) + len(refusals(found)) == 3 * len(rows) + len(servers)


def test_several_hashes_in_one_cell_are_several_indicators() -> None:
    rows = rows_of("csv/xegroup.csv")[1:]
    seen = observations(recorded("csv/xegroup.csv", FORMAT))
    assert [row.value for row in seen] == [part for value, *_ in rows for part in value.split(",")]


def test_a_row_with_a_stray_quote_is_refused_alone() -> None:
    found = recorded("csv/patchwork.csv", FORMAT)
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (RejectReason.UNREADABLE_LINE, 27)
    assert len(observations(found)) == 36 - 1


def test_dates_that_are_not_iso_8601_need_their_format_stated() -> None:
    file = "csv/mstic-rapid-release.csv"
    assert {refused.reason for refused in refusals(recorded(file, FORMAT))} == {RejectReason.UNREADABLE_LINE}
    found = recorded(file, FORMAT, date_format="%m/%d/%Y")
    rows = rows_of(file)[1:]
    no_such_month = "19/20/2022"  # so it was published
    carried = [row for row in rows if row[2] not in ("GUID", "commandline") and row[0] != no_such_month]
    seen = observations(found)
    assert [row.value for row in seen] == [row[1].strip() for row in carried]
    assert {row.marking.tlp for row in seen} == {"TLP:CLEAR"}
    assert {row.confidence for row in seen} == {100}
    month, day, year = map(int, carried[0][3].split("/"))
    assert seen[0].valid_until_ms == int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
    assert Counter(refused.reason for refused in refusals(found)) == {
        RejectReason.UNKNOWN_TYPE: 4,
        RejectReason.UNREADABLE_LINE: 1,
    }


def test_every_pair_of_domain_and_address_is_two_indicators() -> None:
    rows = rows_of("csv/nso-2018.csv")[1:]
    seen = observations(recorded("csv/nso-2018.csv", FORMAT))
    assert [row.value for row in seen] == [cell.strip() for row in rows for cell in row if cell.strip()]


def test_a_list_without_a_header_is_read_by_what_stands_in_its_columns() -> None:
    rows = rows_of("txt/agenttesla-panels.txt")
    found = recorded("txt/agenttesla-panels.txt", FORMAT)
    seen = observations(found)
    assert [row.value for row in seen if row.kind is IndicatorType.URL] == [url for url, _, _ in rows]
    assert len(found) == len(seen) + len(refusals(found)) == 2 * len(rows)
    assert seen[0].first_seen_ms == milliseconds(rows[0][1])


def test_a_list_with_nothing_but_a_header_holds_nothing() -> None:
    [header] = recorded("odd/header-only.csv", FORMAT)
    assert left_out([header])[0].rule == "header"


def test_a_list_without_any_column_of_indicators_is_refused_whole_with_advice() -> None:
    [refused] = refusals(readings(FORMAT, b"name,colour\nsmith,blue\njones,red\n"))
    assert (refused.reason, refused.place.line) == (RejectReason.UNKNOWN_FORMAT, 0)
    assert refused.original == b"name,colour\nsmith,blue\njones,red\n"
    assert "--columns" in refused.detail


def test_the_operator_can_name_the_columns() -> None:
    found = readings(FORMAT, b"x;bad.example.com;7\n", columns=("", "domain", "count"))
    [seen] = observations(found)
    assert (seen.kind, seen.value, seen.count) == (IndicatorType.DOMAIN_NAME, "bad.example.com", 7)


def test_a_column_of_markings_and_a_default_hold_both() -> None:
    found = readings(
        FORMAT,
        HEADER + b",domain,a.example.com,TLP:RED,\n,domain,b.example.com,TLP:CLEAR,\n,domain,c.example.com,,\n",
        marking=SourceMarking(tlp="TLP:GREEN"),
    )
    assert [row.marking.tlp for row in observations(found)] == ["TLP:RED", "TLP:GREEN", "TLP:GREEN"]


def test_a_tag_that_is_a_marking_or_a_caveat_is_no_label() -> None:
    [seen] = observations(readings(FORMAT, HEADER + b",domain,a.example.com,,tlp:amber; UK EYES ONLY; c2\n"))
    assert seen.marking == SourceMarking(tlp="TLP:AMBER", caveats=("UK EYES ONLY",))
    assert seen.labels == ("c2",)


def test_rows_without_a_value_are_left_out_and_rows_that_their_source_calls_inactive_end() -> None:
    found = readings(FORMAT, b"# x\nvalue,type,active\na.example.com,domain,FALSE\n-,domain,1\n")
    assert [(piece.rule, piece.place.line) for piece in left_out(found)] == [
        *(("comment", 1), ("header", 2), ("no-value", 4)),
    ]
    assert [row.withdrawal for row in observations(found)] == [Withdrawal.LAPSED]
    assert len(found) == 4


@pytest.mark.parametrize(
    ("name", "cell", "how"),
    [
        *(("status", "inactive", Withdrawal.LAPSED), ("Status", "False Positive", Withdrawal.REVOKED)),
        *(("ioc_status", "expired", Withdrawal.LAPSED), ("Analyst Verdict", "benign", Withdrawal.REVOKED)),
        *(
            ("状態", "無効", Withdrawal.LAPSED),
            ("判定", "誤検知", Withdrawal.REVOKED),
            ("削除", "○", Withdrawal.REVOKED),
        ),
        *(("is_false_positive", "TRUE", Withdrawal.REVOKED), ("enabled", "no", Withdrawal.LAPSED)),
        *(("revoked_at", "2026-11-20 9:05", Withdrawal.REVOKED), ("expired", "2026/11/20", Withdrawal.LAPSED)),
        *(("malicious", "no", Withdrawal.REVOKED), ("Disposition", "no threat", Withdrawal.REVOKED)),
        *(("status", "active", None), ("c2_status", "offline", None), ("deleted", "0", None), ("active", "1", None)),
        *(("revoked_at", "", None), ("state", "CA", None), ("http_status", "404", None), ("fp", "-", None)),
    ],
)
def test_a_column_of_statuses_ends_what_its_source_takes_back(name: str, cell: str, how: Withdrawal | None) -> None:
    [row] = observations(readings(FORMAT, f"domain,{name}\nbad.example.com,{cell}\n".encode()))
    assert row.withdrawal is how
    assert row.marking == SourceMarking()


def test_one_of_several_statuses_is_enough_and_an_error_counts_before_an_end() -> None:
    content = b"domain,active,deleted,status\na.example.com,1,0,false positive\nb.example.com,0,1,ok\n"
    assert [row.withdrawal for row in observations(readings(FORMAT, content))] == [Withdrawal.REVOKED] * 2


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026/11/20 9:05",
            "2026-11-20 9:05",
            "2026.11.20 09:05",
            "2026年11月20日 9時5分",
            "２０２６/１１/２０ ９：０５",
        ),
        *("2026-11-20T9:05Z", "2026/11/20 18:05 JST", "2026/11/20 10:05 +0100"),
    ],
)
def test_a_date_with_the_year_first_can_mean_one_moment_only(text: str) -> None:
    assert list_milliseconds(text) == 1_795_165_500_000


@pytest.mark.parametrize("text", ["20/11/2026 9:05", "2026/11/20 25:00", "2026-11-20 9:05 PM", "11-20-26"])
def test_a_date_that_could_mean_two_moments_is_refused(text: str) -> None:
    assert list_milliseconds(text) is None


def test_a_cell_may_have_line_breaks_inside_quotes() -> None:
    content = b'value,notes\na.example.com,"first\nsecond"\nb.example.com,none\n'
    assert [row.description for row in observations(readings(FORMAT, content))] == ["first\nsecond", "none"]


@pytest.mark.parametrize("name", ["tearline", "Tear line", "公開要旨"])
def test_what_is_written_for_release_is_distinguished_from_what_is_not(name: str) -> None:
    content = f"value,notes,{name}\na.example.com,we were hit,Block it.\nb.example.com,we were hit,n/a\n".encode()
    released, other = observations(readings(FORMAT, content))
    assert (released.description, released.context) == ("we were hit", (("tearline", "Block it."),))
    assert (other.description, other.context) == ("we were hit", ())


def test_an_open_quote_costs_its_own_line_and_no_other() -> None:
    lines = [b"value,notes", b'bad.example.com,"open', *(b"n%d.example.com,x" % number for number in range(100))]
    found = readings(FORMAT, b"\n".join(lines))
    [refused] = refusals(found)
    assert (refused.place.line, refused.original) == (2, b'bad.example.com,"open')
    assert len(observations(found)) == 100


@pytest.mark.parametrize("cell", ["soon", "-3", "1" * 30])
def test_a_count_that_cannot_be_read_refuses_its_row(cell: str) -> None:
    [refused] = refusals(readings(FORMAT, f"value,count\na.example.com,{cell}\n".encode()))
    assert refused.reason is RejectReason.UNREADABLE_LINE


@pytest.mark.parametrize(("cell", "confidence"), [("high", 85), ("70%", 70), ("55", 55), ("", 40), ("0", 0)])
def test_confidence_is_a_number_or_a_word_of_stix(cell: str, confidence: int) -> None:
    [seen] = observations(readings(FORMAT, f"value,confidence\na.example.com,{cell}\n".encode(), confidence=40))
    assert seen.confidence == confidence


@pytest.mark.parametrize("header", ["", "value,tlp\n"])
def test_a_hash_without_a_type_in_a_list_about_certificates_is_asked_about(header: str) -> None:
    content = f"# SHA-1 fingerprints of SSL certificates\n{header}{'a1' * 20},TLP:GREEN\n".encode()
    found = readings(FORMAT, content)
    assert observations(found) == []
    assert refusals(found) != []


def test_a_row_without_its_first_cell_is_no_comment_about_certificates() -> None:
    content = f"first_seen;sha256;description;tlp\n;{'b2' * 32};signed with a stolen certificate;TLP:GREEN\n".encode()
    [seen] = observations(readings(FORMAT, content))
    assert seen.kind is IndicatorType.FILE_SHA256
