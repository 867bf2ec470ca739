"""The doctor states what is missing only if it is needed, and how to get it."""

from pathlib import Path

import pytest

from localkafka.machine import Verdict, examine, is_fit
from localkafka.settings import BrokerSettings


def _settings(tmp_path: Path, **environ: str) -> BrokerSettings:
    return BrokerSettings.from_env({"XDG_CACHE_HOME": str(tmp_path), **environ}, ("GBR", "JPN"))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Java, Maven and Docker."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


@pytest.mark.usefixtures("bare")
def test_on_a_machine_without_any_source_of_kafka_the_message_states_how_to_get_each(tmp_path: Path) -> None:
    findings = examine(_settings(tmp_path))
    missing = {finding.subject: finding.remedy for finding in findings if finding.verdict == Verdict.MISSING}
    assert missing["Java"] == "apt-get install openjdk-17-jre-headless"
    assert missing["Maven"] == "apt-get install maven"
    assert missing["Docker"] == "apt-get install docker.io"
    assert not is_fit(findings)


@pytest.mark.usefixtures("bare")
def test_brokers_in_settings_make_the_other_sources_unneeded(tmp_path: Path) -> None:
    given = {"KAKEHASHI_GBR_BOOTSTRAP": "192.0.2.1:9092", "KAKEHASHI_JPN_BOOTSTRAP": "192.0.2.2:9092"}
    verdicts = {finding.subject: finding.verdict for finding in examine(_settings(tmp_path, **given))}
    assert verdicts["Java"] == verdicts["Maven"] == verdicts["Docker"] == Verdict.ABSENT


def test_an_old_java_is_not_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho '    java.specification.version = 11' >&2\n", encoding="ascii")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = next(finding for finding in examine(_settings(tmp_path)) if finding.subject == "Java")
    assert found.verdict != Verdict.OK
    assert found.found.startswith("11 ")
