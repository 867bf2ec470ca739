"""What the partner has lost is named, and reported again by an officer: until both sides agree.

It runs behind the tests that hold everything against the model, which knows no officers and no hands.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from exchange import clock
from exchange.kafka.clients import idempotent_producer
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, key_of_id, shard_of_key
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.officers import ALICE, write_key
from tests.polling import eventually
from tests.reference.reading import Reading

CODEC = Codec()
VALUE = sha256(b"lost by the partner").hexdigest()
NAME = indicator_id(indicator_key(IndicatorType.FILE_SHA256, VALUE))
WITHIN_S = 60.0


def _held(reading: Reading) -> dict[str, Any] | None:
    """What JPN holds of it."""
    reading.look()
    last = [each.value for each in reading.records[topics.accepted("GBR")] if each.key == NAME.encode()][-1:]
    found = CODEC.decode(RELEASED_INDICATOR, last[0]) if last and last[0] is not None else None
    return None if isinstance(found, Undecodable) else found


def _reconciled(nations: Nations, *more: str) -> list[str]:
    """How our indicator differs, by the command; nothing if it does not."""
    reported = ("reconcile", "--nation", "GBR", "--partner", "JPN", "--grace", "0", "--json", *more)
    ended = kakehashi(*reported, within=nations.folder, **nations.environ)
    assert ended.returncode in {0, 4}, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return [each["differs"] for each in lines if each["indicator_id"] == NAME]


def test_what_the_partner_has_lost_is_named_and_sent_again(nations: Nations, tmp_path: Path) -> None:
    now_ms = clock.now_ms()
    observation = an_observation(
        kind=IndicatorType.FILE_SHA256,
        value=VALUE,
        first_seen_ms=now_ms - HOUR_MS,
        last_seen_ms=now_ms - HOUR_MS,
        marking=SourceMarking("TLP:GREEN"),
    )
    report = a_report([observation], sensor="reconciled", epoch=now_ms - HOUR_MS, produced_at_ms=now_ms)
    jpn = nations.clusters["JPN"]
    with Reading(jpn, [topics.accepted("GBR")], nations.shards) as reading:
        nations.send("GBR", [report])
        nations.flush()
        eventually(lambda: _held(reading) is not None, WITHIN_S, "JPN has GBR's indicator")
        first = _held(reading)
        eventually(lambda: _reconciled(nations) == [], WITHIN_S, "both sides agree on it")

        producer = idempotent_producer(jpn)
        shard = shard_of_key(key_of_id(NAME), nations.shards)
        producer.produce(topics.accepted("GBR"), None, NAME.encode(), shard)  # someone deletes it by hand
        assert producer.flush(30) == 0
        eventually(lambda: _reconciled(nations) == ["missing"], WITHIN_S, "the loss is seen")

        key = write_key(ALICE, tmp_path)
        assert _reconciled(nations, "--repair", "--key", str(key)) == ["missing"]
        eventually(lambda: _held(reading) is not None, WITHIN_S, "it was told again")
        again = _held(reading)
        assert first is not None
        assert again is not None
        assert again["version"] > first["version"]
        assert again["content"]["value"] == VALUE
        eventually(lambda: _reconciled(nations) == [], WITHIN_S, "both sides agree again")
