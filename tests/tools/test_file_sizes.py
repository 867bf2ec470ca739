"""The check of file sizes refuses a file that is too long, and one that is listed as longer only if it has grown."""

from tools.file_sizes import LONGER, MOST_LINES, sizes_of, too_long


def test_a_file_with_one_line_too_many_is_refused_by_its_name() -> None:
    assert list(too_long({"streams/new.py": MOST_LINES})) == []
    (found,) = too_long({"streams/new.py": MOST_LINES + 1})
    assert found.startswith("streams/new.py has 301 lines")


def test_a_file_that_is_listed_as_longer_may_shrink_and_not_grow() -> None:
    assert list(too_long({"a.py": 350}, {"a.py": 350})) == []
    assert len(list(too_long({"a.py": 351}, {"a.py": 350}))) == 1


def test_no_file_of_the_repository_is_too_long_and_no_listed_one_is_gone() -> None:
    sizes = sizes_of()
    assert list(too_long(sizes)) == []
    assert set(LONGER) <= set(sizes)
