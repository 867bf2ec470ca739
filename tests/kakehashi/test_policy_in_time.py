"""An activation whose time came nearer while it was checked is refused before it is written; the status of a border."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from consumers.desk.policy import save
from exchange.authority.policy_record import Approved, Kind
from exchange.authority.policy_watch import Published
from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from exchange.settings import Settings
from kakehashi.commands.officer.policy_versions import _rows
from kakehashi.main import Invocation, command_line
from kakehashi.published_rules import PublishedRules
from tests.builders import NOW_MS
from tests.officers import ALICE, BOB, ROSTER, write_key
from tests.policy_records import a_border, an_activation, signed

SLOW_S, LEAD_S = 41, Settings().policy_lead_s


class SlowChecks:
    """A clock that the checks move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = NOW_MS
        monkeypatch.setattr("exchange.clock.now_ms", lambda: self.now_ms)
        monkeypatch.setattr("kakehashi.policy_gate.check", self.check)
        versions = "kakehashi.commands.officer.policy_versions"
        for module in ("kakehashi.commands.officer.policy_publish", versions):
            monkeypatch.setattr(f"{module}.published_rules", lambda _: rules_of())
        monkeypatch.setattr(f"{versions}.settings_and_roster", lambda _: (Settings(), ROSTER))

    def check(self, *_: object, **__: object) -> None:
        self.now_ms += SLOW_S * 1000


def rules_of(*approved: Approved) -> PublishedRules:
    return PublishedRules(Settings(), ROSTER, Cluster("GBR", "192.0.2.1:1"), Published(NOW_MS, approved))


@pytest.mark.parametrize("spare_s", [0, SLOW_S - 1])
def test_a_time_that_came_too_near_during_the_checks_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare_s: int
) -> None:
    SlowChecks(monkeypatch)
    monkeypatch.setattr("consumers.desk.policy.write", lambda *_: pytest.fail("it was written"))
    monkeypatch.setattr("exchange.kafka.clients.topic_ids", lambda *_: {})
    draft = tmp_path / "on.json"
    save(signed(an_activation("a" * 64, NOW_MS + (LEAD_S + spare_s) * 1000)), draft)
    done = CliRunner().invoke(command_line(Invocation()), ["policy", "publish", str(draft), "--nation", "GBR"])
    assert isinstance(done.exception, Refused), done.output
    for words in ("too soon", f"the checks took {SLOW_S} s: allow that and the lead", "nothing was written"):
        assert words in str(done.exception)


def test_a_second_signature_under_a_time_that_came_too_near_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SlowChecks(monkeypatch)
    draft, key = tmp_path / "on.json", write_key(BOB, tmp_path)
    save(signed(an_activation("a" * 64, NOW_MS + LEAD_S * 1000), ALICE), draft)
    before = draft.read_bytes()
    words = ["policy", "sign", str(draft), "--nation", "GBR", "--key", str(key)]
    done = CliRunner().invoke(command_line(Invocation()), words)
    assert isinstance(done.exception, Refused), done.output
    assert f"({SLOW_S} s here)" in str(done.exception)
    assert draft.read_bytes() == before


def test_the_status_of_a_border_states_since_when_by_whom_and_why() -> None:
    closed, opened = a_border("closed", reason="a drill"), a_border("open", 2, reason="it is over")
    first, second = (Approved(Kind.BORDER, each, (ALICE,), NOW_MS + at, at) for at, each in enumerate((closed, opened)))
    for published, since_ms, by, reason in (
        ((), 0, [], "from the beginning: no one has closed it"),
        ((first,), NOW_MS, [ALICE], "a drill"),
        ((first, second), NOW_MS + 1, [ALICE], "it is over"),
    ):
        [row] = [each for each in _rows(rules_of(*published), NOW_MS) if each["what"] == "border"]
        assert (row["since_ms"], row["by"], row["reason"]) == (since_ms, by, reason)
