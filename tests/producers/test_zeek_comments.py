"""A comment of a Zeek log is about all its rows, whatever ends the line before it."""

import pytest

from tests.producers.reading_feeds import observations, readings
from tests.producers.test_zeek_log import FORMAT, OTHER, OURS, THEIRS, a_log


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_a_comment_behind_the_last_row_marks_all_rows(line_break: str) -> None:
    names = "ts id.orig_h id.orig_p id.resp_h id.resp_p proto note msg"
    row = f"1795000000.25\t{OURS}\t50123\t{THEIRS}\t443\ttcp\tMade::Up\tm"
    content = a_log("notice", names, row, f"{row.replace(THEIRS, OTHER)}{line_break}# TLP:RED")
    assert [each.marking.tlp for each in observations(readings(FORMAT, content))] == ["TLP:RED"] * 2
