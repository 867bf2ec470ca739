"""The table of steps: names, inputs, rights and state formats follow from one place."""

import pytest

from schemas.access import access_of
from schemas.codec import Codec
from schemas.links import all_agreed
from schemas.topics import StepKind, StreamsStep, changelog, progress, streams_steps, topics_of
from streams.correlate.step import Correlate
from streams.intake.step import Intake
from streams.receive.step import Receive
from streams.settle.settlement import Limits
from streams.settle.step import Settle
from streams.steps import STATE_FORMATS

STEPS = streams_steps(("JPN", "AUS"))
TOPICS = {topic.name for topic in topics_of("GBR", ("JPN", "AUS"), 4)}
RIGHTS = {
    (each.resource, each.name, each.operation) for each in access_of("GBR", ("JPN", "AUS")) if "streams" in each.user
}


def test_a_nation_has_intake_and_correlate_once_and_receive_and_settle_for_each_partner() -> None:
    assert [step.name for step in STEPS] == [
        "intake", "correlate", "receive.JPN", "settle.JPN", "receive.AUS", "settle.AUS",
    ]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_has_its_topics_and_may_read_its_inputs_and_own_its_shards(step: StreamsStep) -> None:
    assert {*step.inputs, changelog(step.name), progress(step.name)} <= TOPICS
    assert {("topic", name, "read") for name in step.inputs} <= RIGHTS
    assert ("transactional-id", f"kakehashi.{step.name}.", "write") in RIGHTS


def test_every_kind_of_step_has_a_state_format_and_runs_under_the_name_in_the_table() -> None:
    assert set(STATE_FORMATS) == set(StepKind)
    codec = Codec()
    names = (
        Intake.name,
        Correlate.name,
        Receive(all_agreed("GBR", "JPN"), 0, 4, codec).name,
        Settle("GBR", "JPN", 0, codec, Limits(1, 1)).name,
    )
    assert names == tuple(step.name for step in streams_steps(("JPN",)))
