"""The rules of Suricata, read by ``suricata-check``, a linter of others (EUPL-1.2, so it is no dependency of ours)."""

import json
from pathlib import Path

import pytest

from consumers.outputs.known import outputs
from tests.consumers.outputs.test_output_laws import entries_of
from tests.consumers.outputs.test_suricata import written_in
from tests.consumers.with_tools.daemons import call, program

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("action", ["alert", "drop"])
def test_a_linter_reads_every_rule_and_finds_no_fault_but_of_style(tmp_path: Path, action: str) -> None:
    checker = program("suricata-check", "pipx; pipx install suricata-check")
    folder, report = tmp_path / "suricata", tmp_path / "report"
    folder.mkdir()
    report.mkdir()
    files, _ = written_in(folder, entries_of(outputs()["suricata"]), action)
    rules = [line for line in files["kakehashi.rules"] if not line.startswith("#")]
    given = (checker, "--rules", folder / "kakehashi.rules", "--out", report, "--log-level", "ERROR")
    call(*given)
    read = [json.loads(line) for line in (report / "suricata-check.jsonl").read_text().splitlines()]
    assert [each["rule"] for each in read] == rules
    assert "issues found: 0" in call(*given, "--issue-severity", "WARNING")
