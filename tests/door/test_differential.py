"""What python-stix2 and PyMISP read in every STIX and MISP file, compared with what our readers take.

``differences.toml`` has the kinds of differences with their reasons, and how many of each kind a file has: one more or
less is a finding. In no case is our label looser than the library's.
"""

import gzip
import logging
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from producers.readers.formats import readers
from producers.readers.reading import Defaults, Seen
from schemas.markings import Tlp, understand
from tests.door.independent import Stated, by_pymisp, by_stix2
from tests.producers.reading_feeds import FEEDS, an_input

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own

INPUTS = Path(__file__).parent / "inputs"
DIFFERENCES = Path(__file__).with_name("differences.toml")


def files() -> list[Path]:
    """The recorded feeds and the door's inputs of both formats."""
    recorded = [path for name in ("stix", "misp") for path in (FEEDS / name).iterdir()]
    return sorted([*recorded, *(path for path in INPUTS.glob("*.json") if "stix" in path.name or "misp" in path.name)])


def listed() -> dict[str, dict[str, int]]:
    """The differences that are known, by file; under ``why`` the reasons."""
    return tomllib.loads(DIFFERENCES.read_text("utf-8"))


def differences(path: Path) -> Counter[str]:
    """How often each kind of difference occurs in a file."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    is_stix = path.parent.name == "stix" or "stix" in path.name
    ours = _ours("stix-bundle" if is_stix else "misp-event", content)
    try:
        stated = list((by_stix2 if is_stix else by_pymisp)(content))
    except Exception:  # whatever a library raises on a broken document
        return Counter({"library-fails": 1})
    return Counter(kind for each in stated for kind in _kinds(each, *ours.get(each.name, (frozenset(), None))))


def _ours(format_name: str, content: bytes) -> dict[str, tuple[frozenset[str], Tlp | None]]:
    found = dict[str, tuple[frozenset[str], Tlp | None]]()
    for reading in readers()[format_name].read(an_input(content), Defaults()):
        if isinstance(reading, Seen):
            values, _ = found.get(reading.object_id, (frozenset[str](), None))
            label = understand(reading.observation.marking).tlp
            value = reading.observation.value.removeprefix("AS")
            found[reading.object_id] = (values | {value}, None if label is Tlp.UNMARKED else label)
    return found


def _kinds(stated: Stated, values: frozenset[str], label: Tlp | None) -> Iterator[str]:
    theirs = {value.removeprefix("AS") for value in stated.values}
    if stated.refused:
        yield "library-refuses"
        return
    if stated.is_over:
        yield from ["taken-up-again"] if values else []
        return
    if values - theirs:
        yield "other-values"
    elif theirs - values:
        yield "fewer-values" if values else "no-values"
    if values and label != stated.tlp:
        yield "other-label"
        assert stated.tlp is None or (label is not None and label > stated.tlp), "looser than what the library reads"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_what_the_fields_own_libraries_read_differs_only_as_it_is_listed(path: Path) -> None:
    logging.getLogger("pymisp").setLevel(logging.CRITICAL)
    assert differences(path) == Counter(listed().get(path.name, {}))


def test_each_kind_of_difference_has_a_reason_and_occurs() -> None:
    known = listed()
    reasons = known.pop("why")
    assert {kind for counts in known.values() for kind in counts} == set(reasons)
    assert set(known) <= {path.name for path in files()}
