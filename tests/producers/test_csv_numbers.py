"""Numbers, times and columns of CSV lists as vendors write them: the right value, or a refusal that says what to do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.producers.reading_feeds import observations, readings, refusals


def rows_of(header: str, *cells: str) -> bytes:
    return "\n".join((header, *cells, "")).encode()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *(
            ("0.85", 85),
            ("0,85", 85),
            ("0.5", 50),
            ("0.005", 0),
            ("85.5", 85),
            ("85,5 %", 85),
            ("85.0", 85),
            ("90%", 90),
        ),
        *(("１００", 100), ("0.0", 0), ("4/5", 80), ("high", 85), ("0", 0), ("1", 1)),
    ],
)
def test_a_confidence_is_a_percentage_or_a_share_of_one(cell: str, expected: int) -> None:
    [seen] = observations(readings("csv-list", rows_of("ip;confidence", f"198.51.100.7;{cell}")))
    assert seen.confidence == expected


@pytest.mark.parametrize("cell", ["1.0", "1,000", "B2", "-1", "1e2"])
def test_a_confidence_that_may_mean_two_things_is_refused_with_advice(cell: str) -> None:
    [refused] = refusals(readings("csv-list", rows_of("ip;confidence", f"198.51.100.7;{cell}")))
    assert "write 0 to 100" in refused.detail


@pytest.mark.parametrize("cell", ["1,234", "1.234", "1 234", "1'234", "1234.0", "１２３４", "1234"])
def test_a_count_may_have_its_thousands_apart(cell: str) -> None:
    [seen] = observations(readings("csv-list", rows_of("ip;hits", f"198.51.100.7;{cell}")))
    assert seen.count == 1234


@pytest.mark.parametrize("cell", ["1.2k", "12,34", "1,234.5", "1,2345", "~10", "9" * 40])
def test_what_is_no_count_is_refused(cell: str) -> None:
    [refused] = refusals(readings("csv-list", rows_of("ip;hits", f"198.51.100.7;{cell}")))
    assert "write a whole number" in refused.detail


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        *(
            ("first_seen_utc", 9),
            ("First Seen (UTC)", 9),
            ("first_seen_gmt", 9),
            ("検知日時（JST）", 0),
            ("first_seen_jst", 0),
        ),
        ("first_seen", 14),  # by the operator's zone
    ],
)
def test_a_column_that_states_its_zone_is_read_in_it_whatever_the_operator_states(name: str, hour: int) -> None:
    zone = ZoneInfo("America/New_York")
    content = rows_of(f"ip,{name}", *(f"198.51.100.{number},2026-11-20 09:00:00" for number in range(1, 5)))
    found = observations(readings("csv-list", content, time_zone=zone))
    assert {datetime.fromtimestamp(seen.first_seen_ms / 1000, UTC).hour for seen in found} == {hour}
    assert len(found) == 4


@pytest.mark.parametrize("cell", ["令和8年11月20日", "平成38年11月20日", "2026年11月20日", "２０２６／１１／２０"])
def test_dates_of_japan_are_read(cell: str) -> None:
    [seen] = observations(readings("csv-list", rows_of("値,初回観測日", f"198.51.100.7,{cell}")))
    assert datetime.fromtimestamp(seen.first_seen_ms / 1000, UTC).date().isoformat() == "2026-11-20"


def test_mail_addresses_beside_networks_without_a_known_name_are_not_accused() -> None:
    content = rows_of("Start,End,Country,email", "198.51.100.0,198.51.100.255,NL,abuse@example.com")
    [refused] = refusals(readings("csv-list", content))
    assert "--map 'Start=value'" in refused.detail
    [seen] = observations(readings("csv-list", content, mapping={"Start": "value"}))
    assert seen.value == "198.51.100.0"
    [of_phishers] = observations(readings("csv-list", rows_of("email,subject", "bad@example.com,hello")))
    assert of_phishers.value == "bad@example.com"


def test_a_refused_value_names_the_column_that_may_have_it() -> None:
    [refused] = refusals(readings("csv-list", rows_of("#ip,ioc", "198.51.100.7,Possible C2 of Kake")))
    assert "--map 'ip=value'" in refused.detail


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("198.51.100.0-198.51.100.255", "198.51.100.0/24"),
        ("198.51.100.1 - 198.51.100.3", "198.51.100.1/32, 198.51.100.2/31"),
        ("*.example.com", "stands for many values"),
        ("198.51.100.*", "stands for many values"),
    ],
)
def test_a_line_that_stands_for_many_values_is_refused_with_what_to_write(line: str, advice: str) -> None:
    [refused] = refusals(readings("txt-list", f"{line}\n".encode()))
    assert advice in refused.detail
