"""Values for an output's property tests, and what a target holds after them."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, Report
from consumers.picture.entry import Entry
from tests.builders import an_entry

HELD: Final = Held("p", "all", 5)
HOSTILE: Final = st.text(
    st.one_of(st.sampled_from("\"';\\\n\r\t\0#-=+@.*,|$(){}\u202e\u2066\u200b\ufeffé漢"), st.characters(codec="utf-8")),
    max_size=40,
)
HOSTILE_EXAMPLES: Final = ('a"b', "a;b", "a\nb", "=1+1", "\u202eexe.pdf", "\0", "é漢", "a|b=c\\d", "'")
NAMES: Final = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63), min_size=1, max_size=6
).map(".".join)


def entries(values: Iterable[str], type: str = "domain-name") -> list[Entry]:
    """An indicator for each value, once, in the order of their ids."""
    return sorted((an_entry(value, type, pap="PAP:GREEN") for value in set(values)), key=lambda entry: entry.id)


def written(output: str, content: Iterable[Entry]) -> tuple[str, Report]:
    """The text of a file with this content, without its first line, and the report of the write."""
    with TemporaryDirectory() as folder:
        text, report = written_to(Path(folder) / "target", output, content)
    return text.partition("\n")[2], report


def written_to(place: Path, output: str, content: Iterable[Entry]) -> tuple[str, Report]:
    """The same in this place, and all of it."""
    _, _, writer = opened(f"{output}:{place}", "JPN")
    report = writer.write(content, HELD)
    return place.read_bytes().decode("utf-8"), report
