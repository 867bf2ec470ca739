"""A MISP event that is whole ends what it lacks; an excerpt ends nothing by silence."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from producers.readers.formats import readers
from producers.readers.reading import Defaults, Whole
from producers.report import observations_of
from producers.spool.layout import FORMAT, connect
from producers.spool.spool import Spool
from producers.summary import Summary
from tests.builders import NOW_MS
from tests.producers.producing import SENSOR, reports_in, run
from tests.producers.reading_feeds import an_input

A, B, C, D = (f"{name}.example.com" for name in "abcd")
T = 1_790_000_000
Wrapped = dict[str, Any]


def an_attribute(value: str, uuid: str = "", **changes: Any) -> dict[str, Any]:
    return {"uuid": uuid or f"of {value}", "type": "domain", "value": value, "to_ids": True, "timestamp": T} | changes


def an_event(*values: str | dict[str, Any], at: int | None = T, uuid: str = "one", **changes: Any) -> dict[str, Any]:
    attributes = [an_attribute(each) if isinstance(each, str) else each for each in values]
    times = {} if at is None else {"timestamp": str(at)}
    return {"uuid": uuid, "info": "made up", "Attribute": attributes, **times, **changes}


class Source:
    """One sensor whose source is fetched again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fetched = folder, 0

    def fetch(self, document: Any, **options: Any) -> Summary:
        """Each fetch is a run of its own, with the spool opened anew."""
        self.fetched += 1
        file = self.folder / f"{self.fetched}.json"
        file.write_text(json.dumps(document), "utf-8")
        return self.produce(file, **options)

    def produce(self, file: Path, **options: Any) -> Summary:
        with self.spool() as spool:
            return run(spool, file, format="misp-event", **options)

    def spool(self) -> Spool:
        return Spool(self.folder / "spool", SENSOR.nation, SENSOR.name, NOW_MS)

    @property
    def live(self) -> set[str]:
        """The values whose last statement asserts them."""
        state: dict[str, bool] = {}
        with self.spool() as spool:
            for report in reports_in(spool):
                for each in observations_of(report):
                    state[each.value] = each.withdrawal is None
        return {value for value, is_live in state.items() if is_live}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def test_an_attribute_that_a_fetched_event_lost_is_withdrawn(source: Source) -> None:
    source.fetch({"Event": an_event(A, B, C)})
    assert source.fetch({"Event": an_event(A, C, at=T + 1)}).withdrawn == 1
    assert source.live == {A, C}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_version_of_an_event_counts_in_any_order(source: Source, order: tuple[int, ...]) -> None:
    versions = [an_event(A, B, C), an_event(A, C, at=T + 1), an_event(A, C, D, at=T + 2)]
    for place in order:
        source.fetch({"Event": versions[place]})
    assert source.live == {A, C, D}


def test_an_attribute_that_comes_back_is_asserted_again(source: Source) -> None:
    for at, values in ((T, (A, B)), (T + 1, (A,)), (T + 2, (A, B))):
        source.fetch({"Event": an_event(*values, at=at)})
    assert source.live == {A, B}


def test_of_an_event_without_a_time_the_order_of_arrival_decides(source: Source) -> None:
    source.fetch({"Event": an_event(A, B, at=None)})
    source.fetch({"Event": an_event(A, at=None)})
    assert source.live == {A}
    source.fetch({"Event": an_event(A, B, C, at=None)})
    assert source.live == {A, B, C}


def test_an_event_of_the_same_time_that_lacks_an_attribute_ends_it(source: Source) -> None:
    source.fetch({"Event": an_event(A, an_attribute(B, timestamp=T + 5))})
    source.fetch({"Event": an_event(A)})
    assert source.live == {A}


def test_a_list_of_events_is_of_whole_events(source: Source) -> None:
    source.fetch([{"Event": an_event(A, B)}, {"Event": an_event(C, D, uuid="two")}])
    source.fetch([{"Event": an_event(A, at=T + 1)}, {"Event": an_event(C, D, uuid="two")}])
    assert source.live == {A, C, D}


@pytest.mark.parametrize(
    "excerpt",
    [
        {"response": [{"Event": an_event(A, at=T + 1)}]},
        {"response": {"Attribute": [an_attribute(A, Event={"uuid": "one", "timestamp": T + 1})]}},
        {"response": [{"Event": an_event(A, at=T + 1, attribute_count="2")}]},
        {"Event": an_event(A, at=T + 1, attribute_count=2)},
        {"Event": an_event(A, an_attribute(C, type=["no", "type"]), at=T + 1)},
        {"Event": an_event(A, an_attribute("", uuid="", type="comment"), at=T + 1) | {"uuid": ""}},
        an_event(A, at=T + 1),
    ],
)
def test_an_excerpt_ends_nothing_by_silence(source: Source, excerpt: Wrapped) -> None:
    source.fetch({"Event": an_event(A, B)})
    assert source.fetch(excerpt).withdrawn == 0
    assert source.live == {A, B}


@pytest.mark.parametrize("count", [1, "1"])
def test_a_response_that_has_all_its_attributes_is_whole(source: Source, count: int | str) -> None:
    source.fetch({"response": [{"Event": an_event(A, B, attribute_count="2")}]})
    deleted = an_attribute(C, deleted=True)
    source.fetch({"response": [{"Event": an_event(A, deleted, at=T + 1, attribute_count=count)}]})
    assert source.live == {A}


def test_attributes_of_objects_are_attributes_of_the_event(source: Source) -> None:
    thing = {"uuid": "o", "name": "file", "Attribute": [an_attribute(B), an_attribute(C)]}
    source.fetch({"Event": an_event(A, Object=[thing])})
    left = thing | {"Attribute": [an_attribute(C)]}
    source.fetch({"Event": an_event(A, Object=[left], at=T + 1)})
    assert source.live == {A, C}


def test_an_attribute_that_is_refused_is_still_there(source: Source) -> None:
    source.fetch({"Event": an_event(A, B)})
    summary = source.fetch({"Event": an_event(A, an_attribute(B, first_seen="no time", timestamp=T + 1), at=T + 1)})
    assert (summary.withdrawn, summary.rejected.total()) == (0, 1)


def test_a_value_that_another_event_has_too_ends_with_the_last_of_them(source: Source) -> None:
    source.fetch([{"Event": an_event(A, B)}, {"Event": an_event(an_attribute(B, "other"), C, uuid="two")}])
    source.fetch({"Event": an_event(A, at=T + 1)})
    assert source.live == {A, B, C}
    source.fetch({"Event": an_event(C, at=T + 1, uuid="two")})
    assert source.live == {A, C}


def test_two_attributes_of_one_value_end_together_if_both_are_gone(source: Source) -> None:
    source.fetch({"Event": an_event(A, C, D, an_attribute(B, "x"), an_attribute(B, "y"))})
    assert source.fetch({"Event": an_event(A, C, D, at=T + 1)}).withdrawn == 1
    assert source.live == {A, C, D}


@pytest.mark.parametrize("left", [(), (A,)])
def test_an_event_that_lost_most_of_its_attributes_withdraws_nothing_before_a_person_agrees(
    source: Source, left: tuple[str, ...]
) -> None:
    source.fetch({"Event": an_event(A, B, C)})
    summary = source.fetch({"Event": an_event(*left, at=T + 1)})
    assert summary.withdrawn == 0
    assert summary.kept is not None
    assert (summary.kept.gone, summary.kept.before) == (3 - len(left), 3)
    assert source.live == {A, B, C}
    agreed = source.produce(source.folder / f"{source.fetched}.json", accept_removals=True)
    assert (agreed.withdrawn, agreed.observations, agreed.kept) == (3 - len(left), 0, None)
    assert source.live == set(left)


def test_an_event_that_is_no_longer_published_ends_all_of_it_and_a_later_one_asserts_it_again(source: Source) -> None:
    source.fetch({"Event": an_event(A, B, published=True, publish_timestamp=T)})
    source.fetch({"Event": an_event(A, B, published=False, publish_timestamp=T, at=T + 1)})
    assert source.live == set()
    source.fetch({"Event": an_event(A, B, published=True, publish_timestamp=T + 2, at=T + 2)})
    assert source.live == {A, B}


def test_to_ids_off_ends_one_attribute(source: Source) -> None:
    source.fetch({"Event": an_event(A, B)})
    source.fetch({"Event": an_event(A, an_attribute(B, to_ids=False, timestamp=T + 1), at=T + 1)})
    assert source.live == {A}


def test_after_a_lost_spool_a_whole_event_ends_nothing_that_is_not_known(source: Source) -> None:
    assert source.fetch({"Event": an_event(A)}).withdrawn == 0
    assert source.live == {A}


def test_in_a_snapshot_of_several_files_an_event_that_is_gone_ends_with_its_attributes(source: Source) -> None:
    source.fetch([{"Event": an_event(A, B, C)}, {"Event": an_event(D, uuid="two")}], snapshot="")
    assert source.fetch([{"Event": an_event(A, B, C)}], snapshot="").withdrawn == 1
    assert source.live == {A, B, C}


def test_a_crash_between_two_commits_loses_no_withdrawal(source: Source) -> None:
    """Each report holds one observation; the process ends after the first commit, then the same command is run."""
    values = [f"{number}.example.com" for number in range(9)]
    source.fetch({"Event": an_event(*values)})
    file = source.folder / "cut.json"
    file.write_text(json.dumps({"Event": an_event(*values[:5], at=T + 1)}), "utf-8")

    class Crash(Exception):
        pass

    for commits in range(1, 12):
        with source.spool() as spool:
            append, done = spool.append, 0

            def failing(*arguments: Any, append: Any = append, commits: int = commits, **named: Any) -> None:
                nonlocal done
                if done == commits:
                    raise Crash
                done += 1
                append(*arguments, **named)

            spool.append = failing  # type: ignore[method-assign]
            try:
                run(spool, file, format="misp-event", report_size=1)
            except Crash:
                continue
        break
    source.produce(file)
    assert source.live == set(values[:5])


def test_a_spool_of_the_format_before_knows_no_groups_and_learns_them(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.fetch({"Event": an_event(A, B, C)})
    database = connect(tmp_path / "spool")
    database.execute("DROP TABLE whole")
    database.execute("ALTER TABLE outbox DROP COLUMN checksum")
    database.execute("UPDATE assertion SET scope = x''")
    database.execute("ALTER TABLE assertion DROP COLUMN content")
    database.execute("PRAGMA user_version = 3")
    database.close()
    assert source.fetch({"Event": an_event(A, B, at=T + 1)}).withdrawn == 0, "C is not known to be of the event"
    assert source.fetch({"Event": an_event(A, at=T + 2)}).withdrawn == 1
    assert connect(tmp_path / "spool").execute("PRAGMA user_version").fetchone() == (FORMAT,)


def test_the_reader_names_each_object_of_a_whole_event() -> None:
    document = {"Event": an_event(A, an_attribute(B, to_ids=False), an_attribute(C, type="yara"))}
    found = readers()["misp-event"].read(an_input(json.dumps(document).encode()), Defaults())
    [whole] = [each for each in found if isinstance(each, Whole)]
    assert (whole.group.name, whole.group.modified_ms) == ("one", T * 1000)
    assert whole.names == {f"of {value}" for value in (A, B, C)}


def test_what_is_unchanged_in_a_later_export_counts_once_more_only_if_it_is_asked_for(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.fetch(an_event(A, B))
    summary = source.fetch(an_event(A, B, C, at=T + 1))
    assert (summary.observations, summary.left_out["unchanged"]) == (1, 2)
    assert source.fetch(an_event(A, B, C, D, at=T + 2), again=True).observations == 4
    assert source.live == {A, B, C, D}
