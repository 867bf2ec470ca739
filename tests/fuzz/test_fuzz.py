"""A short run of the fuzzer over what comes from outside, and whether it would notice what it is there to notice.

The long run: ``make fuzz MINUTES=10 SEED=7``.
"""

import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from producers.readers.formats import readers
from tests.fuzz import corpus
from tests.fuzz.hunt import HANG_S, Found, hunt
from tests.fuzz.mutate import spoilt, spoilt_document
from tests.fuzz.run import main
from tests.fuzz.targets import Lost, Target, case, take_input, targets

CASES = 60
SEED = 20_261_126


@pytest.fixture(scope="module")
def found() -> Found:
    """Some cases at every target: what is bad by design first, then what is mutated."""
    return hunt(SEED, range(CASES))


def test_nothing_from_outside_crashes_hangs_or_takes_much_memory(found: Found) -> None:
    assert found.findings == []
    assert {name: tally.cases for name, tally in found.tallies.items()} == {
        each.name: CASES * each.cases for each in targets()
    }
    assert max(tally.slowest_s for tally in found.tallies.values()) < HANG_S


@pytest.mark.parametrize("name", [each.name for each in targets()])
def test_the_cases_reach_what_lies_behind_the_first_check(found: Found, name: str) -> None:
    """A fuzzer whose every case fails at the first byte tries nothing."""
    assert set(found.tallies[name].fates) & {"valid", "accepted", "in: Accepted", "in: dict", "as meant"}
    assert len(found.tallies[name].fates) > 2


def test_seed_and_number_give_the_same_bytes_again() -> None:
    for target in targets():
        first, again, other = (
            [target.spoil(Random(f"{seed} {number}")) for number in range(30)] for seed in ("one", "one", "two")
        )
        assert first == again
        assert first != other


@pytest.mark.parametrize("format_name", readers())
def test_each_format_has_a_seed_of_which_its_reader_takes_something(format_name: str) -> None:
    assert any(take_input(format_name, seed)["valid"] for seed in corpus.inputs(format_name))


def test_a_format_without_a_seed_is_an_error_that_names_it() -> None:
    with pytest.raises(LookupError, match="never-heard-of: no seeds for the fuzzer, add some to"):
        corpus.inputs("never-heard-of")


def test_most_cases_are_no_longer_what_they_were() -> None:
    seeds = corpus.reports()
    changed = [spoilt(Random(number), seeds[-1], seeds) != seeds[-1] for number in range(200)]
    assert sum(changed) > 150
    (document, *_) = corpus.documents("misp-event")
    assert len({spoilt_document(Random(number), document) for number in range(50)}) > 30


# -- what the hunt notices ---------------------------------------------------------------------------------------------


def _spoil(random: Random) -> bytes:
    return random.randbytes(2)


def _none() -> tuple[bytes, ...]:
    return ()


def _fine(data: bytes) -> Counter[str]:
    return Counter(("fine",))


def _loses(data: bytes) -> Counter[str]:
    raise Lost("gone")


def _hangs(data: bytes) -> Counter[str]:
    time.sleep(60)
    return Counter()


def _dies(data: bytes) -> Counter[str]:
    os._exit(7)


def _eats(data: bytes) -> Counter[str]:
    return Counter((str(len(b"\1" * (160 << 20))),))


def bad_targets() -> list[Target]:
    """One of each kind of failure, and a good one behind them."""
    takes = {"loses": _loses, "hangs": _hangs, "dies": _dies, "eats": _eats, "is fine": _fine}
    return [Target(name, _none, _spoil, take) for name, take in takes.items()]


def test_a_loss_a_hang_a_death_and_an_eater_of_memory_are_each_found_and_the_rest_is_still_tried() -> None:
    found = hunt(1, range(1), of=bad_targets, hang_s=8.0, memory=64 << 20)
    wrong = {finding.target: finding.wrong for finding in found.findings}
    assert set(wrong) == {"loses", "hangs", "dies", "eats"}
    assert wrong["loses"].startswith("Lost: gone")
    assert "did not come back" in wrong["hangs"]
    assert "exit 7" in wrong["dies"]
    assert "MiB of memory" in wrong["eats"]
    assert found.tallies["is fine"].cases == 1


def test_the_command_shows_what_it_tried_and_writes_a_case_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "case"
    chosen = ["--seed", "3", "--only", "receipts", "--case", "17"]
    assert main([*chosen, "--keep", str(kept)]) == 0
    (target,) = (each for each in targets() if "receipts" in each.name)
    assert kept.read_bytes() == case(target, 3, 17)
    assert main([*chosen, "--report", str(tmp_path / "report.json")]) == 0
    assert "1 cases, 0 findings" in capsys.readouterr().out
    assert (tmp_path / "report.json").read_text("utf-8").startswith('{\n  "seed": 3')
