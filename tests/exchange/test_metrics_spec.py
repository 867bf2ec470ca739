"""The specification of the metrics is whole, bounded, well named, the only place that makes any, and documented."""

import ast
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import exchange
import schemas
from exchange.metrics import spec
from exchange.metrics.kinds import Counter, Gauge, Histogram, Metric, Role
from exchange.metrics.labels import SENSOR, QuarantineStage, ReceiptCode, ReportFate
from exchange.protocol.shard import Phase
from tools import metrics_page

ROOT = Path(exchange.__file__).parents[1]
AVRO = Path(schemas.__file__).parent / "avro"
PACKAGES = ("schemas", "exchange", "producers", "streams", "consumers", "kakehashi", "bench")

AnyMetric = Metric[*tuple[Any, ...]]
each_metric = pytest.mark.parametrize("metric", spec.ALL, ids=lambda metric: metric.name)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module


def test_only_the_metrics_module_knows_prometheus() -> None:
    importers = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(name.split(".")[0] == "prometheus_client" for name in imports(path))
    }
    assert importers == {"exchange/metrics/registry.py"}


def test_no_metric_is_made_outside_of_the_specification() -> None:
    kinds = {Counter.__name__, Gauge.__name__, Histogram.__name__}
    makers = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            names = {module for module in imports(path) if module == "exchange.metrics.kinds"}
            calls = {
                node.func.id
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            if names and calls & kinds:
                makers.add(str(path.relative_to(ROOT)))
    assert {str(Path(maker).parent) for maker in makers} == {"exchange/metrics/spec"}


def test_names_are_unique() -> None:
    names = [metric.name for metric in spec.ALL]
    assert len(names) == len(set(names))


@each_metric
def test_a_metric_states_what_it_is_and_what_to_do(metric: AnyMetric) -> None:
    assert metric.help.endswith(".")
    assert metric.act.endswith(".")
    assert metric.roles
    assert len(metric.labels.each) <= 3


@each_metric
def test_a_name_is_lower_case_and_carries_prefix_and_unit(metric: AnyMetric) -> None:
    assert re.fullmatch(r"kakehashi_[a-z]+(_[a-z]+)*", metric.full_name)
    suffix = f"{metric.unit}_total" if isinstance(metric, Counter) else metric.unit
    assert metric.name == suffix or metric.name.endswith(f"_{suffix}")
    assert isinstance(metric, Counter) == metric.name.endswith("_total")


@each_metric
def test_a_histogram_has_rising_buckets_and_nothing_else_has_any(metric: AnyMetric) -> None:
    buckets = getattr(metric, "buckets", ())
    assert bool(buckets) == isinstance(metric, Histogram)
    assert list(buckets) == sorted(set(buckets))


def test_every_label_is_bounded_and_explained() -> None:
    for label in spec.LABELS:
        assert label.help
        assert 1 <= label.limit <= 1024
        assert not label.values or len(label.values) == label.limit


def test_no_label_names_an_indicator_and_only_sensors_of_the_roster_have_one() -> None:
    assert not {label.name for label in spec.LABELS} & {"indicator", "indicator_id", "value", "id", "key"}
    [sensor] = [label for label in spec.LABELS if label.name == "sensor"]
    assert sensor == SENSOR


def test_the_closed_labels_of_a_metric_make_three_hundred_series_at_most() -> None:
    for metric in spec.ALL:
        series = prod(len(label.values) for label in metric.labels.each if label.values)
        assert series <= 300, metric.name


def test_the_closed_sets_of_the_records_are_those_of_the_contract() -> None:
    receipt = (AVRO / "receipt.v1.avsc").read_text(encoding="utf-8")
    quarantined = (AVRO / "quarantined.v1.avsc").read_text(encoding="utf-8")
    assert all(f'"{code}"' in receipt for code in ReceiptCode)
    # The field is a string, and a schema's text never changes: settle came after it.
    assert all(str(stage) in quarantined for stage in set(QuarantineStage) - {QuarantineStage.SETTLE})


def test_the_help_of_shard_state_lists_the_phases_of_a_shard() -> None:
    for phase in Phase:
        assert f"{phase.value} {phase.name.lower()}" in spec.SHARD_STATE.help


def test_every_role_shows_something_of_its_own() -> None:
    assert {role for metric in spec.ALL for role in metric.roles} == set(Role)


@pytest.mark.parametrize(
    ("package", "role"),
    [
        ("producers", Role.PRODUCE),
        ("streams", Role.STREAMS),
        ("consumers/bridge", Role.BRIDGE),
        ("consumers/reconcile", Role.BRIDGE),
        ("consumers/outputs", Role.OUTPUT),
        ("consumers/taxii", Role.TAXII),
        ("consumers/quality", Role.QUALITY),
    ],
)
def test_a_package_counts_only_what_its_role_shows(package: str, role: Role) -> None:
    entries = {name: metric for name, metric in vars(spec).items() if isinstance(metric, Metric)}
    counted = {
        node.attr
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "spec"
    }
    assert [name for name in counted & set(entries) if role not in entries[name].roles] == []


def test_the_documentation_is_what_the_generator_prints() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert written == metrics_page.page(), "run: python -m tools.metrics_page > docs/metrics.md"


if TYPE_CHECKING:

    def a_type_checker_refuses_what_is_not_specified() -> None:
        """mypy reports an ignore that is not needed: each line here is an error that it must find."""
        spec.REPORTS.tally("accepted")  # type: ignore[arg-type]
        spec.REPORTS.tally()  # type: ignore[call-arg]
        spec.AUDIT_ENTRIES.tally(ReportFate.ACCEPTED)  # type: ignore[call-arg]
        spec.REPLICATED_RECORDS.tally("GBR", "JPN", "content")  # type: ignore[arg-type]
        spec.UNHEARD_OF.tally()  # type: ignore[attr-defined]
