"""What a source takes back is withdrawn: by its objects, or because it left a list that is declared a snapshot."""

from collections.abc import Iterable
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from producers.readers.reading import Reading, Seen, Withdrawn
from producers.report import observations_of
from producers.spool.batch import Step
from producers.spool.fill import fill
from producers.spool.spool import Spool
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, Withdrawal
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, SENSOR, reports_in, run

A, B, C = "a.example.com", "b.example.com", "c.example.com"
DOMAIN = IndicatorType.DOMAIN_NAME


def ends_in(spool: Spool) -> list[tuple[str, Withdrawal | None]]:
    """All that is spooled, in order: each value, and its withdrawal if it is one."""
    return [(each.value, each.withdrawal) for report in reports_in(spool) for each in observations_of(report)]


def state_of(spool: Spool) -> dict[str, bool]:
    """Each value, and whether its last statement asserts it."""
    return {value: withdrawal is None for value, withdrawal in ends_in(spool)}


def seen(value: str, name: str = "", modified_ms: int = 0, line: int = 1) -> Seen:
    return Seen(SourcePlace("f", line), Observation(DOMAIN, value), (), name, modified_ms)


def gone(value: str, name: str, modified_ms: int = 0, line: int = 1) -> Withdrawn:
    place, how = SourcePlace("f", line), Withdrawal.REVOKED
    return Withdrawn(
        place, "revoked", kind=DOMAIN, value=value, withdrawal=how, object_id=name, modified_ms=modified_ms
    )


def filled(spool: Spool, *readings: Reading) -> list[Step]:
    digest = bytes(repr(readings), "utf-8")
    state = spool.open_input("f", 1, digest, NOW_MS)
    return list(fill(readings, state, spool, sensor=SENSOR, tool="t", codec=CODEC, now_ms=lambda: NOW_MS))


def left_out(steps: Iterable[Step]) -> dict[str, int]:
    return {rule: count for step in steps for rule, count in step.left_out.items()}


def test_an_object_that_is_revoked_in_a_later_file_is_withdrawn(sensor_spool: Spool) -> None:
    filled(sensor_spool, seen(A, "one", 1))
    filled(sensor_spool, gone(A, "one", 2))
    assert ends_in(sensor_spool) == [(A, None), (A, Withdrawal.REVOKED)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_version_counts_in_any_order_of_files(sensor_spool: Spool, order: tuple[int, ...]) -> None:
    versions: list[Reading] = [seen(A, "one", 1), gone(A, "one", 2), seen(A, "one", 3)]
    for place in order:
        filled(sensor_spool, versions[place])
    assert state_of(sensor_spool) == {A: True}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_revocation_that_is_the_newest_version_counts_in_any_order(
    sensor_spool: Spool, order: tuple[int, ...]
) -> None:
    versions: list[Reading] = [seen(A, "one", 1), seen(A, "one", 2), gone(A, "one", 3)]
    for place in order:
        filled(sensor_spool, versions[place])
    assert state_of(sensor_spool)[A] is False


def test_of_a_revocation_and_a_report_of_one_time_the_revocation_counts(sensor_spool: Spool) -> None:
    filled(sensor_spool, gone(A, "one", 2))
    assert left_out(filled(sensor_spool, seen(A, "one", 2))) == {"superseded": 1}
    assert state_of(sensor_spool) == {A: False}


def test_a_value_is_withdrawn_with_the_last_of_its_objects(sensor_spool: Spool) -> None:
    filled(sensor_spool, seen(A, "one", 1, 1), seen(A, "two", 1, 2))
    assert left_out(filled(sensor_spool, gone(A, "one", 2))) == {"still-asserted": 1}
    assert state_of(sensor_spool) == {A: True}
    filled(sensor_spool, gone(A, "two", 2))
    assert state_of(sensor_spool) == {A: False}


def test_two_spellings_of_one_value_are_one_value(sensor_spool: Spool) -> None:
    filled(sensor_spool, seen("A.example.com.", "one", 1, 1), seen("a[.]example[.]com", "two", 1, 2))
    assert left_out(filled(sensor_spool, gone(A, "one", 2))) == {"still-asserted": 1}


def test_a_newer_version_withdraws_the_values_that_it_does_not_have(sensor_spool: Spool) -> None:
    filled(sensor_spool, seen(A, "one", 1, 1), seen(B, "one", 1, 1), seen(C, "two", 1, 2))
    filled(sensor_spool, seen(B, "one", 2, 1), seen(C, "two", 1, 2))
    assert state_of(sensor_spool) == {A: False, B: True, C: True}


def test_a_report_and_its_withdrawal_in_one_file_go_in_two_reports(sensor_spool: Spool) -> None:
    filled(sensor_spool, seen(A, "one", 1, 1), gone(A, "one", 2, 2))
    assert [len(report["values"]) for report in reports_in(sensor_spool)] == [1, 1]
    assert state_of(sensor_spool) == {A: False}


def test_after_a_lost_spool_a_revocation_is_still_a_withdrawal(sensor_spool: Spool) -> None:
    filled(sensor_spool, gone(A, "one", 2))
    assert ends_in(sensor_spool) == [(A, Withdrawal.REVOKED)]


def test_an_object_that_merely_is_not_for_detection_ends_only_what_it_asserted(sensor_spool: Spool) -> None:
    silent = msgspec.structs.replace(gone(A, "one", 2), implied=True)
    assert left_out(filled(sensor_spool, silent)) == {"revoked": 1}
    assert reports_in(sensor_spool) == []
    filled(sensor_spool, seen(B, "two", 1))
    filled(sensor_spool, msgspec.structs.replace(gone(B, "two", 2), implied=True))
    assert state_of(sensor_spool) == {B: False}


def a_list(folder: Path, *values: str, name: str = "list.txt") -> Path:
    file = folder / name
    file.write_text("".join(f"{value}\n" for value in values))
    return file


def test_what_left_a_snapshot_is_withdrawn_and_what_returns_is_reported_again(
    sensor_spool: Spool, tmp_path: Path
) -> None:
    assert run(sensor_spool, a_list(tmp_path, A, B, C), snapshot="").withdrawn == 0
    assert run(sensor_spool, a_list(tmp_path, A, C), snapshot="").withdrawn == 1
    assert state_of(sensor_spool) == {A: True, B: False, C: True}
    run(sensor_spool, a_list(tmp_path, A, B, C, name="of-another-day.txt"), snapshot="")
    assert state_of(sensor_spool) == {A: True, B: True, C: True}


def test_without_being_declared_a_snapshot_a_list_withdraws_nothing(sensor_spool: Spool, tmp_path: Path) -> None:
    run(sensor_spool, a_list(tmp_path, A, B, C))
    assert run(sensor_spool, a_list(tmp_path, A)).withdrawn == 0


def test_the_same_snapshot_again_withdraws_nothing_and_counts_nothing_twice(
    sensor_spool: Spool, tmp_path: Path
) -> None:
    run(sensor_spool, a_list(tmp_path, A, B), snapshot="")
    again = run(sensor_spool, a_list(tmp_path, A, B), snapshot="")
    assert (again.withdrawn, again.observations) == (0, 0)
    assert run(sensor_spool, a_list(tmp_path, A, B, C), snapshot="").observations == 1, "it has grown by one line"


@pytest.mark.parametrize("left", [(), (A,)])
def test_a_snapshot_that_lost_most_of_its_lines_withdraws_nothing_before_a_person_agrees(
    sensor_spool: Spool, tmp_path: Path, left: tuple[str, ...]
) -> None:
    run(sensor_spool, a_list(tmp_path, A, B, C), snapshot="")
    cut = run(sensor_spool, a_list(tmp_path, *left), snapshot="")
    assert (cut.withdrawn, cut.kept is not None and cut.kept.gone) == (0, 3 - len(left))
    agreed = run(sensor_spool, a_list(tmp_path, *left), snapshot="", accept_removals=True)
    assert (agreed.withdrawn, agreed.kept) == (3 - len(left), None)


@pytest.mark.parametrize("line", [f"*.{B} {B}", f"198.51.100.300 {B.upper()}", f"bad quote {B.replace('.', '[.]')}"])
def test_a_line_of_a_snapshot_that_is_refused_does_not_end_the_value_that_it_mentions(
    sensor_spool: Spool, tmp_path: Path, line: str
) -> None:
    run(sensor_spool, a_list(tmp_path, A, B, C), snapshot="")
    again = run(sensor_spool, a_list(tmp_path, A, line), snapshot="")
    assert (again.withdrawn, sum(again.rejected.values())) == (1, 1)
    assert state_of(sensor_spool) == {A: True, B: True, C: False}
    assert run(sensor_spool, a_list(tmp_path, A, C), snapshot="").withdrawn == 1


@pytest.mark.parametrize("line", [b"\xff\xfe\x80", b"caf\xe9.\xe9xample"])
def test_while_a_line_of_a_snapshot_is_no_text_nothing_is_withdrawn_unless_a_person_agrees(
    sensor_spool: Spool, tmp_path: Path, line: bytes
) -> None:
    run(sensor_spool, a_list(tmp_path, A, B, C), snapshot="")
    file = a_list(tmp_path, A, B)
    file.write_bytes(file.read_bytes() + line + b"\n")
    kept = run(sensor_spool, file, snapshot="")
    assert kept.withdrawn == 0
    assert kept.kept is not None
    assert kept.kept.reason == f"line 3 of {file} could not be read"
    assert run(sensor_spool, file, snapshot="", accept_removals=True).withdrawn == 1


def test_a_row_of_a_snapshot_that_its_status_ends_is_withdrawn_once(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for status, withdrawn in (("active", 0), ("inactive", 1), ("active", 0)):
        file.write_text(f"domain,status\n{A},{status}\n{B},active\n")
        assert run(sensor_spool, file, snapshot="").withdrawn == withdrawn
    assert state_of(sensor_spool) == {A: True, B: True}


def test_a_snapshot_of_several_files_is_all_of_them_together(sensor_spool: Spool, tmp_path: Path) -> None:
    one, two = a_list(tmp_path, A, B, name="one.txt"), a_list(tmp_path, C, name="two.txt")
    run(sensor_spool, one, two, snapshot="")
    assert run(sensor_spool, two, a_list(tmp_path, A, name="one.txt"), snapshot="").withdrawn == 1
    assert state_of(sensor_spool) == {A: True, B: False, C: True}


def test_snapshots_of_two_feeds_of_one_sensor_do_not_end_each_other(sensor_spool: Spool, tmp_path: Path) -> None:
    run(sensor_spool, a_list(tmp_path, A, B), snapshot="one")
    assert run(sensor_spool, a_list(tmp_path, C, name="other.txt"), snapshot="two").withdrawn == 0
