"""The jars are fetched once, by one process, and only if they are the pinned ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.errors import BrokerUnavailable, ConfigurationError, FatalError
from localkafka.jars import cache_folder, classpath, fetch_jars, pinned_jars


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven that has the jars at hand, and keeps a line for each time it is asked."""
    real = fetch_jars(cache_folder(os.environ))
    asked = tmp_path / "asked"
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f'echo once >> "{asked}"\n'
        'for argument in "$@"; do case "$argument" in -DoutputDirectory=*) to="${argument#*=}";; esac; done\n'
        f'mkdir -p "$to" && ln -s "{real}"/*.jar "$to"\n',
        encoding="ascii",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return asked


def test_processes_at_once_fetch_once_and_all_find_it_complete(maven: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "kafka"
    program = (
        "import sys, pathlib\n"
        "from localkafka.jars import fetch_jars\n"
        "print(len(list(fetch_jars(pathlib.Path(sys.argv[1])).glob('*.jar'))))\n"
    )
    command = [sys.executable, "-c", program, str(cache)]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = [process.communicate(timeout=60)[0].strip() for process in several]
    assert found == [str(len(pinned_jars()))] * 3
    assert maven.read_text(encoding="ascii") == "once\n"


def test_a_jar_that_is_not_the_pinned_one_is_refused(maven: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "mvn"
    spoilt = 'rm "$to"/lz4-java-1.8.0.jar && echo spoilt > "$to"/lz4-java-1.8.0.jar\n'
    program.write_text(program.read_text(encoding="ascii") + spoilt, encoding="ascii")
    with pytest.raises(FatalError, match=r"lz4-java-1\.8\.0\.jar"):
        fetch_jars(tmp_path / "cache" / "kafka")
    assert not (tmp_path / "cache" / "kafka").exists()


def test_what_maven_stated_is_reported(maven: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "mvn").write_text("#!/bin/sh\necho 'no route to host'; exit 1\n", encoding="ascii")
    with pytest.raises(BrokerUnavailable, match="no route to host"):
        fetch_jars(tmp_path / "cache" / "kafka")


def test_without_maven_the_error_states_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="apt-get install maven"):
        fetch_jars(tmp_path / "kafka")


def test_the_classpath_names_every_jar_once_in_a_fixed_order(tmp_path: Path) -> None:
    jars = classpath(tmp_path).split(os.pathsep)
    assert jars == sorted(jars)
    assert len(jars) == len(pinned_jars())
