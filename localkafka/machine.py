"""Examines a machine: which requirements of Kafka it meets, and how to get the others."""

import enum
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import ExchangeError
from localkafka.jars import are_cached
from localkafka.local import find_java
from localkafka.ports import free_ports
from localkafka.settings import BrokerSettings

OLDEST_PYTHON = (3, 11)
OLDEST_JAVA = 17
_DISK_BYTES = 2 << 30
_MEMORY_BYTES = 2 << 30


class Verdict(enum.StrEnum):
    """OK; MISSING and needed; or ABSENT, and not needed because another way is there."""

    OK = "ok"
    MISSING = "missing"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement. ``remedy`` is what to do, if anything can be done."""

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""


def examine(settings: BrokerSettings) -> list[Finding]:
    """Check all requirements. An absent source of Kafka is MISSING only if there is no other."""
    java, maven, docker, jars = _java(), _maven(), _docker(), _jars(settings.jars)
    has_java = java.verdict == Verdict.OK and Verdict.OK in (jars.verdict, maven.verdict)
    has_kafka = bool(settings.given) or docker.verdict == Verdict.OK or has_java
    sources = [java, maven, jars, docker]
    needed = [] if has_kafka else sources
    return [
        _python(),
        _environment(),
        *(finding if finding.verdict == Verdict.OK or finding in needed else _unneeded(finding) for finding in sources),
        _disk(settings.home),
        _memory(),
        _ports(),
    ]


def _unneeded(finding: Finding) -> Finding:
    return Finding(finding.subject, Verdict.ABSENT, finding.found, finding.remedy)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("Python", Verdict.OK, found)
    return Finding("Python", Verdict.MISSING, f"{found}, need 3.11", "apt-get install python3.11")


def _environment() -> Finding:
    if sys.prefix != sys.base_prefix:
        return Finding("virtual environment", Verdict.OK, sys.prefix)
    if importlib.util.find_spec("ensurepip") is not None:
        return Finding("virtual environment", Verdict.ABSENT, "not in one", "make setup")
    return Finding("virtual environment", Verdict.MISSING, "no venv module", "apt-get install python3-venv")


def _java() -> Finding:
    remedy = "apt-get install openjdk-17-jre-headless"
    try:
        java = find_java(os.environ)
    except ExchangeError as error:
        return Finding("Java", Verdict.MISSING, str(error).partition(";")[0], remedy)
    said = _said([java, "-XshowSettings:properties", "-version"])
    version = next((line.partition("=")[2].strip() for line in said if "java.specification.version =" in line), "")
    if version.isdecimal() and int(version) >= OLDEST_JAVA:
        return Finding("Java", Verdict.OK, f"{version} ({java})")
    return Finding("Java", Verdict.MISSING, f"{version or 'unknown version'} ({java}), need {OLDEST_JAVA}", remedy)


def _maven() -> Finding:
    maven = shutil.which("mvn")
    if maven is None:
        return Finding("Maven", Verdict.MISSING, "not on the PATH", "apt-get install maven")
    return Finding("Maven", Verdict.OK, maven)


def _jars(cache: Path) -> Finding:
    if are_cached(cache):
        return Finding("Kafka's jars", Verdict.OK, str(cache))
    return Finding("Kafka's jars", Verdict.MISSING, f"not in {cache}", "kakehashi up fetches them, by Maven (43 MB)")


def _docker() -> Finding:
    subject, remedy = "Docker", "apt-get install docker.io"
    if importlib.util.find_spec("testcontainers") is None:
        return Finding(subject, Verdict.MISSING, "the testcontainers package is not installed", "make setup")
    from localkafka.docker_daemon import docker_answers

    version = docker_answers()
    if version is not None:
        return Finding(subject, Verdict.OK, f"daemon {version}")
    if shutil.which("docker"):
        return Finding(subject, Verdict.MISSING, "installed, but no daemon answers", "systemctl start docker")
    return Finding(subject, Verdict.MISSING, "no daemon answers", remedy)


def _disk(home: Path) -> Finding:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GiB free under {place}"
    if free >= _DISK_BYTES:
        return Finding("disk", Verdict.OK, found)
    return Finding("disk", Verdict.MISSING, found, "free 2 GiB, or set KAKEHASHI_HOME to another disk")


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines)}
        available = int(fields["MemAvailable"]) << 10
    except (OSError, ValueError, KeyError):
        return Finding("memory", Verdict.ABSENT, "this system does not report it", "have 2 GiB free")
    found = f"{available / (1 << 30):.1f} GiB available"
    if available >= _MEMORY_BYTES:
        return Finding("memory", Verdict.OK, found)
    return Finding("memory", Verdict.MISSING, found, "free 2 GiB, or set KAKEHASHI_KAFKA_HEAP=256m")


def _ports() -> Finding:
    try:
        ports = free_ports()
        with socket.create_server(("127.0.0.1", ports.client)):
            return Finding("ports", Verdict.OK, "loopback ports can be opened")
    except (OSError, ExchangeError) as error:
        return Finding("ports", Verdict.MISSING, str(error), "allow this user to listen on 127.0.0.1")


def _said(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return (done.stdout + done.stderr).splitlines()


def is_fit(findings: list[Finding]) -> bool:
    """Whether no requirement is missing."""
    return all(finding.verdict != Verdict.MISSING for finding in findings)
