"""The inputs of the door, kinds 1 to 7, end to end: what stands in their tables is what the partner has.

Every input is produced as a sensor of its own at GBR, by the command, with ``--tlp TLP:GREEN --confidence 60``; then
JPN's topic is looked at: what is live there, what ever was, and how it ended. The audit holds all of it to the model.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.errors import Exit
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType
from tests.door.outcomes import inputs, table_of
from tests.integration.nations import Nations, working_nations
from tests.polling import eventually
from tests.reference.reading import Reading

SOON_S = 90.0
KINDS = range(1, 8)
LATER = {"51b-stix-revoked-later.json": "51a", "51d-misp-deleted-later.json": "51c", "51h-misp-red-later.json": "51g"}
"""Inputs that a source sends after another one, and the beginning of that one's name: both are of one sensor."""

KEPT_BY_A_RULE = {
    "billing@bug19f.kakenet-mal.org",  # a mail address may name a person
    "bug28h.kakenet-mal.org",  # its source states a low confidence
    "unsure.kakenet-mal.org",
    "tag16.kakenet-mal.org",  # PAP:RED
    "opencti1.kakenet-mal.org",
    *("0.0.0.0/0", "::/0", "128.0.0.0/1", "2000::/3"),  # special-use space is in them
    *("AS64496", "AS64512", "AS65535", "AS23456", "AS4294967295"),  # reserved
    *("145.0.0.0/8", "16.0.0.0/4", "2a00::/12"),  # of the size of a registry's block
    *("145.0.0.0/9", "145.14.0.0/15", "2a01::/16"),  # wide: for two officers
}


@dataclass
class Partner:
    """What JPN has of GBR, by id: the last kind and reason, and what it ever had as content."""

    last: dict[str, tuple[str, str]] = field(default_factory=dict)
    ever: dict[str, str] = field(default_factory=dict)

    @property
    def live(self) -> set[str]:
        """The values that are live."""
        return {self.ever[name] for name, (kind, _) in self.last.items() if kind == "content"}

    def end_of(self, value: str, kind: IndicatorType = IndicatorType.DOMAIN_NAME) -> tuple[str, str]:
        """How an indicator stands: its last record's kind and reason; empty if it never came."""
        return self.last.get(indicator_id(indicator_key(kind, value)), ("", ""))


class Door:
    """GBR's sensors, and JPN's topic."""

    def __init__(self, nations: Nations, reading: Reading, folder: Path) -> None:
        self.nations, self.folder, self._reading = nations, folder, reading
        self._codec, self._files = Codec(), 0

    def produce(self, sensor: str, file: Path, *options: str) -> None:
        """By the command, as an operator does."""
        arguments = ["produce", "--nation", "GBR", "--sensor", sensor, "--tlp", "TLP:GREEN", "--confidence", "60"]
        self.command(*arguments, "--deadline", str(SOON_S), *options, str(file))

    def command(self, *arguments: str) -> str:
        """Any command; its output."""
        run = CliRunner(env=self.nations.environ | {"NO_COLOR": "1"}).invoke(command_line(Invocation()), arguments)
        assert run.exit_code == Exit.OK, f"{' '.join(arguments)}: {run.output}{run.exception!r}"
        return run.stdout

    def produce_text(self, sensor: str, text: str, *options: str) -> None:
        """A file that did not exist before."""
        self._files += 1
        file = self.folder / f"{self._files}.{'json' if text.startswith(('{', '[')) else 'txt'}"
        file.write_text(text, "utf-8")
        self.produce(sensor, file, *options)

    def lose_spool(self, sensor: str) -> None:
        """The sensor's disk is lost."""
        shutil.rmtree(Path(self.nations.environ["KAKEHASHI_HOME"]) / "spool" / "GBR" / sensor)

    def partner(self) -> Partner:
        """What JPN has now."""
        self._reading.look()
        found = Partner()
        for record in self._reading.records[topics.accepted("GBR")]:
            released = self._codec.decode(RELEASED_INDICATOR, record.value)
            if isinstance(released, dict):
                found.last[released["id"]] = (released["kind"], released["reason"])
                if released["content"] is not None:
                    found.ever[released["id"]] = released["content"]["value"]
        return found

    def await_live(self, *values: str) -> None:
        """Wait until all of these are live."""
        eventually(lambda: set(values) <= self.partner().live, SOON_S, f"live at JPN: {values}")

    def await_end(self, value: str, kind: str, reason: str) -> None:
        """Wait until it has ended so."""
        eventually(lambda: self.partner().end_of(value) == (kind, reason), SOON_S, f"{value} {kind}, {reason}")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with ExitStack() as stack:
        nations = stack.enter_context(working_nations(tmp_path_factory.mktemp("nations")))
        reading = stack.enter_context(Reading(nations.clusters["JPN"], [topics.accepted("GBR")], nations.shards))
        yield Door(nations, reading, tmp_path_factory.mktemp("inputs"))


def leaves(marking: str) -> bool:
    """Whether what is marked so may go to JPN: the words of the tables, and the agreed rules of TLP."""
    labels, *caveats = marking.split(" + ")
    tlp, *_ = labels.split()
    _, _, recipients = labels.partition(" to ")
    named = "JPN" in recipients.split(",")
    return not caveats and (named if recipients else tlp in ("TLP:CLEAR", "TLP:GREEN")) and tlp != "TLP:RED"


def wanted_of(table: dict[str, Any]) -> dict[str, bool]:
    """Each value of an input, and whether it is to be live: of several rows with one value all must allow it."""
    wanted: dict[str, bool] = {}
    for row in table["readings"]:
        if "withdrawn" in row or "withdrawal" in row:
            wanted[row["value"]] = False
        elif "value" in row:
            allowed = leaves(row["marking"]) and row["value"] not in KEPT_BY_A_RULE
            wanted[row["value"]] = allowed and wanted.get(row["value"], True)
    return wanted


def test_every_row_of_every_input_is_right_at_the_partner(door: Door) -> None:
    files = {path.name: path for path in inputs() if table_of(path).get("kind") in KINDS}
    assert files.keys() > LATER.keys()
    live, never, once = set[str](), set[str](), set[str]()
    for later in (False, True):
        for name, path in files.items():
            if (name in LATER) != later:
                continue
            table = table_of(path)
            options = [part for network in table.get("home_networks", ()) for part in ("--home-net", network)]
            copy = door.folder / table.get("name", name)
            shutil.copy(path, copy)
            sensor = LATER.get(name) or next((first for first in LATER.values() if name.startswith(first)), name)
            door.produce(sensor, copy, *options)
            wanted = wanted_of(table)
            if later:
                once |= live & wanted.keys()
                live -= wanted.keys()
            live |= {value for value, is_live in wanted.items() if is_live}
            never |= {value for value, is_live in wanted.items() if not is_live}
        door.await_live(*live)
    [audit] = door.nations.settled(SOON_S, ["GBR"]).values()
    assert audit.clean, str(audit)
    found = door.partner()
    assert len(live) > 60
    assert len(never) > 100
    assert found.live == live
    assert set(found.ever.values()) == live | once
    assert found.end_of("bug51.benign-shop.org") == ("revoked", "withdrawn")
    assert found.end_of("bug51m.benign-shop.org") == ("revoked", "withdrawn")
    assert found.end_of("bug51r.kakenet-mal.org") == ("recalled", "marking-tightened")


# -- withdrawals that need more than one input ------------------------------------------------------------------------


def an_event(uuid: str, at: int, *names: str, **changes: Any) -> str:
    attributes = [
        {"uuid": f"{uuid} {name}", "type": "domain", "value": f"{name}.kakenet-mal.org", "to_ids": True}
        for name in names
    ]
    event = {"uuid": uuid, "info": "made up", "timestamp": str(at), "Tag": [{"name": "tlp:green"}]}
    return json.dumps({"Event": event | {"Attribute": attributes} | changes})


def an_indicator(number: int, modified: str, *names: str, revoked: bool = False) -> str:
    return json.dumps(
        {
            "type": "bundle",
            "id": "bundle--6a1f0001-0000-4000-8000-000000000000",
            "objects": [
                {
                    "type": "indicator",
                    "spec_version": "2.1",
                    "id": f"indicator--6a1f0001-0000-4000-8000-{number:012}",
                    "created": "2026-01-01T00:00:00Z",
                    "modified": modified,
                    "valid_from": "2026-01-01T00:00:00Z",
                    "revoked": revoked,
                    "pattern_type": "stix",
                    "pattern": " OR ".join(f"[domain-name:value = '{name}.kakenet-mal.org']" for name in names),
                }
            ],
        }
    )


def test_an_attribute_that_a_fetched_event_lost_ends_at_the_partner(door: Door) -> None:
    door.produce_text("misp", an_event("e1", 1_790_000_000, "w1", "w2", "w3"))
    door.await_live(*(f"w{number}.kakenet-mal.org" for number in (1, 2, 3)))
    door.produce_text("misp", an_event("e1", 1_790_000_060, "w1", "w3"))
    door.await_end("w2.kakenet-mal.org", "revoked", "withdrawn")
    door.produce_text(
        "misp", an_event("e1", 1_790_000_120, "w1", "w3", published=False, publish_timestamp="1790000000")
    )
    door.await_end("w1.kakenet-mal.org", "revoked", "withdrawn")
    door.await_end("w3.kakenet-mal.org", "revoked", "withdrawn")
    door.produce_text("misp", an_event("e1", 1_790_000_180, "w1", "w3", published=True))
    door.await_live("w1.kakenet-mal.org", "w3.kakenet-mal.org")


def test_what_another_source_or_object_asserts_stays_at_the_partner(door: Door) -> None:
    door.produce_text("first", an_indicator(1, "2026-02-01T00:00:00Z", "x1", "x2"))
    door.produce_text("first", an_indicator(2, "2026-02-01T00:00:00Z", "x2"))
    door.produce_text("second", "x1.kakenet-mal.org\n")
    door.await_live("x1.kakenet-mal.org", "x2.kakenet-mal.org")
    door.produce_text("first", an_indicator(1, "2026-02-02T00:00:00Z", "x1", "x2", revoked=True))
    door.produce_text("first", an_indicator(3, "2026-02-02T00:00:00Z", "x3"))
    door.await_live("x1.kakenet-mal.org", "x2.kakenet-mal.org", "x3.kakenet-mal.org")
    door.produce_text("first", an_indicator(2, "2026-02-02T00:00:00Z", "x2", revoked=True))
    door.await_end("x2.kakenet-mal.org", "revoked", "withdrawn")
    assert "x1.kakenet-mal.org" in door.partner().live


def test_a_revocation_counts_before_its_assertion_and_after_the_spool_was_lost(door: Door) -> None:
    door.produce_text("early", an_indicator(4, "2026-02-02T00:00:00Z", "y1", revoked=True))
    door.produce_text("early", an_indicator(4, "2026-02-01T00:00:00Z", "y1"))
    door.produce_text("lost", an_indicator(5, "2026-02-01T00:00:00Z", "y2"))
    door.await_live("y2.kakenet-mal.org")
    door.lose_spool("lost")
    door.produce_text("lost", an_indicator(5, "2026-02-02T00:00:00Z", "y2", revoked=True))
    door.await_end("y2.kakenet-mal.org", "revoked", "withdrawn")
    assert door.partner().end_of("y1.kakenet-mal.org") == ("", "")


def test_the_commands_show_a_withdrawal(door: Door) -> None:
    value = "v1.kakenet-mal.org"
    name = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, value))
    door.produce_text("shown", an_indicator(6, "2026-02-01T00:00:00Z", "v1"))
    door.await_live(value)
    door.produce_text("shown", an_indicator(6, "2026-02-02T00:00:00Z", "v1", revoked=True))
    door.await_end(value, "revoked", "withdrawn")

    assert "No source asserts it any more" in door.command("explain", "--nation", "GBR", value)
    lines = door.command("tail", "--nation", "JPN", "--partner", "GBR", "--no-follow", "--json").splitlines()
    [shown] = [json.loads(line) for line in lines if name in line]
    assert (shown["state"], shown["reason"]) == ("revoked", "withdrawn")

    def is_answered() -> bool:
        text = door.command("released", "show", "--nation", "GBR", "--partner", "JPN", value)
        return text.startswith("RECALL APPLIED by JPN") or text.startswith("APPLIED by JPN")

    eventually(is_answered, SOON_S, "JPN's receipt for the end")
    assert "revoked: its source withdrew it; version" in door.command(
        "released", "show", "--nation", "GBR", "--partner", "JPN", value
    )

    def is_reconciled() -> bool:
        """Without a grace time, what is released between its two readings is a difference."""
        compared = door.command("reconcile", "--nation", "GBR", "--partner", "JPN", "--full", "--grace", "0")
        return compared.splitlines()[0].endswith(" 0 windows with differences, 0 indicators")

    eventually(is_reconciled, SOON_S, "no difference between what GBR has released and what JPN holds")


def test_a_line_that_left_a_snapshot_ends_at_the_partner(door: Door) -> None:
    names = [f"z{number}.kakenet-mal.org" for number in range(4)]
    door.produce_text("list", "\n".join(names) + "\n", "--snapshot")
    door.await_live(*names)
    door.produce_text("list", "\n".join(names[1:]) + "\n", "--snapshot")
    door.await_end(names[0], "revoked", "withdrawn")
    assert set(names[1:]) <= door.partner().live
    [audit] = door.nations.settled(SOON_S, ["GBR"]).values()
    assert audit.clean, str(audit)
