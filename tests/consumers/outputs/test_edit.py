"""A file that is edited holds what it would if it were written whole, and what others changed is not edited."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.known import outputs
from consumers.outputs.protocol import Change, Held, Put, Target, Writer
from consumers.picture.entry import Entry
from schemas.vocabulary import IndicatorType
from tests.builders import an_entry
from tests.consumers.outputs.test_output_laws import VALUES, removal, whole
from tests.consumers.outputs.writing import HOSTILE_EXAMPLES

EDITED: Final = ("hosts", "rpz", "suricata", "unbound")
KINDS: Final = (
    IndicatorType.DOMAIN_NAME, IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR, IndicatorType.IPV4_NET,
    IndicatorType.IPV6_NET, IndicatorType.FILE_MD5, IndicatorType.FILE_SHA256, IndicatorType.JA3,
)  # fmt: skip
each_edited = pytest.mark.parametrize("name", EDITED)
CONTENTS: Final = st.lists(
    st.dictionaries(
        st.one_of(
            st.tuples(st.sampled_from(KINDS), st.integers(0, 2)),
            st.tuples(st.just(IndicatorType.DOMAIN_NAME), st.sampled_from(HOSTILE_EXAMPLES)),
        ),
        st.integers(0, 100),
        max_size=12,
    ),
    min_size=2,
    max_size=5,
)
Content = dict[tuple[IndicatorType, int | str], int]


def entries(name: str, content: Content) -> list[Entry]:
    """Those that the output carries, in the order of their ids; the number is their confidence."""
    found = [
        an_entry(place if isinstance(place, str) else VALUES[kind][place], kind.label, confidence=confidence)
        for (kind, place), confidence in content.items()
        if kind in outputs()[name].carries
    ]
    return sorted(found, key=lambda entry: entry.id)


def changes(before: Sequence[Entry], after: Sequence[Entry]) -> list[Change]:
    kept = {each.id for each in after}
    return [*(removal(each) for each in before if each.id not in kept), *map(Put, after)]


def lines_in(place: Path) -> dict[str, list[bytes]]:
    """The lines of each file, in any order, without the first of one with a position."""
    files = [place] if place.is_file() else sorted(place.iterdir())
    found = {file.name: file.read_bytes().splitlines() for file in files}
    return {name: sorted(line for line in lines if b"SOA" not in line) for name, lines in found.items()}


def never() -> NoReturn:
    raise AssertionError("the picture was read")


def opened_at(name: str, folder: Path) -> tuple[Path, Writer]:
    place = folder / "target"
    if outputs()[name].place == "DIR":
        place.mkdir(parents=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
    return place, outputs()[name].open(Target("JPN", str(place)))


@each_edited
@given(CONTENTS)
@settings(max_examples=15)  # each syncs files
def test_an_edited_file_is_as_one_that_was_written_whole(name: str, contents: list[Content]) -> None:
    with TemporaryDirectory() as folder:
        place, edited = opened_at(name, Path(folder) / "edited")
        again, anew = opened_at(name, Path(folder) / "anew")
        steps = [entries(name, content) for content in contents]
        edited.write(iter(steps[0]), Held("p", "all", 1))
        for number, (before, after) in enumerate(pairwise(steps), 2):
            held = Held("p", "all", number)
            edited.apply(changes(before, after), held, never)
            anew.write(iter(after), held)
            assert lines_in(place) == lines_in(again)
            assert (edited.held(), list(edited.check(iter(after)))) == (held, [])


@each_edited
def test_changes_that_come_twice_are_as_if_they_had_come_once(name: str, tmp_path: Path) -> None:
    place, writer = opened_at(name, tmp_path / "edited")
    before, after = (entries(name, {(kind, at): 50 for kind in KINDS for at in places}) for places in ((0, 1), (1, 2)))
    writer.write(iter(before), Held("p", "all", 1))
    writer.apply(changes(before, after), Held("p", "all", 2), never)
    once = lines_in(place)
    writer.apply(changes(before, after), Held("p", "all", 2), never)
    assert lines_in(place) == once


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"# by hand\n")


def restore(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


@each_edited
@pytest.mark.parametrize("touch", [append, restore, Path.unlink])
def test_a_file_that_somebody_else_changed_is_written_whole(
    name: str, touch: Callable[[Path], None], tmp_path: Path
) -> None:
    place, writer = opened_at(name, tmp_path / "edited")
    before, after = (entries(name, {(kind, at): 50 for kind in KINDS for at in places}) for places in ((0, 1), (1, 2)))
    writer.write(iter(before), Held("p", "all", 1))
    touch(place if place.is_file() else place / "kakehashi-domain.lst")
    asked: list[bool] = []

    def all_of_it() -> Iterable[Entry]:
        asked.append(True)
        return iter(after)

    writer.apply(changes(before, after), Held("p", "all", 2), all_of_it)
    assert asked
    assert list(writer.check(iter(after))) == []


def test_the_next_process_writes_whole_once_and_edits_from_then_on(tmp_path: Path) -> None:
    one, two = [an_entry("one.example")], [an_entry("two.example")]
    output, target = outputs()["hosts"], Target("JPN", str(tmp_path / "hosts"))
    output.open(target).write(iter(one), Held("p", "all", 1))
    writer = output.open(target)
    writer.apply(changes(one, two), Held("p", "all", 2), whole(two))
    writer.apply(changes(two, one), Held("p", "all", 3), never)
    assert list(writer.check(iter(one))) == []


def test_a_value_of_two_types_stays_in_a_plain_list_until_both_have_left(tmp_path: Path) -> None:
    both = sorted((an_entry("a" * 32, "file-md5"), an_entry("a" * 32, "ja3")), key=lambda each: each.id)
    _, writer = opened_at("values", tmp_path / "values")
    writer.write(iter(both), Held("p", "all", 1))
    assert list(writer.check(iter(both))) == []
    writer.apply([removal(both[0])], Held("p", "all", 2), whole(both[1:]))
    assert list(writer.check(iter(both[1:]))) == []
    assert (tmp_path / "values" / "target").read_bytes().endswith(b"a" * 32 + b"\n")


def test_a_network_whose_score_changes_has_one_line(tmp_path: Path) -> None:
    place, writer = opened_at("suricata", tmp_path / "edited")
    before = an_entry("192.0.2.0/24", "ipv4-net", confidence=10)
    writer.write(iter([before]), Held("p", "all", 1))
    writer.apply([Put(msgspec.structs.replace(before, confidence=90))], Held("p", "all", 2), never)
    assert (place / "kakehashi-reputation.list").read_text() == "192.0.2.0/24,1,90\n"
