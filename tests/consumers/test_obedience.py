"""`kakehashi border close` waits for every process, names those that do not obey, and a roster needs no restart."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.authority.policy_readings import PolicyReader
from exchange.authority.policy_record import Border as State
from exchange.authority.policy_watch import PolicyWatch
from exchange.authority.roster import entry_text
from exchange.authority.roster_watch import RosterWatch
from exchange.errors import Refused
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import POLICY_READING
from tests.builders import a_policy_reading
from tests.conftest import Brokers
from tests.consumers.border import Border
from tests.officers import ALICE, BOB, ROSTER, write_key
from tests.polling import eventually

WITHIN_S = 30.0
LEAD_MS = 10_000


class Closing:
    """A border, the officers' folder of its commands, and one of a bridge, with an older roster."""

    def __init__(self, border: Border, folder: Path) -> None:
        self.border, self.key = border, write_key(ALICE, folder)
        self.new, self.old = folder / "new", folder / "old"
        for each, people in ((self.new, (ALICE, BOB)), (self.old, (BOB,))):
            each.mkdir()
            self.enter(each, *people)

    def enter(self, folder: Path, *people: str) -> None:
        entries = [entry_text(each) for each in ROSTER.officers.values() if each.person in people]
        (folder / f"{self.border.home}.toml").write_text("\n".join(entries), "utf-8")

    @contextmanager
    def bridge(self, officers: Path) -> Iterator[PolicyWatch]:
        """What a bridge does with policies, with the roster in this folder."""
        home, partner = self.border.here, self.border.partner
        watch = PolicyWatch(home, RosterWatch(home.nation, officers), (partner,), LEAD_MS).start()
        reader = PolicyReader(home, watch, "bridge", partner, lambda: frozenset({0})).start()
        key = f"bridge/{partner}/0".encode()
        eventually(
            lambda: any(each.key == key for each in self.border.read(home, topics.POLICY_READINGS)), WITHIN_S, "reads"
        )
        try:
            yield watch
        finally:
            reader.withdraw()
            watch.stop()

    def close(self, *options: str, wait_s: float = WITHIN_S) -> Result:
        return CliRunner().invoke(
            command_line(Invocation()),
            [
                "border", "close", "--nation", self.border.home, "--partner", self.border.partner,
                "--key", str(self.key), "--reason", "a test", "--wait", str(wait_s),
                *options,
            ],
        )  # fmt: skip


@pytest.fixture
def closing(brokers: Brokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Closing:
    closing = Closing(Border(brokers), tmp_path)
    monkeypatch.setenv("KAKEHASHI_NATIONS", f"{closing.border.home},{closing.border.partner}")
    monkeypatch.setenv("KAKEHASHI_OFFICERS", str(closing.new))
    for cluster in (closing.border.here, closing.border.there):
        monkeypatch.setenv(f"KAKEHASHI_{cluster.nation}_BOOTSTRAP", cluster.bootstrap)
    monkeypatch.setattr("exchange.settings.Settings.partners", lambda *_: (closing.border.partner,))
    return closing


def test_a_bridge_that_obeys_is_counted(closing: Closing) -> None:
    with closing.bridge(closing.new) as watch:
        result = closing.close()
        assert result.exit_code == 0, result.output
        assert "1 shard of workers and bridges obey" in result.output
        assert watch.latest.border(closing.border.partner) is State.CLOSED


def test_a_bridge_with_an_older_roster_is_named_and_obeys_once_the_file_is_changed(closing: Closing) -> None:
    with closing.bridge(closing.old) as watch:
        result = closing.close()
        assert isinstance(result.exception, Refused), result.output
        assert "1 of 1 shard do not obey" in str(result.exception)
        assert f"bridge to {closing.border.partner}, shard 0" in result.output
        assert "refuses it: no key" in result.output
        assert watch.latest.border(closing.border.partner) is State.OPEN
        closing.enter(closing.old, ALICE, BOB)
        eventually(
            lambda: watch.latest.border(closing.border.partner) is State.CLOSED, WITHIN_S, "obeys without a restart"
        )
        assert closing.close().exit_code == 0


def test_a_process_that_does_not_answer_is_named(closing: Closing) -> None:
    partner, here = closing.border.partner, closing.border.here
    hung = a_policy_reading(partner=partner, process="hung:7", next_offset=0, refused=[])
    closing.border.put(
        here,
        topics.POLICY_READINGS,
        [(f"bridge/{partner}/0".encode(), here.codec(POLICY_READING).encode(POLICY_READING, hung))],
    )
    result = closing.close(wait_s=1.0)
    assert isinstance(result.exception, Refused)
    assert f"bridge to {partner}, shard 0 (hung:7) has not answered within 1 s" in result.output
    [line] = closing.close("--json", wait_s=1.0).stdout.splitlines()
    assert {name: json.loads(line)[name] for name in ("process", "obeys")} == {"process": "hung:7", "obeys": False}


def test_a_bridge_that_was_stopped_in_good_order_is_not_waited_for(closing: Closing) -> None:
    with closing.bridge(closing.new):
        pass
    result = closing.close()
    assert result.exit_code == 0, result.output
    assert "no worker or bridge runs now" in result.output
