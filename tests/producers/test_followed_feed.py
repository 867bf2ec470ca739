"""Feeds by HTTP that are followed: each version is read once, beside files, through failures and kill -9."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from producers.live.documents import LiveInput
from producers.live.feed import Feed, Feeds, Live
from producers.live.kinds import followed_kind_of
from producers.produce import Options, Run
from producers.spool.spool import Spool
from producers.stop import Stop
from tests.builders import NOW_MS
from tests.polling import eventually
from tests.producers.following import Follower
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, values_in
from tests.producers.site import Site, a_site

SOON_S = 30.0


class Failures(Unwatched):
    """What was shown as failed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def failed(self, *texts: object) -> None:
        """Keep it."""
        self.texts += map(str, texts)


class Following:
    """A followed feed, whose owner takes a turn when the test asks."""

    def __init__(self, address: str, spool: Spool, folder: Path, options: Options) -> None:
        self.view = Failures()
        kind = followed_kind_of(address)
        assert kind is not None
        live = Live(kind, LiveInput(address, folder, is_followed=True), kind.options_of(options), 0.02)
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        run = Run(live.options, spool, publisher, self.view, CODEC, lambda: NOW_MS, Stop())
        self.summary, self.feeds = run.summary, Feeds([Feed(live, run)], self.view)

    def reads(self, documents: int) -> None:
        """Take turns until so many have been read."""

        def are_read() -> bool:
            self.feeds.turn()
            return self.summary.files >= documents

        eventually(are_read, SOON_S, f"{documents} documents are read")

    def shows(self, text: str) -> None:
        """Take turns until this has failed."""

        def has_failed() -> bool:
            self.feeds.turn()
            return any(text in each for each in self.view.texts)

        eventually(has_failed, SOON_S, text)


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as answers:
        yield answers


@contextmanager
def following(site: Site, spool: Spool, folder: Path, **options: Any) -> Iterator[Following]:
    found = Following(site.address, spool, folder, Options(SENSOR, (), **options))
    with closing(found.feeds):
        yield found


def test_each_version_of_a_list_is_read_once_and_what_left_it_is_withdrawn(
    site: Site, sensor_spool: Spool, tmp_path: Path
) -> None:
    with following(site, sensor_spool, tmp_path, snapshot="") as feed:
        feed.reads(1)
        asked = len(site.requests)
        eventually(lambda: not feed.feeds.turn() and len(site.requests) > asked + 2, SOON_S, "it is asked again")
        assert (feed.summary.files, feed.summary.observations, feed.summary.withdrawn) == (1, 3, 0)
        assert "If-None-Match" in site.requests[-1]
        site.change(b"a.example.com\nb.example.com\nd.example.com\n", '"2"')
        feed.reads(2)
        assert feed.summary.withdrawn == 1
    assert values_in(sensor_spool)[-1] == "c.example.com"


def test_a_list_that_lost_most_of_its_values_withdraws_none_and_the_next_one_counts(
    site: Site, sensor_spool: Spool, tmp_path: Path
) -> None:
    with following(site, sensor_spool, tmp_path, snapshot="") as feed:
        feed.reads(1)
        site.change(b"a.example.com\n", '"2"')
        feed.shows("2 of 3 are missing: none is withdrawn")
        assert feed.summary.withdrawn == 0
        site.change(b"a.example.com\nb.example.com\n", '"3"')
        feed.reads(3)
        assert feed.summary.withdrawn == 1


def test_a_failure_is_shown_and_the_feed_is_asked_again(site: Site, sensor_spool: Spool, tmp_path: Path) -> None:
    site.status, site.headers = 503, {"Retry-After": "1"}
    with following(site, sensor_spool, tmp_path) as feed:
        feed.shows("answers 503")
        site.status = 200
        site.change(b"<!DOCTYPE html><html>sorry</html>", '"2"')
        feed.shows("web page")
        site.change(b"a.example.com\n", '"3"')
        feed.reads(1)
    assert values_in(sensor_spool) == ["a.example.com"]


def test_each_version_of_a_report_in_prose_without_a_review_is_shown_and_ends_nothing(
    site: Site, sensor_spool: Spool, tmp_path: Path
) -> None:
    site.change(b"The actor was seen at bad[.]example[.]com and left.\n", '"1"')
    with following(site, sensor_spool, tmp_path, format="prose-report") as feed:
        for version in (2, 3):
            feed.shows("without a review")
            feed.view.texts.clear()
            site.change(b"The actor was seen at bad[.]example[.]com in week %d.\n" % version, f'"{version}"')
        feed.shows("without a review")
    assert values_in(sensor_spool) == []


def test_beside_a_file_nothing_is_lost_or_counted_twice_through_kill_9(site: Site, tmp_path: Path) -> None:
    log, folder = tmp_path / "values.txt", tmp_path / "spool"
    log.write_text("first.example.com\n")
    folder.mkdir()
    follower = Follower(folder, log, site.address)
    with follower:
        follower.waits_for(4)
        follower.end(signal.SIGKILL)
        with log.open("a") as file:
            file.write("second.example.com\n")
        site.change(b"d.example.com\ne.example.com\n", '"2"')
        follower.start()
        follower.waits_for(7)
        asked = len(site.requests)
        eventually(lambda: len(site.requests) > asked + 2, SOON_S, "it is asked again")
        follower.end()
    names = ("first", "second", *"abcde")
    assert sorted(follower.values()) == sorted(f"{name}.example.com" for name in names)
    assert follower.gaps == []
