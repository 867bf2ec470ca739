"""On real Kafka: bulk is held to a rate, a recall goes by, and the partner counts each version once."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exchange import clock
from exchange.bandwidth import BURST_S, Schedule
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from exchange.protocol.record import Record
from exchange.role import metrics_of
from schemas import topics
from schemas.codec import RELEASED_INDICATOR
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType
from streams.receive.step import Receive
from tests.builders import a_content, a_released, an_id
from tests.conftest import Brokers
from tests.consumers.border import SHARDS, Border, carrying
from tests.polling import eventually
from tests.streams.workbench import Workbench

WITHIN_S = 60.0
RATE = 1_000
RELEASES = 400


@pytest.fixture
def border(brokers: Brokers) -> Border:
    return Border(brokers)


@contextmanager
def bridged(border: Border, rate: str) -> Iterator[Metrics]:
    """A bridge whose bulk is held to a rate."""
    settings = dataclasses.replace(border.settings, bridge_rate=Schedule.parse(rate))
    metrics = metrics_of(Role.BRIDGE, border.home, (border.partner,), (topics.bridge_step(border.home),))
    with carrying(border, metrics, settings) as broken:
        yield metrics
    assert not broken


def _released(border: Border, number: int, version: int, **changes: Any) -> ReleasedIndicator:
    name = f"{number}.example.com"
    content = a_content(value=name, releasable_to=[border.partner], first_seen_ms=version, last_seen_ms=version)
    content["release_expires_ms"] = version + 86_400_000
    made = {"content": content, "origin": border.home, "hops": [border.home], "version": version}
    record = a_released(**{**made, **changes})
    record["id"] = an_id(IndicatorType.DOMAIN_NAME, name)
    return record


def _soon(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, WITHIN_S, what)


def test_a_recall_passes_bulk_that_is_limited_to_its_rate_and_recalled_content_never_leaves(border: Border) -> None:
    now_ms = clock.now_ms()
    last = RELEASES - 1
    bulk = [_released(border, number, now_ms) for number in range(RELEASES)]
    recall = _released(border, last, now_ms + 1, kind="recalled", content=None, recalled_through=now_ms)
    first = _released(border, RELEASES, now_ms, kind="expired", content=None)
    inbox, ahead = topics.inbox(border.home), topics.urgent_inbox(border.home)
    link = {"from": border.home, "to": border.partner}
    with bridged(border, f"{RATE // 1000}kB/s") as metrics:
        border.release(first)
        _soon(
            lambda: bool(border.read(border.there, inbox) and border.read(border.there, ahead)), "both lanes are open"
        )
        began = time.monotonic()
        border.release(*bulk)
        _soon(lambda: len(border.read(border.there, inbox)) > 1, "bulk has begun")
        border.release(recall)
        _soon(lambda: len(border.read(border.there, ahead)) == 2, "the recall is there")
        shown = metrics.registry.get_sample_value
        held_s = spec.BRIDGE_HELD_SECONDS.full_name
        _soon(lambda: (shown(held_s, link) or 0) > 1, "bulk was held, and that is counted")
        carried = border.read(border.there, inbox)[1:]
        took_s = time.monotonic() - began
        assert shown(spec.BRIDGE_LIMIT_BYTES.full_name, link) == RATE
        _soon(lambda: shown(spec.URGENT_RECORDS.full_name, {**link, "kind": "recalled"}) == 1, "the recall is counted")
    sizes = [len(each.value or b"") + len(each.key or b"") for each in carried]
    assert sum(sizes) <= RATE * (took_s + BURST_S) + max(sizes)
    assert len(carried) < RELEASES // 2, "the recall did not wait for the bulk before it"
    with bridged(border, "unlimited") as metrics:  # another owner: it must know what had gone ahead
        _soon(lambda: len(border.read(border.there, inbox)) > RELEASES, "all but what was recalled, and the recall")
        overtaken, shown = spec.OVERTAKEN_RECORDS.full_name, metrics.registry.get_sample_value
        _soon(lambda: shown(overtaken, link) == 1, "what stayed is counted")
    arrived, copies = border.read(border.there, inbox), border.read(border.there, ahead)
    assert len(arrived) == 1 + RELEASES
    read = [border.codec.decode(RELEASED_INDICATOR, each.value) for each in arrived]
    kinds = {each["id"]: each["kind"] for each in read if isinstance(each, dict)}
    assert (kinds.pop(recall["id"]), kinds.pop(first["id"])) == ("recalled", "expired")
    assert set(kinds.values()) == {"content"}
    _counts_each_version_once(border, [*copies, *arrived])


def _counts_each_version_once(border: Border, arrived: list[Record]) -> None:
    partner = Workbench(Receive(all_agreed(border.partner, border.home), 0, SHARDS, border.codec))
    effects = partner.turn(clock.now_ms(), *arrived)
    accepted = partner.written(topics.accepted(border.home), RELEASED_INDICATOR)
    versions = [(each["id"], each["version"]) for each in accepted]
    assert len(versions) == len(set(versions)) == 1 + RELEASES
    assert effects.tallies[spec.DUPLICATE_RECORDS.tally(border.home)] == 2
