"""Adding a format is one file and one test: those of CONTRIBUTING.md, put where it says."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import producers.readers
from kakehashi.format_name import format_names
from producers.readers.formats import readers
from producers.spool.spool import Spool
from tests.docs.pages import ROOT, blocks
from tests.producers.producing import reports_in, run
from tools import formats

NAME = "value-tlp"
PAGES = ROOT / "CONTRIBUTING.md"


def shown() -> tuple[str, str]:
    """The reader and its test as the page shows them."""
    reader, test = (block.text for block in blocks(PAGES) if block.language == "python")
    return reader, test


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader is a module of the package, for one test."""
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers" / "value_tlp.py").write_text(shown()[0], "utf-8")
    monkeypatch.setattr(producers.readers, "__path__", [*producers.readers.__path__, str(tmp_path / "readers")])
    readers.cache_clear()
    yield
    readers.cache_clear()
    sys.modules.pop("producers.readers.value_tlp", None)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project with these two files in it; nothing else is changed."""
    for folder in (ROOT, ROOT / "tests"):
        (tmp_path / folder.relative_to(ROOT)).mkdir(exist_ok=True)
        for path in folder.iterdir():
            if path.name not in ("producers", "tests", "__pycache__", ".git"):
                (tmp_path / path.relative_to(ROOT)).symlink_to(path)
    for name in ("producers", "tests/producers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    reader, test = shown()
    (tmp_path / "producers" / "readers" / "value_tlp.py").write_text(reader, "utf-8")
    (tmp_path / "tests" / "producers" / "test_value_tlp.py").write_text(test, "utf-8")
    return tmp_path


@pytest.mark.usefixtures("added")
def test_its_format_is_recognised_and_produced(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"198.51.100.7;TLP:GREEN\nbad.example.com;TLP:RED\n")
    summary = run(sensor_spool, file)
    [report] = reports_in(sensor_spool)
    assert (report["tool"], report["values"]) == (NAME, ["198.51.100.7", "bad.example.com"])
    assert [report["markings"][place]["tlp"] for place in report["marking_index"]] == ["TLP:GREEN", "TLP:RED"]
    assert (summary.observations, summary.rejected.total()) == (2, 0)


@pytest.mark.usefixtures("added")
def test_the_command_line_the_docs_and_the_chart_take_it_from_its_declaration() -> None:
    assert NAME in format_names()
    assert f"`{NAME}`" in formats.page_with_formats(formats.PAGE.read_text("utf-8"))
    assert f'"{NAME}"' in formats.schema_with_formats(formats.SCHEMA.read_text("utf-8"))


def test_its_own_test_and_the_laws_of_readers_hold(checkout: Path) -> None:
    tests = [f"tests/producers/{name}.py" for name in ("test_value_tlp", "test_reader_laws")]
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "value_tlp or value-tlp")
    tried = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "8 passed" in tried.stdout
