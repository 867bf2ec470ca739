"""Real schema registries: Apicurio's, with Confluent's REST interface, from Maven. Each keeps its schemas in memory.

The archive is fetched once into the cache that the Kafka jars are in, and checked by its SHA-256.
"""

import hashlib
import re
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.maven import fetched_once
from tests.polling import eventually

VERSION: Final = "2.6.13.Final"  # the suite's Java 17 runs it; from 3.3 on, Java 21 is wanted
_ARTIFACT: Final = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
_SHA256: Final = "3cda1b34aa020fb4ac4dd6a66018d757e81e437f97e20a1f92d366b70091c6ba"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_START_S: Final = 60.0
_LISTENING: Final = re.compile(r"Listening on: (http://127\.0\.0\.1:[0-9]+)")


def fetched() -> Path:
    """The folder of the unpacked registry; fails with what Maven reported if it cannot be had."""
    return fetched_once(
        f"apicurio-{VERSION}",
        lambda scratch: (_COPY, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={scratch}"),
        _unpacked,
    )


def _unpacked(scratch: Path) -> Path:
    (archive,) = scratch.glob("*.tar.gz")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == _SHA256, f"{archive.name} is not the pinned one"
    with tarfile.open(archive) as opened:
        opened.extractall(scratch / "unpacked", filter="data")
    return scratch / "unpacked"


@contextmanager
def running(folder: Path, name: str) -> Iterator[str]:
    """The URL of a registry in a process of its own; ``name`` is that of its log in ``folder``."""
    home, log = fetched(), folder / f"{name}.log"
    (jar,) = home.glob("*-runner.jar")
    settings = ["-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port=0"]
    small = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["java", *small, *settings, "-jar", str(jar)], cwd=folder, stdout=written, stderr=subprocess.STDOUT
        )
    try:

        def listens() -> bool:
            assert process.poll() is None, log.read_text("utf-8")
            return _LISTENING.search(log.read_text("utf-8")) is not None

        eventually(listens, _START_S, f"the registry {name} listens")
        found = _LISTENING.search(log.read_text("utf-8"))
        assert found is not None
        yield f"{found[1]}/apis/ccompat/v7"
    finally:
        process.kill()
        process.wait()
