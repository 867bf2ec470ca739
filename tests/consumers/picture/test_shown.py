"""Any process that reads a picture shows the recalls that outputs lack, above all those of outputs that are down."""

from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from consumers.picture.followers import forget
from consumers.picture.keeping import Keeping
from consumers.picture.shown import Shown
from consumers.picture.tables import connect
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from tests.builders import NOW_MS
from tests.consumers.outputs.following import file_of
from tests.consumers.picture.topics import CODEC, NATION, World


def values(metrics: Metrics, name: str) -> dict[str, float]:
    """By the label ``output``, as Prometheus reads them."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {each.labels["output"]: each.value for family in families for each in family.samples if each.name == name}


@pytest.mark.parametrize("role", [Role.OUTPUT, Role.TAXII])
def test_a_recall_that_an_output_has_not_applied_shows_until_it_has_or_is_forgotten(tmp_path: Path, role: Role) -> None:
    world = World(tmp_path)
    world.gbr.release("recalled.example")
    world.catch_up()
    running, down = (file_of(world, "hosts", tmp_path / name) for name in ("running", "down"))
    for each in (running, down):
        with world.picture() as picture:
            each.turn(picture)
    metrics = Metrics(role, NATION, "1")
    shown = Shown(metrics, world.path, NATION, Keeping(world.path, NATION, {}, CODEC, world.clock_ms, lambda _: None))
    assert shown.look()
    assert values(metrics, "kakehashi_output_unapplied_recalls") == {running.name: 0, down.name: 0}
    world.gbr.release("recalled.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    with world.picture() as picture:
        running.turn(picture)
    shown.look()
    assert values(metrics, "kakehashi_output_unapplied_recalls") == {running.name: 0, down.name: 1}
    assert values(metrics, "kakehashi_output_behind_seconds")[running.name] == 0
    assert values(metrics, "kakehashi_output_behind_seconds")[down.name] > 0
    database = connect(world.path, writes=True)
    assert forget(database, down.name)
    database.close()
    shown.look()
    assert values(metrics, "kakehashi_output_unapplied_recalls") == {running.name: 0, down.name: 0}
