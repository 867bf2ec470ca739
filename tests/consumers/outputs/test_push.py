"""What every output that pushes promises, on a model of a receiver that fails at any moment and takes any part."""

from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.ledger import Ledger
from consumers.outputs.protocol import Change, Held, LeftOut, OutputUnavailable, Put, Remove
from consumers.outputs.push import Pushing
from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from tests.builders import an_entry
from tests.consumers.outputs.test_output_laws import removal, whole

VALUES = [f"{letter}.example" for letter in "abcdefgh"]


class Killed(BaseException):
    """The process ends here."""


class Model:
    """A receiver that holds values by id and origin. With ``chance`` it fails in the middle of a delivery, or kills."""

    at_once = 3

    def __init__(self, chance: Random | None = None) -> None:
        self.held: dict[tuple[str, str], Entry] = {}
        self.ledger, self.calls, self._chance = "", list[list[Change]](), chance
        self.refuses: set[str] = set()

    def fits(self, entry: Entry) -> LeftOut | None:
        return LeftOut.VALUE if " " in entry.value else None

    def is_known(self, ledger: str) -> bool:
        known, self.ledger = self.ledger == ledger, ledger
        if not known:
            self.held.clear()
        return known

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        self.calls.append(list(changes))
        stops_at = len(changes) + 1
        if self._chance is not None and self._chance.random() < 0.4:
            stops_at = self._chance.randint(0, len(changes))
        refused = []
        for place, change in enumerate(changes):
            if place == stops_at:
                break
            if isinstance(change, Remove):
                assert change.value == "" or change.state is State.RECALLED
                self.held.pop((change.id, change.origin), None)
            elif change.entry.value in self.refuses:
                refused.append(place)
            else:
                self.held[change.entry.id, change.entry.origin] = change.entry
        if stops_at <= len(changes):
            assert self._chance is not None
            raise Killed if self._chance.random() < 0.3 else OutputUnavailable("away")
        return refused

    def close(self) -> None:
        """Nothing is open."""


def held(added_us: int) -> Held:
    return Held("picture", "all", added_us)


def in_order(content: Collection[Entry]) -> list[Entry]:
    return sorted(content, key=lambda entry: entry.id)


def pushing(receiver: Model, path: Path) -> Pushing:
    return Pushing("model", receiver, Ledger(path / "ledger.sqlite"), lambda _: None)


@pytest.fixture
def receiver() -> Model:
    return Model()


STEPS = st.lists(st.tuples(st.sets(st.sampled_from(VALUES)), st.integers(0, 9), st.booleans()), min_size=1, max_size=6)


@given(STEPS, st.integers(0, 1 << 32))
@settings(max_examples=60)  # each syncs files
def test_whatever_fails_and_whenever_it_is_killed_the_receiver_ends_with_what_it_has_to_hold(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[set[str], int, bool]], seed: int
) -> None:
    path, receiver = tmp_path_factory.mktemp("push"), Model(Random(seed))
    now: dict[str, Entry] = {}
    writer = pushing(receiver, path)
    for number, (values, confidence, as_whole) in enumerate(steps, 1):
        after = {value: an_entry(value, confidence=confidence) for value in values}
        changes: list[Change] = [removal(each) for value, each in now.items() if value not in after]
        changes += map(Put, after.values())
        while True:
            try:
                if as_whole or writer.held() is None:
                    writer.write(iter(in_order(after.values())), held(number))
                else:
                    writer.apply(changes, held(number), whole([]))
                break
            except OutputUnavailable:
                continue
            except Killed:
                writer.close()
                writer = pushing(receiver, path)
        now = after
        assert {each.value: each for each in receiver.held.values()} == after
        assert writer.held() == held(number)
        assert list(writer.check(in_order(after.values()))) == []
    writer.close()


def test_the_position_moves_only_when_all_is_confirmed(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write([an_entry("a.example")], held(1))
    failing = Model(Random(1))
    failing.ledger = receiver.ledger
    failing.deliver = _away  # type: ignore[method-assign]
    writer.close()
    writer = pushing(failing, tmp_path)
    with pytest.raises(OutputUnavailable):
        writer.apply([removal(an_entry("a.example"))], held(2), whole([]))
    assert writer.held() == held(1)
    writer.close()


def _away(changes: Sequence[Change]) -> Collection[int]:
    raise OutputUnavailable(f"{len(changes)} changes are not taken")


def test_what_is_confirmed_is_not_sent_again_by_a_whole_write(receiver: Model, tmp_path: Path) -> None:
    content = in_order([an_entry(value) for value in VALUES])
    writer = pushing(receiver, tmp_path)
    writer.write(content, held(1))
    receiver.calls.clear()
    again = [msgspec.structs.replace(each, added_us=9) for each in content]
    again[3] = msgspec.structs.replace(again[3], confidence=1)
    writer.write(again, held(2))
    assert receiver.calls == [[Put(again[3])]]
    writer.close()


def test_removals_are_sent_before_all_else_and_name_no_value(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    gone = [an_entry(value) for value in VALUES[:4]]
    writer.write(in_order(gone), held(1))
    receiver.calls.clear()
    writer.apply([Put(an_entry("new.example")), *map(removal, gone)], held(2), whole([]))
    kinds = [type(change) for call in receiver.calls for change in call]
    assert kinds == [Remove] * 4 + [Put]
    writer.write([], held(3))
    [[left]] = receiver.calls[-1:]
    assert isinstance(left, Remove)
    assert left.value == ""
    writer.close()


def test_a_receiver_that_has_lost_everything_gets_it_again(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write([an_entry("a.example")], held(1))
    receiver.ledger = "another"
    assert writer.held() is None
    writer.write([an_entry("a.example")], held(1))
    assert [each.value for each in receiver.held.values()] == ["a.example"]
    writer.close()


def test_what_the_receiver_refuses_is_counted_and_an_earlier_version_of_it_removed(
    receiver: Model, tmp_path: Path
) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write(in_order([an_entry("a.example"), an_entry("b.example")]), held(1))
    receiver.refuses = {"a.example"}
    report = writer.apply([Put(an_entry("a.example", confidence=1))], held(2), whole([]))
    assert report.left_out == {LeftOut.VALUE: 1}
    assert [each.value for each in receiver.held.values()] == ["b.example"]
    writer.close()


def test_what_does_not_fit_any_more_is_removed(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write([an_entry("a.example")], held(1))
    spoilt = msgspec.structs.replace(an_entry("a.example"), value="a b")
    report = writer.apply([Put(spoilt)], held(2), whole([]))
    assert report.left_out == {LeftOut.VALUE: 1}
    assert receiver.held == {}
    writer.close()


def test_a_damaged_ledger_is_made_anew_and_everything_is_sent_again(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write([an_entry("a.example")], held(1))
    writer.close()
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database" * 1000)
    writer = pushing(receiver, tmp_path)
    assert writer.held() is None
    writer.write([an_entry("a.example")], held(1))
    assert list(writer.check([an_entry("a.example")])) == []
    writer.close()


def test_no_value_is_in_the_ledger(receiver: Model, tmp_path: Path) -> None:
    writer = pushing(receiver, tmp_path)
    writer.write([an_entry("a-recalled-value.example")], held(1))
    assert b"recalled" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    writer.close()
