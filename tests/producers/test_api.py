"""The Python interface of a sensor: durable before a call returns, valid or refused, and published beside."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from exchange.clock import now_ms
from exchange.errors import ConfigurationError, Refused
from exchange.kafka.clients import Cluster
from exchange.settings import Settings
from producers.api import Publisher
from producers.heartbeat import Heartbeat
from producers.profile.model import Profile
from producers.spool.spool import InputState, Spool, SpoolFull, folder_of
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType
from tests.conftest import Brokers
from tests.docs.pages import ROOT, blocks
from tests.producers.producing import NOWHERE, reports_in, values_in
from tests.producers.reading_topics import published_reports, with_topics

DOMAIN = IndicatorType.DOMAIN_NAME


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings.from_env({}), home=tmp_path)


def offline(settings: Settings, **options: object) -> Publisher:
    """A publisher whose cluster does not answer."""
    return Publisher("GBR", "edge-1", cluster=NOWHERE, settings=settings, deadline_s=0, **options)  # type: ignore[call-overload,no-any-return]


def spool(settings: Settings) -> Spool:
    return Spool(folder_of(settings.home, "GBR", "edge-1"), "GBR", "edge-1", now_ms())


def test_what_was_observed_is_in_the_spool_with_the_stricter_marking_and_all_labels(settings: Settings) -> None:
    marking = SourceMarking(tlp="TLP:AMBER")
    with offline(settings, marking=marking, labels=("ours",)) as publisher:
        publisher.observe(DOMAIN, "bad.example.com", confidence=80, labels=("c2",), first_seen_ms=1795000000000)
        publisher.observe(DOMAIN, "worse.example.com", marking=SourceMarking(tlp="TLP:RED"))
        publisher.withdraw(DOMAIN, "bad.example.com")
    with spool(settings) as kept:
        reports = reports_in(kept)
        assert values_in(kept) == ["bad.example.com", "worse.example.com", "bad.example.com"]
    assert [[marking["tlp"] for marking in report["markings"]] for report in reports[:2]] == [
        ["TLP:AMBER"],
        ["TLP:RED"],
    ]
    assert reports[0]["label_sets"] == [["c2", "ours"]]
    assert reports[2]["withdrawals"]


def test_many_are_durable_with_one_call_and_if_one_is_invalid_none_is(settings: Settings) -> None:
    good = [Observation(DOMAIN, f"{number}.example.com") for number in range(1200)]
    with offline(settings) as publisher:
        publisher.observe_all(good)
        with pytest.raises(ValueError, match="domain-name"):
            publisher.observe_all([Observation(DOMAIN, "a.example.org"), Observation(DOMAIN, "not a name")])
        with pytest.raises(ValueError, match="confidence"):
            publisher.observe(DOMAIN, "a.example.org", confidence=101)
    with spool(settings) as kept:
        assert values_in(kept) == [seen.value for seen in good]
        assert len(reports_in(kept)) == 3


def test_calls_of_many_threads_are_all_durable(settings: Settings) -> None:
    with offline(settings) as publisher:

        def observe(name: int) -> None:
            for number in range(20):
                publisher.observe(DOMAIN, f"{name}-{number}.example.com")

        threads = [threading.Thread(target=observe, args=(name,)) for name in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with spool(settings) as kept:
        assert sorted(values_in(kept)) == sorted(f"{name}-{n}.example.com" for name in range(5) for n in range(20))


def test_a_program_that_is_killed_has_lost_nothing_that_a_call_returned_for(settings: Settings, tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from tests.producers.test_api import DOMAIN, offline
from exchange.settings import Settings
from dataclasses import replace
with offline(replace(Settings.from_env({{}}), home=Path({str(tmp_path)!r}))) as publisher:
    for number in range(10_000):
        publisher.observe(DOMAIN, f"{{number}}.example.com")
        print(number, flush=True)
"""
    process = subprocess.Popen((sys.executable, "-c", program), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    reported = [process.stdout.readline() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    reported += process.communicate()[0].splitlines()
    with spool(settings) as kept:
        found = values_in(kept)
    assert found[: len(reported)] == [f"{number}.example.com" for number in range(len(reported))]
    assert len(found) <= len(reported) + 1


def test_a_heartbeat_that_the_disk_does_not_take_ends_nothing(settings: Settings) -> None:
    append, refused = Spool.append, threading.Event()

    def full(kept: Spool, source: InputState | None, **named: Any) -> None:
        if source is None:
            refused.set()
            raise SpoolFull("no space")
        append(kept, source, **named)

    at_once = partial(Heartbeat, every_s=0.0)
    with patch("producers.api.Heartbeat", at_once), patch.object(Spool, "append", full), offline(settings) as publisher:
        assert refused.wait(20)
        publisher.observe(DOMAIN, "bad.example.com")
    with spool(settings) as kept:
        assert values_in(kept) == ["bad.example.com"]


def test_while_the_spool_is_full_calls_wait_and_leaving_does_not(settings: Settings) -> None:
    with offline(settings, max_pending_bytes=1) as publisher:
        publisher.observe(DOMAIN, "first.example.com")  # it is durable, and fills the spool
        waiting = threading.Thread(target=publisher.observe, args=(DOMAIN, "second.example.com"))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive(), "the cluster has not acknowledged the first"
        assert publisher.pending_reports <= 1
    waiting.join(10)
    assert not waiting.is_alive()
    with spool(settings) as kept:
        assert values_in(kept)[0] == "first.example.com"


def test_the_sensor_has_one_publisher_at_a_time_and_needs_an_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with offline(settings), pytest.raises(Refused, match="another process"), offline(settings):
        pass
    monkeypatch.delenv("KAKEHASHI_GBR_BOOTSTRAP", raising=False)
    with pytest.raises(ConfigurationError, match="KAKEHASHI_GBR_BOOTSTRAP"):
        Publisher("GBR", "edge-1", settings=settings)
    with pytest.raises(RuntimeError, match="with"):
        offline(settings).observe(DOMAIN, "bad.example.com")


def test_what_is_durable_arrives_at_the_cluster(settings: Settings, brokers: Brokers) -> None:
    cluster = Cluster("GBR", brokers.gbr)
    with_topics(cluster)
    with Publisher("GBR", "from-python", cluster=cluster, settings=settings) as publisher:
        publisher.observe(DOMAIN, "bad.example.com")
    assert publisher.pending_reports == 0
    [report] = published_reports(cluster, "from-python")
    assert report["values"] == ["bad.example.com"]


def examples() -> Iterator[str]:
    """The programs of the operators' page."""
    page = ROOT / "docs" / "sensor-operator.md"
    yield from (block.text for block in blocks(page) if block.language == "python")


def test_the_example_of_the_docs_runs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKEHASHI_HOME", str(settings.home))
    monkeypatch.setenv("KAKEHASHI_GBR_BOOTSTRAP", NOWHERE.bootstrap)
    [program] = examples()
    exec(compile(program, "docs", "exec"), {})  # noqa: S102 - our own page
    with spool(settings) as kept:
        assert "bad.example.com" in values_in(kept)


def test_a_program_that_uses_it_is_checked_by_its_types() -> None:
    """PEP 561: without the markers a type checker takes an installed package as untyped."""
    for package in ("schemas", "exchange", "producers"):
        assert (ROOT / package / "py.typed").exists()


def test_its_import_does_not_bring_faust() -> None:
    program = (
        "import sys, producers.api; print({name.split('.')[0] for name in sys.modules} & {'faust', 'mode', 'aiokafka'})"
    )
    shown = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_a_profile_states_marking_labels_confidence_and_types(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "edge-1.yaml"
    file.write_text(
        "nation: GBR\nsensor: edge-1\nsector: energy\nmarking: {tlp: TLP:AMBER}\nconfidence: 40\n"
        "confidence_ceiling: 70\ntypes: [domain-name]\n"
    )
    with Publisher(file, cluster=NOWHERE, settings=settings, deadline_s=0) as publisher:
        publisher.observe_all(
            [
                Observation(DOMAIN, "a.example.com", confidence=90, marking=SourceMarking(tlp="TLP:GREEN")),
                Observation(DOMAIN, "b.example.com"),
            ]
        )
        with pytest.raises(ValueError, match="publishes no url"):
            publisher.observe(IndicatorType.URL, "http://a.example.com/")
        publisher.withdraw(IndicatorType.URL, "http://a.example.com/")
    with spool(settings) as kept:
        [report, ending] = reports_in(kept)
    assert [marking["tlp"] for marking in report["markings"]] == ["TLP:AMBER"]
    assert report["label_sets"] == [['kakehashi:sector="energy"']]
    assert report["confidences"] == [70, 40]
    assert ending["values"] == ["http://a.example.com/"]


def test_a_profile_with_mistakes_makes_no_publisher(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("nation: GBR\nsensr: a\n")
    with pytest.raises(ConfigurationError, match="sensor: is missing"):
        Publisher(tmp_path / "a.yaml", settings=settings)
    with pytest.raises(ConfigurationError, match="time_zone"):
        Publisher(Profile(nation="GBR", sensor="a", time_zone="Moon"), settings=settings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("first_seen_ms", 1764534000000.5),
            ("count", "3"),
            ("count", 0),
            ("valid_until_ms", -1),
            ("confidence", 80.5),
        ),
        *(
            ("labels", "c2"),
            ("description", None),
            ("description", "\ud800"),
            ("context", {"a": "b"}),
            ("count", 1 << 70),
        ),
        ("marking", "TLP:RED"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_at_once_and_the_publisher_goes_on(
    settings: Settings, field: str, value: Any
) -> None:
    with offline(settings) as publisher:
        with pytest.raises(ValueError, match=r"cannot be published|digits"):
            publisher.observe(DOMAIN, "bad.example.com", **{field: value})
        publisher.observe(DOMAIN, "bad.example.org")
    with spool(settings) as kept:
        assert values_in(kept) == ["bad.example.org"]
