"""A changed, missing or moved entry of an audit chain is found, with its position."""

from collections.abc import Callable

import pytest

from schemas.codec import DECISION, Codec
from schemas.records import Decision
from streams.audit.entry import Head, after, first_break
from tests.builders import a_decision

CODEC = Codec()
Entry = tuple[Decision, bytes]


def a_chain(length: int) -> tuple[list[Entry], Head]:
    """A whole chain of a shard, and its head."""
    head, entries = Head(), []
    for number in range(length):
        decision = a_decision(decision_id=f"GBR-0-{number}", sequence=number, previous=head.last)
        encoded = CODEC.encode(DECISION, decision)
        entries.append((decision, encoded))
        head = after(head, encoded)
    return entries, head


def _altered(entries: list[Entry], place: int) -> list[Entry]:
    decision = a_decision(**{**entries[place][0], "outcome": "withhold"})
    return [*entries[:place], (decision, CODEC.encode(DECISION, decision)), *entries[place + 1 :]]


def _picked(entries: list[Entry], *places: int) -> list[Entry]:
    return [entries[place] for place in places]


CHANGES: dict[str, tuple[Callable[[list[Entry]], list[Entry]], str]] = {
    "altered": (lambda entries: _altered(entries, 2), "GBR-0-3: the entry before it was altered or replaced"),
    "started again": (lambda entries: _altered(entries, 0), "GBR-0-1: the entry before it was altered or replaced"),
    "left out": (lambda entries: _picked(entries, 0, 1, 3, 4), "GBR-0-3: entry 2 was expected here"),
    "moved": (lambda entries: _picked(entries, 0, 2, 1, 3, 4), "GBR-0-2: entry 1 was expected here"),
    "twice": (lambda entries: _picked(entries, 0, 1, 2, 2, 3, 4), "GBR-0-2: entry 3 was expected here"),
}


def test_a_whole_chain_has_no_break_from_any_beginning() -> None:
    entries, head = a_chain(5)
    assert first_break(entries, head) is None
    assert first_break(entries[2:], head) is None
    assert first_break([]) is None


@pytest.mark.parametrize("what", CHANGES)
def test_the_position_of_an_alteration_is_found(what: str) -> None:
    change, words = CHANGES[what]
    assert first_break(change(a_chain(5)[0])) == words


def test_only_the_head_shows_that_the_end_was_cut_off_or_the_last_entry_changed() -> None:
    entries, head = a_chain(5)
    assert first_break(entries[:4]) is None
    assert first_break(entries[:4], head) == "the chain ends before entry 4, and its state has 5 entries"
    assert first_break(_altered(entries, 4), head) == "GBR-0-4: the last entry was altered or replaced"
    assert first_break([], head) == "the chain ends before entry 0, and its state has 5 entries"
