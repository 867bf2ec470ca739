"""The bench of the TAXII server: what is compared, and with which rival."""

from pathlib import Path

import bench
from bench.tables import taxii, times_medallion
from bench.taxii import OURS, PINS, VERSION

RUN = {"what": OURS, "objects": 100, "pages": 1, "rate": 4_000, "cpu_us": 1.0, "resident_mib": 1, "void": ""}
RIVAL = RUN | {"what": f"medallion {VERSION}", "rate": 100}


def test_the_rival_is_pinned_and_named_on_the_page() -> None:
    assert f"medallion=={VERSION} " in PINS.read_text("utf-8")
    page = (Path(bench.__file__).parent / "performance.md.in").read_text("utf-8")
    assert f"medallion](https://github.com/oasis-open/cti-taxii-server) {VERSION}," in page


def test_only_runs_of_the_same_objects_that_lost_nothing_are_compared() -> None:
    assert times_medallion({"runs": [RUN, RIVAL, RUN | {"objects": 1_000, "rate": 9_000}]}) == 40.0
    assert times_medallion({"runs": [RUN | {"void": "lost"}, RIVAL]}) is None
    assert times_medallion({"runs": [RUN | {"objects": 1_000}, RIVAL]}) is None
    assert times_medallion({"runs": []}) is None
    assert "**40" in taxii({"runs": [RUN, RIVAL]})
