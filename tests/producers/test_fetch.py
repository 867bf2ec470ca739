"""Feeds by HTTP, from a real server: only what has changed, bounded, whole, and never a page instead of a feed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from exchange.errors import ConfigurationError, ExchangeError, Refused, TransientError
from producers.fetch import AskedLater, fetched, is_url
from producers.report import observations_of
from producers.spool.spool import Spool
from tests.producers.producing import reports_in, run, values_in
from tests.producers.site import Site, a_site


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as answers:
        yield answers


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"Last-Modified": "Fri, 20 Nov 2026 08:00:00 GMT"}])
def test_what_has_not_changed_is_not_sent_again_and_is_still_there_to_be_read(
    headers: dict[str, str], site: Site, tmp_path: Path
) -> None:
    site.headers = headers
    first = fetched(site.address, tmp_path)
    site.content = b"never sent\n"
    second = fetched(site.address, tmp_path)
    assert first == second
    assert first.read_bytes().startswith(b"a.example.com\n")
    assert first.name == "list.txt"
    names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    [(name, value)] = headers.items()
    assert site.requests[1][names[name]] == value


def test_a_feed_counts_once_and_what_left_it_is_withdrawn_if_it_is_a_snapshot(
    site: Site, sensor_spool: Spool, tmp_path: Path
) -> None:
    first = run(sensor_spool, fetched(site.address, tmp_path), snapshot="feed")
    again = run(sensor_spool, fetched(site.address, tmp_path), snapshot="feed")
    site.change(b"a.example.com\nb.example.com\nd.example.com\n", '"2"')
    changed = run(sensor_spool, fetched(site.address, tmp_path), snapshot="feed")
    assert (first.observations, again.observations, again.withdrawn) == (3, 0, 0)
    assert changed.withdrawn == 1
    assert values_in(sensor_spool).count("a.example.com") == 2  # the changed list is another content
    assert values_in(sensor_spool)[-1] == "c.example.com"


@pytest.mark.parametrize(
    ("status", "headers", "error", "text"),
    [
        (503, {"Retry-After": "120"}, TransientError, "come again after 120"),
        (429, {}, TransientError, "later"),
        (404, {}, ConfigurationError, "is the address right"),
        (403, {}, ConfigurationError, "may you have it"),
        (302, {"Location": "file:///etc/passwd"}, ConfigurationError, "302"),
    ],
)
def test_an_error_states_who_must_act_and_leaves_the_kept_content_as_it_was(
    status: int, headers: dict[str, str], error: type[ExchangeError], text: str, site: Site, tmp_path: Path
) -> None:
    kept = fetched(site.address, tmp_path)
    site.status, site.headers = status, headers
    with pytest.raises(error, match=text):
        fetched(site.address, tmp_path)
    assert kept.read_bytes() == site.content


@pytest.mark.parametrize(
    ("content", "length", "error", "text"),
    [
        (b"<!DOCTYPE html><html><body>sorry</body></html>", None, Refused, "web page"),
        (b"\n <HTML>", None, Refused, "web page"),
        (b"x" * 5000, None, Refused, "more than 4096 bytes"),
        (b"a.example.com\n", 100, TransientError, "broke off|does not answer"),
    ],
)
def test_a_page_too_many_bytes_and_half_of_a_feed_are_not_taken(
    content: bytes, length: int | None, error: type[ExchangeError], text: str, site: Site, tmp_path: Path
) -> None:
    kept = fetched(site.address, tmp_path)
    before = kept.read_bytes()
    site.change(content, '"2"')
    site.length = length
    with pytest.raises(error, match=text):
        fetched(site.address, tmp_path, most_bytes=4096, timeout_s=5)
    assert kept.read_bytes() == before
    site.change(b"z.example.com\n", '"3"')
    site.length = None
    assert fetched(site.address, tmp_path).read_bytes() == b"z.example.com\n"


def test_a_redirection_is_followed_a_few_times_and_no_further(site: Site, tmp_path: Path) -> None:
    site.status, site.headers = 302, {"Location": site.address}
    with pytest.raises(ConfigurationError, match="302"):
        fetched(site.address, tmp_path)
    assert len(site.requests) <= 6


def test_from_https_to_http_is_not_followed() -> None:
    from urllib.request import Request

    from producers.fetch import _Redirects

    request = Request("https://feeds.example/list.txt")
    with pytest.raises(ConfigurationError, match="not encrypted"):
        _Redirects().redirect_request(request, None, 302, "", None, "http://feeds.example/list.txt")  # type: ignore[arg-type]


def test_a_server_that_is_not_there_is_a_reason_to_try_again(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="does not answer"):
        fetched("http://127.0.0.1:1/list.txt", tmp_path, timeout_s=2)


def test_the_folder_of_an_address_states_a_marking_as_that_of_a_file_does(
    site: Site, tmp_path: Path, sensor_spool: Spool
) -> None:
    folder = site.address.replace("/feeds/", "/TLP%20RED/")
    run(sensor_spool, fetched(folder, tmp_path), format="txt-list")
    assert {row.marking.tlp for report in reports_in(sensor_spool) for row in observations_of(report)} == {"TLP:RED"}


@pytest.mark.parametrize(
    ("asked", "expected_s"),
    [("120", 120), ("9" * 40, 86_400), ("soon", 0)],
    ids=["seconds", "for ever", "no time"],
)
def test_a_server_is_asked_again_when_it_wants_within_a_day(
    asked: str, expected_s: float, site: Site, tmp_path: Path
) -> None:
    site.status, site.headers = 503, {"Retry-After": asked}
    with pytest.raises(AskedLater) as raised:
        fetched(site.address, tmp_path)
    assert raised.value.after_s == expected_s


def test_a_server_may_state_the_time_at_which_it_wants_to_be_asked_again(site: Site, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    site.status, site.headers = 503, {"Retry-After": format_datetime(before + timedelta(hours=1))}
    with pytest.raises(AskedLater) as raised:
        fetched(site.address, tmp_path)
    took_s = (datetime.now(UTC) - before).total_seconds()
    assert 3600 - took_s - 1 <= raised.value.after_s <= 3600


def test_addresses_are_distinguished_from_files() -> None:
    assert is_url("https://feeds.example/list.txt")
    assert is_url("HTTP://feeds.example/list.txt")
    assert not is_url("http.log")
    assert not is_url("ftp://feeds.example/list.txt")
