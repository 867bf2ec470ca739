"""The canary goes the whole path between two nations, again and again, and nothing that people or tools see has it.

It runs behind the tests that hold everything against the model.
"""

import json
from subprocess import CompletedProcess

from schemas import topics
from schemas.canary import CANARY_KEY, CANARY_VALUE
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.reference.reading import Reading

HOPS = ["reported", "merged", "released", "received"]
WITHIN_S = 60.0


def test_the_canary_passes_every_hop_twice_and_is_shown_to_no_one(nations: Nations) -> None:
    def run(*words: str) -> CompletedProcess[str]:
        return kakehashi(*words, within=nations.folder, **nations.environ)

    for _ in range(2):
        ended = run("sensor", "canary", "--nation", "GBR", "--partner", "JPN", "--json")
        assert ended.returncode == 0, ended.stderr
        hops = [json.loads(line) for line in ended.stdout.splitlines()]
        assert [each["hop"] for each in hops] == HOPS
        assert sorted(each["after_ms"] for each in hops) == [each["after_ms"] for each in hops]
    with Reading(nations.clusters["JPN"], [topics.accepted("GBR")], nations.shards) as abroad:

        def at_partner() -> int:
            abroad.look()
            return sum(each.key == CANARY_KEY for each in abroad.records[topics.accepted("GBR")])

        eventually(lambda: at_partner() == 4, WITHIN_S, "the partner has two releases of the canary and two ends")
    # Who asks for it by its value has what crossed the border, as from `explain`, and no indicator.
    asked = run("get", CANARY_VALUE, "--nation", "JPN", "--json")
    assert {*map(frozenset, map(json.loads, asked.stdout.splitlines()))} == {frozenset({"receipt", "to"})}
    shown = [
        run("search", "--nation", "JPN", "--type", "domain-name", "--json"),
        run("search", "--nation", "GBR", "--type", "domain-name", "--json"),
        run("tail", "--nation", "JPN", "--partner", "GBR", "--no-follow", "--json"),
        run("tail", "--nation", "GBR", "--no-follow", "--json"),
    ]
    assert not any(CANARY_VALUE in each.stdout for each in shown)
    assert not any(CANARY_KEY.decode() in each.stdout for each in shown)
    assert [each.returncode for each in shown] == [0, 0, 0, 0]
