"""The laws of every output: whole, current, without what left, the same twice, and readable by its own check.

An output whose place is no file or folder needs a target: add one to ``TARGETS``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.known import outputs, understood
from consumers.outputs.protocol import Held, LeftOut, Output, Put, Remove, Target, Writer
from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from schemas.vocabulary import IndicatorType
from tests.builders import an_entry
from tests.consumers.outputs.pushed import pushed_targets

TARGETS: Final[Mapping[str, Callable[[Path], Target]]] = pushed_targets()
"""Targets of outputs whose place is neither FILE nor DIR, by the output's name."""

VALUES: Final[Mapping[IndicatorType, tuple[str, str, str]]] = {
    IndicatorType.IPV4_ADDR: ("192.0.2.17", "198.51.100.77", "203.0.113.177"),
    IndicatorType.IPV6_ADDR: ("2001:db8::17", "2001:db8:1::77", "2001:db8:2::177"),
    IndicatorType.IPV4_NET: ("192.0.2.128/25", "198.51.100.128/25", "203.0.113.128/25"),
    IndicatorType.IPV6_NET: ("2001:db8:a::/48", "2001:db8:b::/48", "2001:db8:c::/48"),
    IndicatorType.DOMAIN_NAME: ("one.example", "two.example.org", "three.example.net"),
    IndicatorType.URL: ("http://one.example/a", "https://two.example/b?c=d", "http://192.0.2.18/e"),
    IndicatorType.FILE_MD5: ("1" * 32, "2" * 32, "3" * 32),
    IndicatorType.FILE_SHA1: ("1" * 40, "2" * 40, "3" * 40),
    IndicatorType.FILE_SHA256: ("1" * 64, "2" * 64, "3" * 64),
    IndicatorType.FILE_SHA512: ("1" * 128, "2" * 128, "3" * 128),
    IndicatorType.EMAIL_ADDR: ("one@example.com", "two@example.org", "three@example.net"),
    IndicatorType.AUTONOMOUS_SYSTEM: ("AS64500", "AS64501", "AS64502"),
    IndicatorType.JA3: ("a" * 32, "b" * 32, "c" * 32),
    IndicatorType.JA4: (
        "t13d1516h2_8daaf6152771_b186095e22b6",
        "t13d1517h2_8daaf6152772_b186095e22b7",
        "t13d1518h2_8daaf6152773_b186095e22b8",
    ),
    IndicatorType.X509_SHA1: ("4" * 40, "5" * 40, "6" * 40),
    IndicatorType.X509_SHA256: ("4" * 64, "5" * 64, "6" * 64),
    IndicatorType.USER_AGENT: ("one/1.0 (made; up)", "Two/2.0, 'made up'", "三/3.0"),
    IndicatorType.MUTEX: ("Global\\one", "two {made up}", "Three"),
    IndicatorType.REGISTRY_KEY: (
        "HKEY_LOCAL_MACHINE\\software\\one",
        "HKEY_CURRENT_USER\\software\\two three",
        "HKEY_USERS\\.default\\three",
    ),
    IndicatorType.IMPHASH: ("4" * 32, "5" * 32, "6" * 32),
    IndicatorType.FILE_NAME: ("one-invoice.exe", "two-invoice.exe", "three-invoice.exe"),
}
PICTURE: Final = "0123456789abcdef"
each_output = pytest.mark.parametrize("output", outputs().values(), ids=lambda output: output.name)


def target_for(output: Output, folder: Path) -> Target:
    """A fresh target."""
    if output.name in TARGETS:
        return TARGETS[output.name](folder)
    assert output.place in {"FILE", "DIR"}, f"TARGETS needs a target of {output.name}"
    place = folder / "target"
    if output.place == "DIR":
        place.mkdir()
    return Target("JPN", str(place))


def entries_of(output: Output, at: Sequence[int] = (0, 1, 2)) -> list[Entry]:
    """Indicators of each type that it carries, in the order of their ids."""
    found = [an_entry(VALUES[kind][index], kind.label, pap="PAP:GREEN") for kind in output.carries for index in at]
    return sorted(found, key=lambda entry: entry.id)


def held(added_us: int) -> Held:
    return Held(PICTURE, "all", added_us)


def removal(entry: Entry, state: State = State.RECALLED) -> Remove:
    return Remove(entry.id, entry.origin, entry.type, entry.value, state, entry.version + 1)


def whole(entries: Iterable[Entry]) -> Callable[[], Iterable[Entry]]:
    return lambda: entries


def differences(writer: Writer, entries: Iterable[Entry]) -> list[object]:
    return list(writer.check(entries))


@each_output
def test_it_describes_itself_in_lines_that_fit_a_table(output: Output) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", output.name)
    assert output.carries
    for text in (output.writes, output.place, *output.options, *output.options.values()):
        assert text.strip()
        assert not set(text) & {"\n", "|"}


@each_output
def test_a_target_that_nothing_was_written_to_holds_nothing(output: Output, tmp_path: Path) -> None:
    target = target_for(output, tmp_path)
    writer = output.open(target)
    assert writer.held() is None
    assert differences(writer, []) == []
    writer.close()


@each_output
def test_what_is_written_is_held_by_the_next_process_and_has_no_differences(output: Output, tmp_path: Path) -> None:
    target, entries = target_for(output, tmp_path), entries_of(output)
    writer = output.open(target)
    report = writer.write(iter(entries), held(7))
    assert report.written + sum(report.left_out.values()) == len(entries)
    assert not report.left_out
    writer.close()
    again = output.open(target)
    assert again.held() == held(7)
    assert differences(again, iter(entries)) == []
    again.close()


@each_output
def test_what_it_should_hold_and_does_not_is_found(output: Output, tmp_path: Path) -> None:
    target, entries = target_for(output, tmp_path), entries_of(output)
    writer = output.open(target)
    writer.write(iter(entries[1:]), held(7))
    assert [each.kind for each in writer.check(iter(entries))] == ["missing"]
    writer.write(iter(entries), held(8))
    assert [each.kind for each in writer.check(iter(entries[1:]))] == ["extra"]
    writer.close()


@each_output
def test_what_left_leaves_and_what_came_comes_also_if_applied_twice(output: Output, tmp_path: Path) -> None:
    target, before = target_for(output, tmp_path), entries_of(output, (0, 1))
    leaving, after = entries_of(output, (0,)), entries_of(output, (1, 2))
    writer = output.open(target)
    writer.write(iter(before), held(7))
    changes: list[Put | Remove] = [*map(removal, leaving), *map(Put, entries_of(output, (2,)))]
    for _ in range(2):
        writer.apply(changes, held(9), whole(after))
        assert writer.held() == held(9)
        assert differences(writer, iter(after)) == []
    writer.close()


@each_output
def test_removing_what_was_never_there_changes_nothing(output: Output, tmp_path: Path) -> None:
    target, entries = target_for(output, tmp_path), entries_of(output, (0, 1))
    writer = output.open(target)
    writer.write(iter(entries), held(7))
    writer.apply([removal(each) for each in entries_of(output, (2,))], held(8), whole(entries))
    assert differences(writer, iter(entries)) == []
    writer.close()


@each_output
def test_a_later_whole_write_replaces_all_that_was_there(output: Output, tmp_path: Path) -> None:
    target, entries = target_for(output, tmp_path), entries_of(output, (2,))
    writer = output.open(target)
    writer.write(iter(entries_of(output)), held(7))
    writer.write(iter(entries), held(3))
    assert (writer.held(), differences(writer, iter(entries))) == (held(3), [])
    writer.write(iter([]), held(4))
    assert differences(writer, iter([])) == []
    writer.close()


@each_output
def test_a_write_that_fails_half_way_leaves_the_target_as_it_was(output: Output, tmp_path: Path) -> None:
    def broken() -> Iterable[Entry]:
        yield from entries_of(output, (1,))
        raise LookupError

    target, entries = target_for(output, tmp_path), entries_of(output, (0, 1))
    writer = output.open(target)
    writer.write(iter(entries), held(7))
    with pytest.raises(LookupError):
        writer.write(broken(), held(8))
    writer.close()
    again = output.open(target)
    assert (again.held(), differences(again, iter(entries))) == (held(7), [])
    again.close()


@each_output
def test_a_value_that_could_break_the_format_is_escaped_or_left_out_with_a_reason(
    output: Output, tmp_path: Path
) -> None:
    spoilt = [
        'a";b',
        "a\nb.example",
        "a%00b",
        "\x00",
        "\u202eevil.example",
        "=1+1",
        "@x",
        "-x",
        "+x",
        "a" * 70_000,
        ";",
        "'",
    ]
    kind = min(output.carries)
    entries = [an_entry(value, kind.label, labels=(value[:200],)) for value in spoilt]
    target = target_for(output, tmp_path)
    writer = output.open(target)
    report = writer.write(iter(sorted(entries, key=lambda each: each.id)), held(7))
    assert report.written + sum(report.left_out.values()) == len(entries)
    assert set(report.left_out) <= {LeftOut.VALUE, LeftOut.LIMIT}
    assert differences(writer, iter(sorted(entries, key=lambda each: each.id))) == []
    writer.close()


@each_output
def test_labels_of_64_kib_break_no_format(output: Output, tmp_path: Path) -> None:
    kind = min(output.carries)
    labels = ("a" * 65_536, "é漢" * 16_384, *(f"label-{number}" for number in range(4_000)))
    content = [
        an_entry(VALUES[kind][0], kind.label, labels=labels, pap="PAP:GREEN"),
        an_entry(VALUES[kind][1], kind.label),
    ]
    content.sort(key=lambda each: each.id)
    writer = output.open(target_for(output, tmp_path))
    report = writer.write(iter(content), held(7))
    assert report.written + sum(report.left_out.values()) == 2
    assert set(report.left_out) <= {LeftOut.LIMIT}
    assert differences(writer, iter(content)) == []
    writer.close()


def test_a_target_is_a_name_a_place_and_options() -> None:
    output, target = understood("hosts:/etc/hosts.d/kakehashi", "JPN")
    assert (output.name, target.place, dict(target.options)) == ("hosts", "/etc/hosts.d/kakehashi", {})
