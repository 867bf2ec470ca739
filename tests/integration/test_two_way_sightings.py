"""A sighting of a partner's indicator goes home as our own assertion, and comes to rest there.

It runs behind the tests that hold everything against the model, which knows no sightings.
"""

import json
from hashlib import sha256
from typing import Any

from consumers.stix.identifiers import identity_id, indicator_object_id, sighting_object_id
from exchange import clock
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.reference.reading import Reading

CODEC = Codec()
VALUE = sha256(b"a sighting back").hexdigest()
NAME = indicator_id(indicator_key(IndicatorType.FILE_SHA256, VALUE))
WITHIN_S = 60.0


def _seen(reading: Reading, topic: str, schema: str = RELEASED_INDICATOR) -> list[dict[str, Any]]:
    """What a topic has stated of it so far."""
    reading.look()
    found = [CODEC.decode(schema, each.value) for each in reading.records[topic] if each.key == NAME.encode()]
    return [each for each in found if not isinstance(each, Undecodable)]


def test_a_sighting_is_released_like_all_else_and_neither_comes_back_nor_goes_round(nations: Nations) -> None:
    now_ms = clock.now_ms()
    observation = an_observation(
        kind=IndicatorType.FILE_SHA256,
        value=VALUE,
        first_seen_ms=now_ms - HOUR_MS,
        last_seen_ms=now_ms - HOUR_MS,
        confidence=90,
        marking=SourceMarking("TLP:AMBER", "", ("JPN",)),
    )
    report = a_report([observation], sensor="sightings back", epoch=now_ms - HOUR_MS, produced_at_ms=now_ms)
    gbr, jpn = nations.clusters["GBR"], nations.clusters["JPN"]
    at_gbr = [topics.released("JPN"), topics.inbox("JPN"), topics.accepted("JPN"), topics.partner_receipts("JPN")]
    at_jpn = [topics.accepted("GBR"), topics.released("GBR"), topics.receipts("GBR")]
    with (
        Reading(gbr, at_gbr, nations.shards) as home,
        Reading(jpn, at_jpn, nations.shards) as abroad,
    ):
        nations.send("GBR", [report])
        nations.flush()
        eventually(lambda: bool(_seen(abroad, topics.accepted("GBR"))), WITHIN_S, "JPN has GBR's indicator")
        reported = ("sighting", "--nation", "JPN", "--partner", "GBR", "--tlp", "TLP:GREEN", "--count", "7", VALUE)
        ended = kakehashi(*reported, within=nations.folder, **nations.environ)
        assert ended.returncode == 0, ended.stderr
        assert "7 times, TLP:AMBER, for GBR alone" in ended.stdout

        eventually(lambda: bool(_seen(home, topics.accepted("JPN"))), WITHIN_S, "GBR has JPN's sighting")
        eventually(lambda: bool(_answers(abroad)), WITHIN_S, "JPN has answered GBR's release")
        (sighting,) = _seen(home, topics.accepted("JPN"))
        content = sighting["content"]
        assert (sighting["origin"], sighting["hops"], content["sightings"]) == ("JPN", ["JPN"], 7)
        assert (content["tlp"], content["releasable_to"], content["confidence"]) == ("TLP:AMBER", ["GBR"], -1)
        # It has come to rest: GBR has reported JPN nothing new of it, and JPN holds what it held.
        (held,) = _seen(abroad, topics.accepted("GBR"))
        assert held["content"]["sightings"] == observation.count
        assert [each["version"] for each in _seen(home, topics.released("JPN"))] == [held["version"]]
        assert [each["origin"] for each in _seen(abroad, topics.released("GBR"))] == ["JPN"]


def test_a_dispute_comes_home_as_a_receipt_that_settles_nothing(nations: Nations) -> None:
    reported = ("dispute", "--nation", "JPN", "--partner", "GBR", "--reason", "outdated", VALUE)
    ended = kakehashi(*reported, within=nations.folder, **nations.environ)
    assert ended.returncode == 0, ended.stderr
    shown = ""

    def is_home() -> bool:
        nonlocal shown
        shown = kakehashi("released", "show", "--nation", "GBR", VALUE, within=nations.folder, **nations.environ).stdout
        return "An analyst of JPN disputes it: outdated" in shown

    eventually(is_home, WITHIN_S, "GBR hears of the dispute")
    assert shown.startswith("APPLIED by JPN")


def test_the_partner_receives_that_its_indicator_was_searched_for_and_not_seen(nations: Nations) -> None:
    reported = ("sighting", "--nation", "JPN", "--partner", "GBR", "--not-seen", VALUE)
    ended = kakehashi(*reported, within=nations.folder, **nations.environ)
    assert ended.returncode == 0, ended.stderr

    def is_home(*words: str) -> bool:
        shown = kakehashi(*words, "--nation", "GBR", VALUE, within=nations.folder, **nations.environ)
        return "not seen" in " ".join(shown.stdout.split())

    eventually(lambda: is_home("released", "show"), WITHIN_S, "GBR has the answer")
    assert is_home("get")
    assert (
        "An analyst of JPN searched for it"
        in kakehashi("explain", "--nation", "GBR", VALUE, within=nations.folder, **nations.environ).stdout
    )


def test_the_answer_is_a_sighting_with_count_0_in_both_nations_pictures_and_in_their_bundles(nations: Nations) -> None:
    """In GBR's own indicator, which JPN has not seen; and in JPN's picture of it."""
    for nation in ("GBR", "JPN"):
        target = nations.folder / f"{nation}.bundle.json"
        words = ("output", "run", "--nation", nation, "--to", f"stix:{target}", "--once")
        ended = kakehashi(*words, within=nations.folder, **nations.environ)
        assert ended.returncode == 0, ended.stderr
        objects = json.loads(target.read_text("utf-8"))["objects"]
        about = [each for each in objects if each.get("sighting_of_ref") == indicator_object_id("GBR", NAME)]
        assert [each["count"] > 0 for each in about if each["id"] == sighting_object_id("GBR", NAME)] == [True]
        [searched] = [each for each in about if each["id"] == sighting_object_id("GBR", NAME, "JPN")]
        assert (searched["count"], searched["where_sighted_refs"]) == (0, [identity_id("JPN")])
        assert identity_id("JPN") in {each["id"] for each in objects}
        shown = kakehashi("search", "--nation", nation, "--value", VALUE, within=nations.folder, **nations.environ)
        found = {each["origin"]: each for each in map(json.loads, shown.stdout.splitlines())}
        assert [(each["nation"], each["kind"]) for each in found["GBR"]["answers"]] == [
            ("JPN", "disputed"),
            ("JPN", "not-seen"),
        ]


def _answers(reading: Reading) -> list[dict[str, Any]]:
    return _seen(reading, topics.receipts("GBR"), RECEIPT)


def test_a_sighting_of_what_the_partner_never_reported_is_refused(nations: Nations) -> None:
    ended = kakehashi(
        "sighting", "--nation", "JPN", "--partner", "GBR", "192.0.2.77", within=nations.folder, **nations.environ
    )
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "kakehashi produce" in ended.stderr


def test_a_dispute_of_what_the_partner_never_reported_is_refused_and_speaks_of_no_sighting(nations: Nations) -> None:
    words = ("dispute", "--nation", "JPN", "--partner", "GBR", "--reason", "outdated", "192.0.2.77")
    ended = kakehashi(*words, within=nations.folder, **nations.environ)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "JPN holds no 192.0.2.77 of GBR" in ended.stderr
    assert "kakehashi produce" not in ended.stderr
