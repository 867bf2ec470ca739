"""Versions that the fast lane has carried ahead are known until the bulk has passed them, and no longer."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.bridge.overtaken import ASK_EVERY_S, Overtaken

KEYS = [b"a", b"b", b"c"]


class Lanes:
    """What was released, in order, and copies of some of it; the bulk and who looks ahead read at their own pace."""

    def __init__(self) -> None:
        self.released: list[tuple[bytes, int]] = []
        self.copies: list[tuple[bytes, int, int]] = []  # key, version, and where its original is
        self.bulk = self.noted = 0
        self.now_s = 0.0
        self.overtaken = Overtaken()

    def release(self, key: bytes, urgent: bool) -> None:
        version = 1 + len(self.released)
        if urgent:
            self.copies.append((key, version, len(self.released)))
        self.released.append((key, version))

    def look_ahead(self, count: int) -> None:
        for offset in range(self.noted, min(self.noted + count, len(self.copies))):
            key, version, _ = self.copies[offset]
            self.overtaken.note(offset, key, version)
            self.noted = offset + 1

    def carry(self, count: int) -> None:
        self.now_s += ASK_EVERY_S
        self.overtaken.bulk_at(self.bulk, self.now_s, lambda: len(self.released))
        self.bulk = min(self.bulk + count, len(self.released))

    def taken_anew(self) -> "Lanes":
        """Another owner, which begins where this one's committed position says."""
        begin = self.overtaken.begin
        self.overtaken = Overtaken()
        self.overtaken.begin_at(begin)
        known, self.noted = self.noted, begin
        self.look_ahead(known - begin)
        return self

    def wanted(self) -> dict[bytes, int]:
        """Of each key the highest version that has been seen ahead of the bulk."""
        return {key: version for key, version, original in self.copies[: self.noted] if original >= self.bulk}


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.sampled_from(KEYS), st.booleans()),
        st.tuples(st.just("look"), st.integers(0, 3)),
        st.tuples(st.just("carry"), st.integers(0, 3)),
        st.tuples(st.just("anew")),
    ),
    max_size=40,
)


@given(MOVES)
def test_a_version_ahead_of_the_bulk_is_known_until_the_bulk_has_passed_it(
    moves: list[tuple[object, ...]],
) -> None:
    lanes = Lanes()
    for move in moves:
        match move:
            case ("release", bytes(key), bool(urgent)):
                lanes.release(key, urgent)
            case ("look", int(count)):
                lanes.look_ahead(count)
            case ("carry", int(count)):
                lanes.carry(count)
            case ("anew",):
                lanes.taken_anew()
        for key, version in lanes.wanted().items():
            assert lanes.overtaken
            assert key in lanes.overtaken
            assert lanes.overtaken[key] >= version


def test_a_version_is_forgotten_once_the_bulk_has_passed_the_noted_end() -> None:
    lanes = Lanes()
    lanes.release(b"a", urgent=True)
    lanes.look_ahead(1)
    lanes.carry(1)
    lanes.release(b"b", urgent=False)
    assert b"a" in lanes.overtaken
    lanes.carry(1)
    assert not lanes.overtaken
    assert lanes.overtaken.begin == 1


def test_the_end_is_read_seldom_and_only_if_there_is_something_to_forget() -> None:
    overtaken, asked = Overtaken(), list[int]()

    def end() -> int:
        asked.append(1)
        return 0

    for tenth in range(100):
        overtaken.bulk_at(0, tenth / 10, end)
    assert not asked
    for tenth in range(100):
        overtaken.note(tenth, b"a", 1)
        overtaken.bulk_at(tenth, 10 + tenth / 10, end)
    assert 1 < len(asked) <= 1 + 10 / ASK_EVERY_S


def test_a_deletion_on_the_fast_lane_moves_its_position_only() -> None:
    overtaken = Overtaken()
    overtaken.note(4, b"a", 0)
    overtaken.note(5, None, 7)
    assert not overtaken
    assert overtaken.next == 6
