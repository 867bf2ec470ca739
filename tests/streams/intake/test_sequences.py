"""Which reports of a sensor are counted, and how much in a minute, compared with plain sets of numbers."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.intake.sequences import SequenceFate, Sequences

MINUTE_MS = 60_000
QUOTA = 10


@dataclass(frozen=True)
class Sent:
    """A report as it is sent: ``key`` is its quarantine key if it is redriven."""

    epoch: int
    sequence: int
    size: int
    minute: int
    key: str = ""

    @property
    def appended_ms(self) -> int:
        return self.minute * MINUTE_MS + 7


@dataclass
class Plain:
    """Obviously correct as long as nothing must be forgotten: the numbers themselves."""

    numbers: dict[int, set[int]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    minute: int = -1
    used: int = 0

    def fate_of(self, sent: Sent) -> SequenceFate:
        whole = sent.key.endswith("--1")
        if sent.key in self.keys:
            return SequenceFate.DUPLICATE
        if sent.epoch > sent.appended_ms:
            return SequenceFate.FUTURE_EPOCH
        if (whole or not sent.key) and sent.sequence in self.numbers.get(sent.epoch, ()):
            return SequenceFate.DUPLICATE
        late = sent.epoch not in self.numbers and sent.epoch < max(self.numbers, default=0)
        if late and not sent.key:
            return SequenceFate.STALE
        used = max(1, sent.size) + (self.used if sent.minute == self.minute else 0)
        if used > QUOTA:
            return SequenceFate.OVER_QUOTA
        self.minute, self.used = sent.minute, used
        if sent.key:
            self.keys.add(sent.key)
        if not sent.key or (whole and not late):
            self.numbers.setdefault(sent.epoch, set()).add(sent.sequence)
        return SequenceFate.NEW


reports = st.lists(
    st.builds(
        Sent,
        epoch=st.integers(1, 4),
        sequence=st.integers(0, 6),
        size=st.integers(0, QUOTA + 2),
        minute=st.sampled_from([0, 0, 0, 1, 2]),
        key=st.sampled_from(["", "", "", "t-0-1--1", "t-0-2--1", "t-0-3-0", "t-0-4-7"]),
    ),
    max_size=30,
)


def counted(state: Sequences, keys: set[str], sent: Sent) -> tuple[Sequences, SequenceFate]:
    """One report through ``Sequences``, as intake does it."""
    where = (sent.epoch, sent.sequence, sent.size, sent.appended_ms)
    if not sent.key:
        fate = state.fate_of(*where, QUOTA)
        return (state.counted(*where) if fate is SequenceFate.NEW else state), fate
    if sent.key in keys:
        return state, SequenceFate.DUPLICATE
    whole = sent.key.endswith("--1")
    fate = state.fate_of_redriven(*where, QUOTA, whole=whole)
    if fate is SequenceFate.NEW:
        keys.add(sent.key)
        state = state.counted_redriven(*where, whole=whole)
    return state, fate


@given(reports)
def test_each_report_has_the_fate_that_plain_sets_of_numbers_give_it(log: list[Sent]) -> None:
    plain, state, keys = Plain(), Sequences(), set[str]()
    for sent in log:
        state, fate = counted(state, keys, sent)
        assert fate is plain.fate_of(sent), sent
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Sequences)
    assert {
        epoch.epoch: {n for low, high in epoch.intervals for n in range(low, high + 1)} for epoch in state.epochs
    } == plain.numbers


@given(reports)
def test_no_minute_accepts_more_than_the_quota(log: list[Sent]) -> None:
    """A minute is the broker's; its times do not go back here."""
    state, keys, taken = Sequences(), set[str](), Counter[int]()
    for sent in sorted(log, key=lambda sent: sent.minute):
        state, fate = counted(state, keys, sent)
        taken[sent.minute] += max(1, sent.size) if fate is SequenceFate.NEW else 0
    assert all(used <= QUOTA for used in taken.values())


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_opened_gaps_less_filled_ones_are_the_missing_numbers(numbers: list[int]) -> None:
    state, change = Sequences(), 0
    for number in numbers:
        if state.fate_of(1, number, 1, MINUTE_MS, 10_000) is SequenceFate.NEW:
            change += state.gap(1, number)
            state = state.counted(1, number, 1, MINUTE_MS)
    assert state.missing == change == max(numbers) + 1 - len(set(numbers))


def test_a_brokers_clock_that_was_ahead_and_is_corrected_stops_no_sensor() -> None:
    state = Sequences().counted(1, 0, QUOTA, 500 * MINUTE_MS)
    assert state.fate_of(1, 1, QUOTA, 500 * MINUTE_MS, QUOTA) is SequenceFate.OVER_QUOTA
    assert state.fate_of(1, 1, QUOTA, 3 * MINUTE_MS, QUOTA) is SequenceFate.NEW
