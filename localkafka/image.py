"""Builds a Kafka image from this machine's own Java and the Apache jars, for a Docker that can pull nothing.

``python -m localkafka.image NAME`` (or ``make kafka-image``). The image does not replace
``apache/kafka``, which is used whenever it can be pulled; it reads the same environment (``KAFKA_*`` become
server properties, ``CLUSTER_ID``, ``KAFKA_HEAP_OPTS``), so that the same container class runs either. It has
no base image: a Java runtime, a shell and their shared libraries, each where this machine has it.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import requests
from docker.client import DockerClient
from docker.errors import DockerException

from exchange.errors import BrokerUnavailable, ConfigurationError, ExchangeError
from localkafka.jars import cache_folder, fetch_jars
from localkafka.local import find_java

_HERE = Path(__file__).parent
_TOOLS = ("sh", "env", "tr", "mkdir")
_KAFKA_FOLDER = "opt/kafka"
_RUN = "etc/kafka/docker/run"  # where apache/kafka has it, and its command
_BUILD_TIMEOUT_S = 300
_LDD_TIMEOUT_S = 60

# `env` gives the names, so a value may hold anything but a line break; Kafka's own image leaves out the same.
_RUN_SCRIPT = f"""#!/bin/sh
set -eu
mkdir -p /tmp "${{KAFKA_LOG_DIRS:=/var/lib/kafka/data}}"
env | while IFS='=' read -r name value; do
  case "$name" in
    KAFKA_HEAP_OPTS|KAFKA_OPTS|KAFKA_JVM_PERFORMANCE_OPTS|KAFKA_VERSION) ;;
    KAFKA_*) echo "$(echo "${{name#KAFKA_}}" | tr 'A-Z_' 'a-z.')=$value" ;;
  esac
done > /tmp/server.properties
java() {{ "$JAVA" ${{KAFKA_HEAP_OPTS:--Xmx512m}} ${{KAFKA_JVM_PERFORMANCE_OPTS:--XX:TieredStopAtLevel=1}} "$@"; }}
options="-Dlog4j2.configurationFile=/{_KAFKA_FOLDER}/log4j2.properties -cp /{_KAFKA_FOLDER}/libs/*"
set -f  # the star is Java's
java $options kafka.tools.StorageTool format -g -t "$CLUSTER_ID" -c /tmp/server.properties
exec "$JAVA" ${{KAFKA_HEAP_OPTS:--Xmx512m}} ${{KAFKA_JVM_PERFORMANCE_OPTS:--XX:TieredStopAtLevel=1}} \\
  $options kafka.Kafka /tmp/server.properties
"""


def build_image(name: str, jars: Path) -> str:
    """Build the image and give it that name. Its id. Raises ConfigurationError or BrokerUnavailable."""
    java = Path(find_java(os.environ)).resolve()
    runtime = java.parent.parent
    tools = {tool: found for tool in _TOOLS if (found := shutil.which(tool))}
    if len(tools) < len(_TOOLS):
        raise ConfigurationError(f"an image needs {', '.join(_TOOLS)} from this machine, and at least one is missing")
    files = {f"usr/bin/{tool}": Path(found) for tool, found in tools.items()} | {"bin/sh": Path(tools["sh"])}
    with tempfile.TemporaryDirectory() as scratch:
        codecs = _native_codecs(jars, Path(scratch))
        libraries = _libraries([java, *runtime.rglob("*.so"), *files.values(), *codecs])
    for path in [*libraries, *_runtime_files(runtime)]:
        files[str(path).lstrip("/")] = path

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", dereference=True) as image:
        for name_inside, path in sorted(files.items()):
            image.add(path, arcname=name_inside, recursive=False)
        for jar in sorted(jars.glob("*.jar")):
            image.add(jar, arcname=f"{_KAFKA_FOLDER}/libs/{jar.name}")
        image.add(_HERE / "log4j2.properties", arcname=f"{_KAFKA_FOLDER}/log4j2.properties")
        script = tarfile.TarInfo(_RUN)
        script.mode, script.size = 0o755, len(_RUN_SCRIPT.encode())
        image.addfile(script, io.BytesIO(_RUN_SCRIPT.encode()))

    changes = [f'CMD ["/{_RUN}"]', f"ENV JAVA={java}", "ENV PATH=/usr/bin:/bin", "VOLUME /var/lib/kafka/data"]
    return _import(name, layer.getvalue(), changes)


def _runtime_files(runtime: Path) -> Iterable[Path]:
    """The Java runtime without the parts for Java developers. Debian links its settings to /etc."""
    unneeded = {"jmods", "include", "man", "demo", "docs", "legal", "src.zip"}
    for path in sorted(runtime.rglob("*")):
        if path.is_file() and path.relative_to(runtime).parts[0] not in unneeded and path.name != "src.zip":
            yield path


def _native_codecs(jars: Path, folder: Path) -> list[Path]:
    """The compression libraries inside the jars, for every processor; unpacked, to find their dependencies."""
    found = []
    for jar in sorted(jars.glob("*.jar")):
        with zipfile.ZipFile(jar) as archive:
            natives = [name for name in archive.namelist() if name.endswith(".so")]
            found += [Path(archive.extract(name, folder / jar.stem)) for name in natives]
    return found


def _libraries(binaries: list[Path]) -> set[Path]:
    """The shared libraries that the binaries need, under the names that they use."""
    ldd = ["ldd", *map(str, binaries)]
    output = subprocess.run(ldd, capture_output=True, text=True, timeout=_LDD_TIMEOUT_S, check=False).stdout
    names = (name for line in output.splitlines() if not line.endswith(":") for name in line.split())
    return {Path(os.path.normpath(name)) for name in names if name.startswith("/")}


def _import(name: str, layer: bytes, changes: list[str]) -> str:
    repository, _, tag = name.rpartition(":")
    try:
        client = DockerClient.from_env(timeout=_BUILD_TIMEOUT_S)
        try:
            client.api.import_image_from_data(layer, repository or tag, tag if repository else None, changes=changes)
            return str(client.images.get(name).id)
        finally:
            client.close()
    except (DockerException, requests.RequestException) as error:
        raise BrokerUnavailable(f"Docker could not build {name}: {error}") from error


def main() -> None:
    """The command line: one argument, the image's name."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m localkafka.image NAME[:TAG]")
    name = sys.argv[1]
    try:
        image = build_image(name, fetch_jars(cache_folder(os.environ)))
    except ExchangeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(f"built {name} ({image}): use it by KAKEHASHI_KAFKA_IMAGE={name}\n")


if __name__ == "__main__":
    main()
