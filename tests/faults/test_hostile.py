"""Hostile sensors and a crowd, beside honest traffic: the model's answer in every case, and nothing stops."""

from random import Random

from tests.faults.agreement import agree
from tests.faults.feeder import Feeder
from tests.faults.hostile_kinds import a_crowd, a_hostile_sensor
from tests.faults.kinds import World
from tests.integration.nations import NATIONS
from tests.polling import eventually

WITHIN_S = 120.0


def test_hostile_sensors_and_a_crowd_change_nothing_for_others(world: World, feeder: Feeder) -> None:
    random = Random(7)
    for _ in range(2):
        a_hostile_sensor(world, random)
    hit = a_crowd(world, random)
    assert hit.blows >= 100
    feeder.stop()
    audits = world.nations.settled(WITHIN_S)
    assert all(audits[home].clean for home in NATIONS)
    refused = [audits[home].counts.reports for home in NATIONS]
    assert sum(sum(each.values()) for each in refused) > hit.blows
    for home in NATIONS:
        eventually(lambda home=home: agree(world.nations, home), WITHIN_S, "digests, records and receipts agree")  # type: ignore[misc]
