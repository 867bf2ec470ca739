"""What any release has written, today's reader reads; and today's writer writes the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas import codec
from tests.golden.make import CASES, FINGERPRINTS, FOLDER, as_json, fingerprint_of

GOLDEN = sorted(FOLDER.glob("*/*.bin"))
CODEC = codec.Codec()


@pytest.mark.parametrize("binary", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_todays_reader_reads_it_as_it_was_meant(binary: Path) -> None:
    record = CODEC.decode(binary.parent.name, binary.read_bytes())
    assert not isinstance(record, codec.Undecodable)
    assert as_json(record) == binary.with_suffix(".json").read_text("utf-8")


@pytest.mark.parametrize("binary", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_todays_writer_writes_the_same_bytes(binary: Path) -> None:
    record = CODEC.decode(binary.parent.name, binary.read_bytes())
    assert not isinstance(record, codec.Undecodable)
    assert CODEC.encode(binary.parent.name, record) == binary.read_bytes()


def test_what_an_earlier_version_wrote_is_read_as_the_newest_with_its_defaults() -> None:
    reviewed = {"review": "", "question": b"", "deadline_ms": 0, "verdicts": [], "assigned": None, "veto": None}
    later: dict[tuple[str, str], dict[str, Any]] = {
        (codec.DECISION, codec.DECISION_V1): reviewed | {"border": "open", "shadow": False, "labels": []},
        (codec.DECISION, codec.DECISION_V2): {"labels": []},
        (codec.DECISION, codec.DECISION_V3): {"labels": []},
        (codec.DECISION, codec.DECISION_V4): {},
        (codec.REVIEW_PENDING, codec.REVIEW_PENDING_V1): {"labels": []},
        (codec.REVIEW_PENDING, codec.REVIEW_PENDING_V2): {"labels": []},
        (codec.REVIEW_PENDING, codec.REVIEW_PENDING_V3): {},
    }
    for (newest, version), defaults in later.items():
        for binary in (FOLDER / version).glob("*.bin"):
            found, written = (CODEC.decode(name, binary.read_bytes()) for name in (newest, version))
            assert not isinstance(found, codec.Undecodable)
            assert not isinstance(written, codec.Undecodable)
            assert found == _with_defaults(written | defaults)


def _with_defaults(record: Any) -> Any:
    """All facets and groups in a record with the defaults of the later versions."""
    if isinstance(record, dict):
        more = {"prefix_length": -1, "local_query": False, "rating": "unrated"} if "confidence_band" in record else {}
        more |= {"left_out": False} if "facets" in record else {}
        return more | {name: _with_defaults(value) for name, value in record.items()}
    return [_with_defaults(each) for each in record] if isinstance(record, list) else record


@pytest.mark.parametrize("version", [codec.RELEASED_INDICATOR, *codec.LATER_RELEASES])
def test_a_released_indicator_is_read_and_written_in_the_version_that_it_has(version: str) -> None:
    """One without a tearline is the bytes of before there were any: a partner who has not upgraded reads it."""
    for binary in (FOLDER / version).glob("*.bin"):
        found = CODEC.decode(codec.RELEASED_INDICATOR, binary.read_bytes())
        assert not isinstance(found, codec.Undecodable)
        assert found == CODEC.decode(version, binary.read_bytes())
        assert CODEC.encode(codec.RELEASED_INDICATOR, found) == binary.read_bytes()
        assert CODEC.schema_of(binary.read_bytes()) == version


def test_every_schema_has_golden_files_and_none_has_been_edited() -> None:
    schemas = {path.stem for path in (Path(codec.__file__).parent / "avro").glob("*.avsc")}
    assert schemas == set(CASES)
    assert {path.parent.name for path in GOLDEN} == schemas
    assert json.loads(FINGERPRINTS.read_text("utf-8")) == {name: fingerprint_of(name) for name in schemas}


def test_the_script_would_write_no_other_file() -> None:
    made = {f"{name}/{case}.bin" for name, cases in CASES.items() for case in cases}
    assert made == {str(path.relative_to(FOLDER)) for path in GOLDEN}
