"""What every test may ask for: real Kafka clusters, and names of its own on them.

Kafka is started when the first test asks, once for the whole run. Where it cannot be had, the test fails and
says why: a skipped promise would look like a kept one.
"""

import gc
import os
import secrets
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import hypothesis
import pytest

from exchange.errors import ExchangeError
from localkafka.broker import Broker
from localkafka.docker_daemon import docker_answers
from localkafka.provider import clusters
from localkafka.settings import BrokerSettings, Provider
from tests.scheduling import ByWorld, arrange

# Chosen here, not skipped there: a skip reads as a promise that was not kept to the test, and without a daemon
# Docker promises nothing. With one, these tests must pass, and the header of the run says which it was.
_DOCKER = docker_answers()
collect_ignore = [] if _DOCKER else ["localkafka/test_container.py"]

MEASURED: Final = "measured"
"""The property of a test (``record_property``) that the end of the run shows: a line on what it has measured."""

# jsonschema checks IRIs if it finds this parser, which stix2-validator installs. No schema here has one, and the parser
# takes more than a second of the start of each process that imports it.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # None: an import raises ModuleNotFoundError

# Examples take what they take on a busy machine. The suite tries the same ones each time, so that what it finds was
# brought by a change; `make fuzz` tries many more, and others each time.
_SLOW = [hypothesis.HealthCheck.too_slow]
# `make test-fast` tries fewer.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=_SLOW)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=5000)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("suite"), max_examples=20)
hypothesis.settings.load_profile("suite")


# What a collection of tests makes lives as long as the process: no search for garbage has to look at it, neither while
# it is made nor, again and again, in each of ten thousand tests.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on there is garbage to collect."""
    gc.freeze()
    gc.enable()


def pytest_report_header() -> str:
    """Whether the tests of Kafka in Docker are part of this run."""
    if _DOCKER:
        return f"docker: {_DOCKER}, tests/localkafka/test_container.py included"
    return "docker: no daemon answers, so tests/localkafka/test_container.py is not part of this run"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a broker is marked, before it may be left out; what takes longest begins."""
    arrange(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByWorld:
    """With several processes, tests that share nations or brokers of their own stay in one."""
    return ByWorld(config, log)


@dataclass(frozen=True, slots=True)
class Brokers:
    """The run's two clusters, by their ``host:port``. They are shared: a test must not stop them."""

    gbr: str
    jpn: str


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Two running clusters, shared by the run: use ``unique`` in every topic, group and transactional id."""
    with _running(("GBR", "JPN"), tmp_path_factory.mktemp("kafka")) as both:
        yield Brokers(gbr=both["GBR"].bootstrap, jpn=both["JPN"].bootstrap)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A cluster of the test's own, to kill and restart. It takes three seconds: ask for it only to hurt it.

    Brokers that settings name are not ours to kill, so this one comes from Docker or the Apache jars.
    """
    with _running(("GBR",), tmp_path, to_hurt=True) as one:
        yield one["GBR"]


@pytest.fixture
def unique() -> str:
    """A prefix that no other test has, fit for topics, groups and transactional ids: ``t3f9a1c07.``"""
    return f"t{secrets.token_hex(4)}."


@contextmanager
def _running(nations: tuple[str, ...], folder: Path, *, to_hurt: bool = False) -> Iterator[dict[str, Broker]]:
    """``provider.clusters``, whose failure to start is a test failure in plain words, without a traceback."""
    with ExitStack() as stack:
        try:
            settings = BrokerSettings.from_env(os.environ, nations)
            if to_hurt:
                forced = settings.provider if settings.provider != Provider.SETTINGS else Provider.AUTO
                settings = replace(settings, given={}, provider=forced)
            running = stack.enter_context(clusters(settings, folder, lambda _line: None))
        except ExchangeError as error:
            pytest.fail(f"No Kafka for this test: {error}", pytrace=False)
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests have measured, and how long each part of the suite took: a part is a folder of tests."""
    reports = [
        report for each in terminalreporter.stats.values() for report in each if isinstance(report, pytest.TestReport)
    ]
    measured = [str(value) for report in reports for name, value in report.user_properties if name == MEASURED]
    if measured:
        terminalreporter.section("measured")
        for line in dict.fromkeys(measured):
            terminalreporter.write_line(line)
    if reports:
        terminalreporter.section("time by part")
        for line in times_by_part(reports):
            terminalreporter.write_line(line)


def times_by_part(reports: list[pytest.TestReport]) -> Iterator[str]:
    """One line for each folder, the longest first; with several processes their times add up to more than passed."""
    seconds: dict[str, float] = defaultdict(float)
    tests: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        part = str(Path(report.location[0]).parent)
        seconds[part] += report.duration
        tests[part].add(report.nodeid)
    for part in sorted(seconds, key=lambda name: -seconds[name]):
        yield f"{seconds[part]:8.1f} s  {len(tests[part]):5d} tests  {part}"
