"""Every command that lists things, on a real cluster: JSON lines in a pipe, a table on a terminal of 80 columns."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import Producer
from rich.cells import cell_len

from exchange.clock import now_ms
from exchange.errors import Exit
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from localkafka.broker import Broker
from schemas import topics
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RECEIPT, RELEASED_INDICATOR, REVIEW_PENDING, Codec
from schemas.vocabulary import IndicatorType
from tests.builders import (
    a_content,
    a_decision,
    a_quarantined,
    a_receipt,
    a_released,
    a_review_pending,
    an_id,
    an_indicator,
)
from tests.conftest import _running
from tests.kakehashi.command import kakehashi
from tests.kakehashi.pseudo_terminal import on_a_terminal
from tests.kakehashi.test_conventions import commands_with, required
from tests.officers import roster_text

pytestmark = pytest.mark.kafka

LONG = "https://files.download.example.com/a/very/long/path/that/no/column/of/a/narrow/terminal/has/room/for.exe"
LONG_ID = an_id(IndicatorType.URL, LONG)
MORE = {
    "tail": ("--no-follow",),
    "topics": ("--dry-run",),
    "acls": ("--dry-run",),
    "taxii clients": ("--clients", "clients.toml"),
}
SHOWS = {
    "acls": ["GBR-streams"],
    "audit show": ["release-green", "release ", "JPN"],
    "border status": ["JPN", "open"],
    "doctor": ["Python"],
    "officer list": ["alice"],
    "output formats": ["hosts:FILE"],
    "output list": ["hosts:", "recalls"],
    "policy status": ["in force"],
    "quarantine list": ["192.0.2.999 is not an address", "state", "open", "invalid-value"],
    "released list": [LONG, "received", "content, disputed", "JPN"],
    "review list": [LONG, "0 of 1", "until, UTC"],
    "search": [LONG, "state", "live", "TLP"],
    "tail": [LONG, "live", "  ⚑ JPN disputes it: outdated\n"],
    "sensor keys": ["vault-1", "valid", "until, UTC"],
    "sensor score": ["edge-1", "revoked"],
    "taxii clients": ["siem", "TLP:AMBER"],
    "topics": ["indicator.national.v1"],
}
"""By command: what its table shows whole on 80 columns: the value, and what its reader decides by."""
CLIENTS = """
[[client]]
name = "siem"
ceiling = "TLP:AMBER"
tokens = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
"""
ELSEWHERE = frozenset({"status", "up", "sensor signed"})
"""``test_local_clusters`` and ``tests/attack/sensors.py`` have them."""


@dataclass(frozen=True)
class Nation:
    """A nation with one of everything."""

    folder: Path
    environ: dict[str, str]


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nation]:
    folder = tmp_path_factory.mktemp("listings")
    with _running(("GBR",), folder) as one:
        _fill(one["GBR"])
        (folder / "officers").mkdir()
        (folder / "officers" / "GBR.toml").write_text(roster_text(), "utf-8")
        (folder / "clients.toml").write_text(CLIENTS, "utf-8")
        address = one["GBR"].bootstrap
        environ = {"KAKEHASHI_GBR_BOOTSTRAP": address, "KAKEHASHI_JPN_BOOTSTRAP": address, "KAKEHASHI_SHARDS": "1"}
        target = f"hosts:{folder}/hosts"
        assert (
            kakehashi("output", "run", "--nation", "GBR", "--once", "--to", target, within=folder, **environ).returncode
            == 0
        )
        yield Nation(folder, environ | {"KAKEHASHI_OFFICERS": str(folder / "officers")})


def _fill(broker: Broker) -> None:
    cluster, codec, at_ms = Cluster("GBR", broker.bootstrap), Codec(), now_ms()
    ensure_topics(cluster, topics.topics_of("GBR", ("JPN",), 1))
    review = a_review_pending(indicator_id=LONG_ID, type="url", value=LONG, deadline_ms=at_ms + 86_400_000)
    quarantined = a_quarantined(key="sensor.reports.v1-0-41-3", detail="192.0.2.999 is not an address")
    records: list[tuple[str, str, str, Any]] = [
        (topics.NATIONAL, LONG_ID, INDICATOR, an_indicator(id=LONG_ID, type="url", value=LONG)),
        (topics.AUDIT, LONG_ID, DECISION, a_decision(indicator_id=LONG_ID, at_ms=at_ms)),
        (topics.REVIEW_PENDING, f"{LONG_ID}/JPN", REVIEW_PENDING, review),
        (topics.QUARANTINE, quarantined["key"], QUARANTINED, quarantined),
        (
            topics.released("JPN"),
            LONG_ID,
            RELEASED_INDICATOR,
            a_released(id=LONG_ID, content=a_content(type="url", value=LONG)),
        ),
        (topics.partner_receipts("JPN"), f"{LONG_ID}/applied", RECEIPT, a_receipt(indicator_id=LONG_ID)),
        (
            topics.partner_receipts("JPN"),
            f"{LONG_ID}/disputed",
            RECEIPT,
            a_receipt(indicator_id=LONG_ID, code="disputed", reason="outdated", nation="JPN"),
        ),
    ]
    producer: Producer = idempotent_producer(cluster)
    for topic, key, schema, record in records:
        producer.produce(topic, codec.encode(schema, cast("Any", record)), key.encode(), 0)
    assert producer.flush(30) == 0


def _words(path: str) -> list[str]:
    return [*path.split(), *required(path, nation="GBR"), *MORE.get(path, ())]


def test_every_command_that_lists_things_is_tried() -> None:
    assert SHOWS.keys() | ELSEWHERE == {*commands_with("JSON lines, as in a pipe."), "topics", "acls"}


@pytest.mark.parametrize("path", SHOWS)
def test_a_pipe_gets_json_lines_and_json_gives_the_same(nation: Nation, path: str) -> None:
    piped = kakehashi(*_words(path), within=nation.folder, **nation.environ)
    assert (piped.returncode, piped.stderr) == (Exit.OK, "")
    lines = [json.loads(line) for line in piped.stdout.splitlines()]
    assert lines
    assert all(isinstance(line, dict) for line in lines)
    asked = kakehashi(*_words(path), "--json", within=nation.folder, **nation.environ)
    if path not in ("doctor", "sensor score"):  # memory, disk and the time differ from one moment to the next
        assert asked.stdout == piped.stdout


@pytest.mark.parametrize("path", SHOWS)
def test_a_terminal_of_80_columns_gets_a_table_that_cuts_no_value(nation: Nation, path: str) -> None:
    exit_code, shown = on_a_terminal(*_words(path), within=nation.folder, environ=os.environ | nation.environ)
    assert exit_code == Exit.OK, shown
    assert [text for text in SHOWS[path] if text not in shown] == [], shown
    assert "…" not in shown
    assert not shown.lstrip().startswith("{")
    short = [line for line in shown.splitlines() if LONG not in line and LONG_ID not in line]
    assert path in ("doctor", "acls") or all(len(line) <= 80 for line in short), shown
    exit_code, asked = on_a_terminal(*_words(path), "--json", within=nation.folder, environ=os.environ | nation.environ)
    assert all(isinstance(json.loads(line), dict) for line in asked.splitlines())


def test_an_explanation_fits_a_terminal_of_80_columns_and_is_one_line_a_sentence_in_a_pipe(nation: Nation) -> None:
    reported = ("explain", "--nation", "GBR", LONG_ID)
    exit_code, shown = on_a_terminal(*reported, within=nation.folder, environ=os.environ | nation.environ)
    assert exit_code == Exit.OK, shown
    assert all(cell_len(line) <= 80 for line in shown.splitlines()), shown
    piped = kakehashi(*reported, within=nation.folder, **nation.environ).stdout
    assert " ".join(shown.split()[3:]) in " ".join(piped.split())
