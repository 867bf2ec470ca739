"""CSV lists with a declared mapping, and the limits and times of a profile."""

import pytest

from producers.readers.csv_columns import FIELDS, columns_of
from producers.readers.formats import readings_of
from producers.readers.limits import OTHER_TYPE
from producers.readers.reading import Defaults, Emptied, LeftOut, Seen, Withdrawn
from producers.readers.time_forms import advice_on_time
from schemas.markings import Caveat, SourceMarking, understand
from schemas.vocabulary import IndicatorType
from tests.producers.reading_feeds import an_input, observations, readings, refusals

FORMAT = "csv-list"
MAPPING = {"Wert": "value", "Art": "type", "Gesehen": "first_seen", "Ende": "valid_until", "Anzahl": "count"}
LIST = (
    "# Liste der Woche\n"
    "Nummer;Wert;Art;Gesehen;Ende;Anzahl;Sperre\n"
    "1;bad.example.com;domain;2026-11-20 09:00;2026-12-01;3;\n"
    "2;198.51.100.7;ip;2026-11-20 09:00;;1;%s\n"
)


def test_a_declared_mapping_names_the_columns() -> None:
    seen = observations(readings(FORMAT, (LIST % "").encode(), mapping=MAPPING))
    assert [(row.value, row.kind, row.count) for row in seen] == [
        ("bad.example.com", IndicatorType.DOMAIN_NAME, 3),
        ("198.51.100.7", IndicatorType.IPV4_ADDR, 1),
    ]
    assert seen[0].first_seen_ms == 1795165200000
    assert seen[0].valid_until_ms == 1796083200000


@pytest.mark.parametrize("restriction", ["TLP:RED", "NOFORN", "nicht weitergeben TLP:PURPLE", "RED", "部外秘"])
def test_a_column_that_is_not_mapped_still_restricts(restriction: str) -> None:
    for mapping in (MAPPING, MAPPING | {"Sperre": "ignore"}, MAPPING | {"Sperre": "marking"}):
        free, held = observations(readings(FORMAT, (LIST % restriction).encode(), mapping=mapping))
        assert free.marking == SourceMarking()
        assert held.marking != SourceMarking()


@pytest.mark.parametrize("name", ["tlp", "TLP level", "releasable_to", "取扱制限", "handling"])
@pytest.mark.parametrize("field", [field for field in FIELDS if field not in ("tlp", "marking", "releasable_to")])
def test_no_mapping_takes_a_marking_from_its_column(name: str, field: str) -> None:
    columns = columns_of(("host", name), {"host": "domain-name", name: field})
    assert columns is not None
    assert 1 in columns.marking_positions


def test_with_a_mapping_only_the_mapped_columns_hold_indicators() -> None:
    content = b"host,url,md5\nbad.example.com,https://report.example/x,d41d8cd98f00b204e9800998ecf8427e\n"
    assert [row.value for row in observations(readings(FORMAT, content, mapping={"HOST": "domain-name"}))] == [
        "bad.example.com"
    ]


def test_an_end_in_a_column_that_is_not_mapped_still_ends() -> None:
    content = b"host,expires,active\na.example.com,2026-12-01,1\nb.example.com,,0\n"
    first, second = observations(readings(FORMAT, content, mapping={"host": "domain-name"}))
    assert first.valid_until_ms == 1796083200000
    assert second.withdrawal is not None


def test_a_mapped_column_that_the_list_lacks_refuses_it_with_its_name() -> None:
    [refused] = refusals(readings(FORMAT, b"host,seen\nbad.example.com,2026-11-20\n", mapping={"Server": "value"}))
    assert "'Server'" in refused.detail
    assert "'host', 'seen'" in refused.detail
    [refused] = refusals(readings(FORMAT, b"a,b\n1,2\n", columns=("host", "seen"), mapping={"Server": "value"}))
    assert "'Server'" in refused.detail


def test_a_mapping_goes_with_columns_and_with_names_in_a_comment() -> None:
    stated = readings(FORMAT, b"bad.example.com,1\n", columns=("Host", "n"), mapping={"host": "domain-name"})
    comment = readings(FORMAT, b"# Host,n\nbad.example.com,1\n", mapping={"host": "domain-name"})
    tabs = readings(FORMAT, b"Host\tn\nbad.example.com\t1\n", mapping={"host": "domain-name"})
    for found in (stated, comment, tabs):
        assert [row.value for row in observations(found)] == ["bad.example.com"]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("1/28/2021", "read it with --date-format %m/%d/%Y"),
        ("28/1/2021 14:05", "read it with --date-format '%d/%m/%Y %H:%M'"),
        ("1/28/21 2:05 PM", "read it with --date-format '%m/%d/%y %I:%M %p'"),
        ("28.01.2021", "read it with --date-format %d.%m.%Y"),
        ("28-Jan-2021", "read it with --date-format %d-%b-%Y"),
        ("January 28, 2021", "read it with --date-format '%B %d, %Y'"),
        ("last week", "state the form of times, as in --date-format %d/%m/%Y"),
    ],
)
def test_a_date_of_an_unknown_form_is_refused_with_the_very_option_that_reads_it(text: str, advice: str) -> None:
    [refused] = refusals(readings(FORMAT, f'domain,first_seen\nbad.example.com,"{text}"\n'.encode()))
    assert refused.detail.endswith(advice)
    if "--date-format" in advice and "state" not in advice:
        form = advice.partition("--date-format ")[2].strip("'")
        content = f'domain,first_seen\nbad.example.com,"{text}"\n'.encode()
        assert observations(readings(FORMAT, content, date_format=form))[0].first_seen_ms // 86_400_000 == 18655


def test_a_date_with_two_meanings_is_refused_with_both() -> None:
    advice = advice_on_time("1/2/2021")
    assert "--date-format %m/%d/%Y (2021-01-02) or --date-format %d/%m/%Y (2021-02-01)" in advice


def test_a_time_without_a_zone_is_in_the_stated_one() -> None:
    from zoneinfo import ZoneInfo

    content = b"domain,first_seen\na.example.com,2026-11-20 09:00\nb.example.com,2026-11-20T09:00Z\n"
    first, second = observations(readings(FORMAT, content, time_zone=ZoneInfo("Asia/Tokyo")))
    assert second.first_seen_ms - first.first_seen_ms == 9 * 3_600_000


def limited(format_name: str, content: bytes, **defaults: object) -> list[object]:
    found, _ = readings_of(an_input(content), format_name, Defaults(**defaults))  # type: ignore[arg-type]
    return list(found)


def test_a_confidence_is_cut_at_the_ceiling_and_an_unstated_one_stays_unstated() -> None:
    content = b"domain,confidence\na.example.com,95\nb.example.com,20\nc.example.com,\n"
    found = limited(FORMAT, content, confidence_ceiling=60)
    assert [each.observation.confidence for each in found if isinstance(each, Seen)] == [60, 20, -1]


def test_other_types_are_left_out_by_a_rule_but_their_withdrawals_count() -> None:
    content = b"type,value,active\ndomain,a.example.com,1\nurl,http://b.example.com/,1\nurl,http://c.example.com/,0\n"
    found = limited(FORMAT, content, types=frozenset({IndicatorType.DOMAIN_NAME}))
    assert [each.observation.value for each in found if isinstance(each, Seen)] == [
        "a.example.com",
        "http://c.example.com/",
    ]
    assert [each.rule for each in found if isinstance(each, LeftOut)] == ["header", OTHER_TYPE]


def test_an_object_whose_new_version_has_another_type_ends_what_its_older_one_asserted() -> None:
    stix = (
        b'{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[{"type":"indicator",'
        b'"spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000002","created":"2026-11-20T00:00:00Z",'
        b'"modified":"2026-11-21T00:00:00Z","pattern_type":"stix","valid_from":"2026-11-20T00:00:00Z",'
        b'"pattern":"[url:value = \'http://b.example.com/\']"}]}'
    )
    found = limited("stix-bundle", stix, types=frozenset({IndicatorType.DOMAIN_NAME}))
    assert [type(each) for each in found] == [LeftOut, Emptied]
    assert not any(isinstance(each, Withdrawn) for each in found)


def test_the_caveat_of_what_is_not_understood_is_the_one_that_holds() -> None:
    rows = observations(readings(FORMAT, (LIST % "TLP:PURPLE").encode(), mapping=MAPPING))
    assert Caveat.UNRECOGNISED in understand(rows[1].marking).caveats
