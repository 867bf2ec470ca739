"""A key that is in an object twice is found, however the text is spaced and escaped."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.readers.document import repeated_keys

TEXTS = st.text('ab":\\ \n/é\u2028', max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS


class Members(dict[str, Any]):
    """An object that is written with its members as they are, also twice."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members or [("x", 0)])
        self.members = members

    def items(self) -> Any:
        return self.members

    @property
    def repeats(self) -> int:
        return len(self.members) - len(dict(self.members))


def objects_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.lists(st.tuples(TEXTS, values), max_size=4)
    return members.map(Members) | st.lists(values, max_size=3)


def repeats_in(value: Any) -> int:
    if isinstance(value, Members):
        return value.repeats + sum(repeats_in(each) for _, each in value.members)
    return sum(map(repeats_in, value)) if isinstance(value, list) else 0


@given(
    st.recursive(SCALARS, objects_of, max_leaves=12),
    st.sampled_from([None, 1]),
    st.sampled_from([":", ": ", " : ", "\t:", "\n:", "\r:"]),
    st.booleans(),
)
def test_repeated_keys_are_counted(value: Any, indent: int | None, colon: str, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, separators=(",", colon), ensure_ascii=is_ascii)
    assert repeated_keys(text.encode("utf-8", "surrogatepass")) == repeats_in(value)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b'{"a":1,"b":1}', 0),
        (b'{"a":1,"a":1}', 1),
        (b'{"a":1,"\\u0061":1}', 1),
        (b'{"a":1,"a":"\\u0022:"}', 1),  # what is written again has one colon more behind a quote
        (b'{"a":"\\u0022:","a":1}', 1),
        (b'{"a" :1, "a" :1}', 1),
        (b'{"a":{"b":" :"},"a":1}', 1),
        (b'{"a":[{"b":1,"b":2}],"b":1e400}', 1),
        (b'{"a":NaN,"a":1}', 1),
    ],
)
def test_a_key_that_is_there_twice_is_found(text: bytes, count: int) -> None:
    assert repeated_keys(text) == count


def test_a_key_that_is_there_twice_is_found_in_a_long_text() -> None:
    members = ",".join(f'"k{number}":{number}' for number in range(20_000))
    assert repeated_keys(f"{{{members}}}".encode()) == 0
    assert repeated_keys(f'{{{members},"k7":1}}'.encode()) == 1
