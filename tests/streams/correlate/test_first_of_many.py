"""The first labels and tearlines of all sources are the same in whatever parts the sources are kept: what is kept back,
and shares a part with others, does not show in them (docs/adr/0041)."""

from collections.abc import Collection

from hypothesis import example, given
from hypothesis import strategies as st

from schemas import tearline
from streams.correlate.terms import few_labels, kept_labels

TEXTS = st.frozensets(
    st.builds(lambda name, size: name.ljust(size, "x"), st.text("abcdé", min_size=1, max_size=2), st.integers(1, 900))
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example([frozenset({"a" * 1000}), frozenset({"b" * 100}), frozenset({"c"})])
def test_the_first_labels_are_those_of_all_in_whatever_parts(parts: list[Collection[str]]) -> None:
    kept: Collection[str] = frozenset()
    for part in parts:
        kept = kept_labels({*kept, *kept_labels(part)})
    assert few_labels(kept) == few_labels({label for part in parts for label in part})
    assert sum(len(label.encode()) for label in few_labels(kept)) <= 1024


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example([frozenset({"a" * 1000}), frozenset({"b" * 1000}), frozenset({"c" * 1000}), frozenset({"d"})])
def test_the_first_tearlines_are_those_of_all_in_whatever_parts(parts: list[Collection[str]]) -> None:
    kept: Collection[str] = frozenset()
    for part in parts:
        kept = tearline.kept({*kept, *tearline.kept(part)})
    assert tearline.first(kept) == tearline.first({text for part in parts for text in part})
    assert len("\n".join(tearline.first(kept)).encode()) <= tearline.MAX_TOGETHER_BYTES
