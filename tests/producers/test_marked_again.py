"""The same content under a stricter name, or with stricter options, is published again with that; never looser."""

import gzip
import zipfile
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from producers.readers.reading import Defaults
from producers.report import observations_of
from producers.spool.layout import connect
from producers.spool.spool import Spool
from schemas.markings import SourceMarking
from tests.producers.producing import SENSOR, reports_in, run

CONTENT = b"a.example.com\nb.example.com\n"
RED, AMBER, GREEN = (SourceMarking(tlp=f"TLP:{label}") for label in ("RED", "AMBER", "GREEN"))


def sent(spool: Spool) -> list[tuple[str, str]]:
    """Each value that was spooled, and its label."""
    return [(row.value, row.marking.tlp) for report in reports_in(spool) for row in observations_of(report)]


def each(*labels: str) -> list[tuple[str, str]]:
    return [(value, label) for label in labels for value in ("a.example.com", "b.example.com")]


def test_a_copy_with_a_stricter_name_is_published_with_that_and_one_with_a_looser_name_is_skipped(
    sensor_spool: Spool, tmp_path: Path
) -> None:
    names = ("a.txt", "b TLP-RED.txt", "c TLP-AMBER.txt", "a.txt", "d.txt", "e TLP-RED.txt")
    for name in names:
        (tmp_path / name).write_bytes(CONTENT)
    found = run(sensor_spool, *(tmp_path / name for name in names), defaults=Defaults(marking=GREEN))
    assert sent(sensor_spool) == each("TLP:GREEN", "TLP:RED")
    assert found.skipped == [str(tmp_path / name) for name in names[2:]]


def test_the_folder_and_the_names_within_an_archive_mark_a_copy_too(sensor_spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    (tmp_path / "TLP-AMBER").mkdir()
    (tmp_path / "TLP-AMBER" / "a.txt.gz").write_bytes(gzip.compress(CONTENT))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("TLP-RED.txt", CONTENT)
    for name in ("a.txt", "TLP-AMBER/a.txt.gz", "a.zip"):
        run(sensor_spool, tmp_path / name, defaults=Defaults(marking=GREEN))
    assert sent(sensor_spool) == each("TLP:GREEN", "TLP:AMBER", "TLP:RED")


@pytest.mark.parametrize(
    ("markings", "labels"),
    [
        ([GREEN, RED], ["TLP:GREEN", "TLP:RED"]),
        ([RED, GREEN, SourceMarking()], ["TLP:RED"]),
        ([GREEN, SourceMarking(), AMBER, GREEN, AMBER], ["TLP:GREEN", "TLP:AMBER"]),
        ([SourceMarking(), GREEN], [""]),  # what is not marked is held already
        ([SourceMarking(), RED], ["", "TLP:RED"]),
        ([GREEN, SourceMarking(tlp="TLP:GREEN", pap="PAP:RED")], ["TLP:GREEN", "TLP:GREEN"]),
        ([GREEN, SourceMarking(tlp="TLP:GREEN", releasable_to=("GBR",))], ["TLP:GREEN", "TLP:GREEN"]),
    ],
)
def test_stricter_options_publish_a_file_again(
    markings: list[SourceMarking], labels: list[str], sensor_spool: Spool, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    for marking in markings:
        run(sensor_spool, tmp_path / "a.txt", defaults=Defaults(marking=marking))
    assert sent(sensor_spool) == each(*labels)


def test_a_grown_copy_with_a_stricter_name_is_read_from_its_start(sensor_spool: Spool, tmp_path: Path) -> None:
    for name, content in (("a.txt", CONTENT), ("b TLP-RED.txt", CONTENT + b"c.example.com\n")):
        (tmp_path / name).write_bytes(content)
        run(sensor_spool, tmp_path / name, defaults=Defaults(marking=GREEN))
    assert sent(sensor_spool) == [*each("TLP:GREEN", "TLP:RED"), ("c.example.com", "TLP:RED")]


def test_an_input_of_which_the_marking_is_not_known_is_as_it_was(sensor_spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    run(sensor_spool, tmp_path / "a.txt")
    sensor_spool._database.execute("UPDATE input SET marking = NULL")
    assert run(sensor_spool, tmp_path / "a.txt", defaults=Defaults(marking=RED)).observations == 0


def test_what_a_spool_of_the_format_before_knows_of_a_marked_name_is_not_published_again(tmp_path: Path) -> None:
    (path := tmp_path / "a TLP-AMBER.txt").write_bytes(CONTENT)
    options = Defaults(marking=GREEN)
    with Spool(tmp_path / "spool", SENSOR.nation, SENSOR.name, 1) as spool:
        run(spool, path, defaults=options)
    with closing(connect(tmp_path / "spool")) as database:
        database.execute("UPDATE input SET marking = ?", (msgspec.json.encode(GREEN).decode(),))
        database.execute("PRAGMA user_version = 6")
    with Spool(tmp_path / "spool", SENSOR.nation, SENSOR.name, 1) as spool:
        assert run(spool, path, defaults=options).skipped == [str(path)]
        run(spool, path, defaults=Defaults(marking=RED))
        assert sent(spool) == each("TLP:AMBER", "TLP:RED")
