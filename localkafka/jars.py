"""Fetches the Apache Kafka jars once per machine, by Maven, into a cache that processes can share.

``pom.xml`` beside this file pins the version, ``jars.sha256`` every byte. Nothing is started here. A caller that
needs other jars keeps such a pair of files in a folder of its own, and passes it as ``pins``.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from exchange.errors import BrokerUnavailable, ConfigurationError, FatalError

KAFKA_VERSION = "4.1.1"

_HERE = Path(__file__).parent
_FETCH_TIMEOUT_S = 600


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the jars of this version: ``$XDG_CACHE_HOME/kakehashi/kafka-<version>``."""
    home = environ.get("HOME") or str(Path.home())
    root = Path(environ.get("XDG_CACHE_HOME") or Path(home) / ".cache")
    return root / "kakehashi" / f"kafka-{KAFKA_VERSION}"


def pinned_jars(pins: Path = _HERE) -> dict[str, str]:
    """The SHA-256 (hex) of each jar by its file name, as ``sha256sum`` wrote them."""
    lines = (pins / "jars.sha256").read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def are_cached(cache: Path) -> bool:
    """Whether the jars are there: the folder only ever appears complete and checked."""
    return cache.is_dir()


def fetch_jars(
    cache: Path,
    say: Callable[[str], None] = lambda _line: None,
    pins: Path = _HERE,
    within_s: float = _FETCH_TIMEOUT_S,
) -> Path:
    """Make sure that ``cache`` holds the jars, and give it back. Safe from many processes at once.

    The folder appears by one rename of a complete, checked download, so it is never half there.
    Raises ConfigurationError (no Maven), BrokerUnavailable (the download failed) or FatalError (a jar is not
    the pinned one).
    """
    if are_cached(cache):
        return cache
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigurationError(
            "Maven (mvn), which fetches the Kafka jars, is missing. Debian, Ubuntu: apt-get install maven. Or "
            "start Docker, or point KAKEHASHI_GBR_BOOTSTRAP and KAKEHASHI_JPN_BOOTSTRAP at your own brokers."
        )
    cache.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(cache.with_name(f"{cache.name}.lock")):
        if are_cached(cache):
            return cache
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache.parent) as scratch:
            say(f"Fetching Kafka {KAFKA_VERSION} by Maven into {cache} (about 40 MB, once)")
            complete = Path(scratch) / "jars"
            _download(maven, complete, pins, within_s)
            _check(complete, pins)
            complete.rename(cache)
    return cache


def classpath(cache: Path, pins: Path = _HERE) -> str:
    """Every jar, by name and in a fixed order."""
    return os.pathsep.join(str(cache / name) for name in sorted(pinned_jars(pins)))


def _download(maven: str, folder: Path, pins: Path, within_s: float) -> None:
    command = [maven, "-q", "-B", "-C", "-f", str(pins / "pom.xml"), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise BrokerUnavailable(f"Maven did not fetch the Kafka jars in {within_s:g} s.") from error
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[:10])
        raise BrokerUnavailable(f"Maven could not fetch the Kafka {KAFKA_VERSION} jars. Its output:\n{said}")


def _check(folder: Path, pins: Path) -> None:
    pinned = pinned_jars(pins)
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted(name for name in pinned.keys() | found.keys() if pinned.get(name) != found.get(name))
    if wrong:
        raise FatalError(
            f"Maven's Kafka {KAFKA_VERSION} jars are not the ones pinned in {pins / 'jars.sha256'}: "
            f"{', '.join(wrong)}. Check the Maven mirror in use, empty its copy in ~/.m2 and try again."
        )


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold an advisory lock. The kernel drops it when its holder dies; the empty file stays, harmless."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
