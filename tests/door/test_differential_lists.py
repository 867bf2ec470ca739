"""What a plain look at every list and EVE file finds, compared with what our readers take, line by line.

``list_differences.toml`` has the kinds of differences with their reasons, and how many of each kind a file has: one
more or less is a finding. Our label is never looser than one in the line or in the file's comments, and nothing is
taken back without a word that could mean it.
"""

import gzip
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from producers.readers.formats import readings_of
from producers.readers.reading import Defaults, Seen, Withdrawn
from schemas.markings import Tlp, understand
from schemas.normalise import Invalid, canonical
from tests.door.independent_lists import bare_of, by_look, by_look_in_json
from tests.door.outcomes import INPUTS
from tests.producers.reading_feeds import FEEDS, an_input

DIFFERENCES = Path(__file__).with_name("list_differences.toml")
MOST_BYTES = 400_000
FORMATS = ("csv-list", "txt-list", "suricata-eve")


def files() -> list[Path]:
    """The recorded feeds and the door's inputs."""
    recorded = [
        path
        for name in ("csv", "suricata", "txt", "odd")
        if (FEEDS / name).exists()
        for path in (FEEDS / name).iterdir()
    ]
    inputs = [path for path in INPUTS.iterdir() if path.suffix in (".csv", ".txt", ".json", ".dat")]
    return sorted([*recorded, *inputs])


def differences(path: Path) -> Counter[str]:
    """How often each kind of difference occurs in a file; empty if it is of no such format or not in UTF-8."""
    content = path.read_bytes()
    try:
        content = (gzip.decompress(content) if path.suffix == ".gz" else content)[:MOST_BYTES]
    except EOFError:  # recorded so: cut
        return Counter()
    content = content[: content.rfind(b"\n") + 1] or content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Counter()
    readings, reader = readings_of(an_input(content, path.name), "auto", Defaults())
    if reader is None or reader.name not in FORMATS:
        return Counter()
    reported = by_look_in_json(text) if reader.name == "suricata-eve" else by_look(text)
    ours: dict[int, set[str]] = defaultdict(set)
    kinds = Counter[str]()
    for reading in readings:
        if isinstance(reading, Withdrawn):
            assert reported[reading.place.line].may_be_over, f"line {reading.place.line}: taken back without a word"
        if not isinstance(reading, Seen):
            continue
        line, seen = reported[reading.place.line], reading.observation
        assert seen.withdrawal is None or line.may_be_over, f"line {reading.place.line}: taken back without a word"
        label = understand(seen.marking).tlp
        held = bool(seen.marking.caveats) or seen.marking.releasable_to == ()
        stated = None if label is Tlp.UNMARKED else label
        if line.tlp is not None:
            assert held or (stated is not None and stated >= line.tlp), (
                f"line {reading.place.line}: looser than its label"
            )
        if stated != line.tlp:
            kinds["other-label"] += 1
        spelled = canonical(seen.kind, seen.value)
        if not isinstance(spelled, Invalid):
            ours[reading.place.line].add(bare_of(spelled[1]))
    for number, line in reported.items():
        if ours[number] - line.values:
            kinds["other-values"] += 1
        elif line.values - ours[number]:
            kinds["fewer-values" if ours[number] else "no-values"] += 1
    return kinds


def listed() -> dict[str, dict[str, int]]:
    """The differences that are known, by file; under ``why`` the reasons."""
    return tomllib.loads(DIFFERENCES.read_text("utf-8"))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_a_plain_look_at_a_list_differs_only_as_it_is_listed(path: Path) -> None:
    assert differences(path) == Counter(listed().get(path.name, {}))


def test_each_kind_of_difference_has_a_reason_and_occurs() -> None:
    known = listed()
    reasons = known.pop("why")
    assert {kind for counts in known.values() for kind in counts} == set(reasons)
    assert set(known) <= {path.name for path in files()}
