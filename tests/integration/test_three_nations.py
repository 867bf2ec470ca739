"""A third nation is configuration: links, rules of its own and KAKEHASHI_NATIONS; no line of code knows it.

GBR has agreed less with AUS than with JPN (``third_nation/links``), and all three have links to each other.
"""

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import pytest

from exchange import clock
from exchange.errors import ExchangeError
from exchange.kafka.clients import idempotent_producer
from schemas import topics
from schemas.codec import DECISION, QUARANTINED, RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.links import POLICY_FOLDER
from schemas.markings import SourceMarking
from schemas.records import Decision, Quarantined
from schemas.tearline import TEARLINE
from schemas.vocabulary import IndicatorType
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.nations import Nations, two_nations
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.reference.reading import Reading

NAMES: Final = ("GBR", "JPN", "AUS")
THIRD: Final = Path(__file__).parent / "third_nation"
WITHIN_S: Final = 60.0
CODEC: Final = Codec()

FOR_JPN, FOR_AUS, FOR_BOTH, OFFICIAL = (sha256(f"three nations {name}".encode()).hexdigest() for name in range(4))
MARKED: Final = {
    FOR_JPN: SourceMarking("TLP:AMBER", releasable_to=("JPN",)),
    FOR_AUS: SourceMarking("TLP:AMBER", releasable_to=("AUS",)),
    FOR_BOTH: SourceMarking("TLP:GREEN"),
    OFFICIAL: SourceMarking("TLP:GREEN", caveats=("OFFICIAL-SENSITIVE",)),
}


def name_of(value: str) -> str:
    return indicator_id(indicator_key(IndicatorType.FILE_SHA256, value))


def decoded(reading: Reading, topic: str, schema: str) -> list[dict[str, Any]]:
    """All that a topic holds by now."""
    reading.look()
    found = [CODEC.decode(schema, each.value) for each in reading.records[topic]]
    return [each for each in found if not isinstance(each, Undecodable)]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nations]:
    """All three at work, what GBR's sensor has reported on its way."""
    folder = tmp_path_factory.mktemp("three")
    shutil.copytree(POLICY_FOLDER, folder / "policy")
    shutil.copytree(THIRD, folder / "policy", dirs_exist_ok=True)
    try:
        with two_nations(
            folder, shards=1, more={"KAKEHASHI_POLICY_FOLDER": str(folder / "policy")}, names=NAMES
        ) as nations:
            for nation in NAMES:
                nations.add_worker(nation)
            for home, to in (("GBR", "JPN"), ("GBR", "AUS"), ("JPN", "AUS")):
                nations.add_bridge(home, to=to)
            nations.start()
            now_ms = clock.now_ms()
            observations = [
                an_observation(
                    kind=IndicatorType.FILE_SHA256,
                    value=value,
                    first_seen_ms=now_ms - HOUR_MS,
                    last_seen_ms=now_ms - HOUR_MS,
                    confidence=90,
                    marking=marking,
                    context=((TEARLINE, "may be told"),),
                )
                for value, marking in MARKED.items()
            ]
            report = a_report(observations, sensor="three", epoch=now_ms - HOUR_MS, produced_at_ms=now_ms)
            nations.send("GBR", [report])
            nations.flush()
            yield nations
    except ExchangeError as error:
        pytest.fail(f"No Kafka for this test: {error}", pytrace=False)


def accepted(three: Nations, nation: str, values: set[str]) -> dict[str, dict[str, Any]]:
    """What a nation holds of GBR, by indicator, once it holds these values."""
    wanted = {name_of(value) for value in values}
    topic = topics.accepted("GBR")
    with Reading(three.clusters[nation], [topic], three.shards) as reading:
        found: dict[str, dict[str, Any]] = {}

        def there() -> bool:
            found.update({each["id"]: each for each in decoded(reading, topic, RELEASED_INDICATOR)})
            return wanted <= found.keys()

        eventually(there, WITHIN_S, f"{nation} holds {sorted(values)}\n{tails(three)}")
        return found


def tails(three: Nations) -> str:
    return "\n".join(f"--- {role.name} (exit {role.exit_code})\n{role.tail(5)}" for role in three.all_roles)


def test_each_partner_has_what_is_for_it_and_nothing_else(three: Nations) -> None:
    at_jpn, at_aus = accepted(three, "JPN", {FOR_JPN, FOR_BOTH}), accepted(three, "AUS", {FOR_AUS, FOR_BOTH})
    assert at_jpn.keys() == {name_of(FOR_JPN), name_of(FOR_BOTH)}
    assert at_aus.keys() == {name_of(FOR_AUS), name_of(FOR_BOTH)}
    for found in (*at_jpn.values(), *at_aus.values()):
        assert (found["origin"], found["hops"]) == ("GBR", ["GBR"])
    assert at_jpn[name_of(FOR_JPN)]["content"]["releasable_to"] == ["JPN"]
    assert at_aus[name_of(FOR_AUS)]["content"]["releasable_to"] == ["AUS"]


def test_each_link_lets_pass_what_was_agreed_on_it(three: Nations) -> None:
    at_jpn, at_aus = accepted(three, "JPN", {FOR_BOTH}), accepted(three, "AUS", {FOR_BOTH})
    assert at_jpn[name_of(FOR_BOTH)]["content"]["tearline"] == "may be told"
    assert "tearline" not in at_aus[name_of(FOR_BOTH)]["content"], "released_indicator.v2 was not agreed with AUS"
    with Reading(three.clusters["GBR"], [topics.AUDIT], three.shards) as reading:
        decisions = [cast("Decision", each) for each in decoded(reading, topics.AUDIT, DECISION)]
    found = {each["partner"]: each for each in decisions if each["indicator_id"] == name_of(OFFICIAL)}
    assert (found["JPN"]["outcome"], found["JPN"]["rules"]) == ("hold", ["caveat-official-sensitive"])
    assert (found["AUS"]["outcome"], found["AUS"]["rules"]) == ("withhold", ["releasability-marking-not-agreed"])


def test_nothing_is_passed_on(three: Nations) -> None:
    """JPN holds GBR's indicator and has a link to AUS: AUS learns of it from GBR or not at all."""
    accepted(three, "JPN", {FOR_JPN, FOR_BOTH})
    held = accepted(three, "JPN", {FOR_BOTH})[name_of(FOR_BOTH)]
    content = {name: value for name, value in held["content"].items() if name != "tearline"}
    named = {**held, "content": {**content, "releasable_to": ["AUS"]}}
    forged = (
        held,
        named,
        {**named, "hops": ["GBR", "JPN"]},
        {**named, "origin": "JPN", "hops": ["JPN", "GBR"]},
    )
    key, topic = indicator_key(IndicatorType.FILE_SHA256, FOR_BOTH), topics.released("AUS")
    producer = idempotent_producer(three.clusters["JPN"])
    for record in forged:
        value = CODEC.encode(RELEASED_INDICATOR, record)
        producer.produce(topic, value, held["id"].encode(), shard_of_key(key, three.shards))
    assert producer.flush(WITHIN_S) == 0
    with Reading(three.clusters["JPN"], [topics.QUARANTINE], three.shards) as reading:

        def refused() -> list[str]:
            kept = [cast("Quarantined", each) for each in decoded(reading, topics.QUARANTINE, QUARANTINED)]
            return [each["reason"] for each in kept if each["topic"] == topic]

        eventually(lambda: len(refused()) == len(forged), WITHIN_S, f"the bridge has refused them all\n{tails(three)}")
        assert refused() == ["not-releasable-here", "foreign-origin", "foreign-origin", "looped"]
    with Reading(three.clusters["AUS"], [topics.accepted("JPN"), topics.inbox("JPN")], three.shards) as reading:
        reading.look()
        assert not any(reading.records.values()), "JPN has released nothing of its own"


def test_a_nation_without_a_link_is_no_partner(three: Nations) -> None:
    without = three.folder / "without"
    shutil.copytree(three.folder / "policy", without)
    (without / "links" / "JPN" / "AUS.toml").unlink()
    environ = {**three.environ, "KAKEHASHI_POLICY_FOLDER": str(without)}
    shown = kakehashi("topics", "--nation", "JPN", "--dry-run", within=three.folder, **environ)
    assert shown.returncode == 0, shown.stderr
    assert "GBR" in shown.stdout
    assert "AUS" not in shown.stdout
    ended = kakehashi("bridge", "--nation", "JPN", "--partner", "AUS", within=three.folder, **environ)
    assert ended.returncode == 3, ended.stderr
    assert "JPN has no link to AUS" in ended.stderr
