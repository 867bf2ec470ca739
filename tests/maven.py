"""Programs that tests run and Maven has: fetched once, into the cache that the Kafka jars are in."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from localkafka.jars import cache_folder

_FETCH_S: Final = 300


def fetched_once(name: str, arguments: Callable[[Path], Sequence[str]], made: Callable[[Path], Path]) -> Path:
    """The folder ``name`` of the cache. If it is missing, Maven runs in a scratch folder with these arguments, and the
    folder that ``made`` finds there becomes it. Fails with what Maven reported if it cannot be had."""
    folder = cache_folder(os.environ).with_name(name)
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    assert maven is not None, f"Maven fetches {name}. Debian, Ubuntu: apt-get install maven"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder.parent) as place:
        scratch = Path(place)
        command = [maven, "-q", "-B", *arguments(scratch)]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=_FETCH_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        made(scratch).rename(folder)
    return folder
