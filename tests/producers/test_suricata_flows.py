"""A flow that has alerted is remembered: the marking of all its alerts, else the latest; old flows are forgotten."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.markings.marked import Marked
from producers.readers import suricata_flows
from producers.readers.reading import Seen
from producers.readers.suricata_flows import AlertedFlows
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType

NAMES = ("signature-id", "category", "source", "destination", "protocol", "flow", "sensor-host")


def a_template(flow_id: int, facts: dict[str, str], tlp: str = "TLP:GREEN", description: str = "made up") -> Seen:
    context = tuple((name, str(flow_id) if name == "flow" else facts[name]) for name in NAMES if name in facts)
    observation = Observation(
        kind=IndicatorType.IPV4_ADDR,
        value="",
        confidence=70,
        marking=SourceMarking(tlp=tlp),
        labels=("c2",),
        description=description,
        context=context,
    )
    return Seen(SourcePlace("", 0), observation, ("signature",))


FACTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "a", "192.0.2.1 port 80"]))


@given(st.lists(st.tuples(st.integers(1, 4), FACTS, st.sampled_from(["TLP:GREEN", "TLP:RED"])), max_size=12))
def test_a_flow_has_the_strictest_marking_of_its_alerts_and_else_what_the_latest_stated(
    alerts: list[tuple[int, dict[str, str], str]],
) -> None:
    flows, latest, strictest = AlertedFlows(), dict[int, Seen](), dict[int, str]()
    for flow_id, facts, tlp in alerts:
        stated = a_template(flow_id, facts, tlp)
        flows.mark(flow_id, Marked(stated.observation.marking, stated.marking_from))
        flows.add(flow_id, stated)
        strictest[flow_id] = max(tlp, strictest.get(flow_id, ""))  # GREEN before RED, also by the alphabet
        latest[flow_id] = a_template(flow_id, facts, strictest[flow_id])
    assert {flow_id: flows.template(flow_id) for flow_id in latest} == latest
    assert all(flow_id in flows for flow_id in latest)
    assert 5 not in flows
    assert flows.template(5) is None
    assert flows.template(None) is None


@pytest.mark.parametrize("rules", [1, 3, 40])
def test_the_oldest_flows_are_forgotten_and_what_the_others_share_is_kept(
    rules: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suricata_flows, "MAX_ALERTED_FLOWS", 16)
    monkeypatch.setattr(suricata_flows, "_MOST_COMMON", 4)
    flows = AlertedFlows()
    templates = {
        flow_id: a_template(flow_id, {"source": f"192.0.2.{flow_id}", "flow": ""}, description=f"{flow_id % rules}")
        for flow_id in range(1, 101)
    }
    for flow_id, template in templates.items():
        flows.add(flow_id, template)
        kept = [each for each in templates if each in flows]
        assert 12 <= len(kept) <= 16 or flow_id <= 12
        assert kept == list(range(kept[0], flow_id + 1))
        assert all(flows.template(each) == templates[each] for each in kept)


def test_one_flow_that_alerts_again_and_again_keeps_no_earlier_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suricata_flows, "_MOST_COMMON", 4)
    templates = [a_template(7, {}, description=f"made up {number}") for number in range(1_000)]
    flows = AlertedFlows()
    tracemalloc.start()
    try:
        for template in templates:
            flows.add(7, template)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 16 << 10  # all of them would be half a megabyte
    assert flows.template(7) == templates[-1]
