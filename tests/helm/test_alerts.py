"""Alerts and dashboard ask only for metrics, labels and values that the specification has."""

import json
from typing import Any

import promql_parser
import pytest

from exchange.metrics import spec
from exchange.metrics.kinds import Histogram, Metric
from tests.helm.chart import CHART, expressions, load

# What Prometheus itself adds to every series of a pod.
TARGET_LABELS = {"instance", "job", "namespace", "pod"}
EXPRESSIONS = dict(expressions())
RULES = [rule for group in load(CHART / "files" / "alerts.yaml")["groups"] for rule in group["rules"]]

each_expression = pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])

AnyMetric = Metric[*tuple[Any, ...]]


def parse(expression: str) -> promql_parser.Expr:
    """Grafana fills in its variables before Prometheus sees the expression; so does this."""
    return promql_parser.parse(expression.replace("$__rate_interval", "5m").replace("$namespace", "kakehashi"))


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(parse(expression), pre_visit=visit)
    return found


def series() -> dict[str, AnyMetric]:
    """Every series name that the specification leads to."""
    names: dict[str, AnyMetric] = {}
    for metric in spec.ALL:
        suffixes = ("_bucket", "_sum", "_count") if isinstance(metric, Histogram) else ("",)
        names |= {metric.full_name + suffix: metric for suffix in suffixes}
    return names


@each_expression
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    asked = selectors(expression)
    assert asked
    for selector in asked:
        metric = series()[str(selector.name)]
        closed = {label.name: label.values for label in metric.labels.each}
        for matcher in selector.matchers.matchers:
            if matcher.name in TARGET_LABELS:
                continue
            assert matcher.name in closed, f"{metric.full_name} has no label {matcher.name}"
            assert not closed[matcher.name] or matcher.value in closed[matcher.name], matcher.value


@each_expression
def test_an_expression_groups_by_labels_that_there_are(expression: str) -> None:
    known = {"le", *TARGET_LABELS}
    for selector in selectors(expression):
        known |= {label.name for label in series()[str(selector.name)].labels.each}

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            assert set(node.modifier.labels) <= known

    promql_parser.walk(parse(expression), pre_visit=visit)


@each_rule
def test_an_alert_is_named_for_us_and_states_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["alert"].startswith("Kakehashi")
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert promql_parser.parse_duration(rule.get("for", "1s"))
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")


@each_rule
def test_the_runbook_of_an_alert_is_the_page_of_a_metric_it_asks_for(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/metrics.md"
    assert anchor in {series()[str(selector.name)].full_name for selector in selectors(rule["expr"])}


@pytest.mark.parametrize(
    "series",
    [
        "kakehashi_refused_records_total",
        "kakehashi_unsettled_releases",
        "kakehashi_unsettled_recalls",
        "kakehashi_unpurged_recalls",
        "kakehashi_partner_receipts_total",
        "kakehashi_reconcile_differences",
        "kakehashi_last_reconciled_seconds",
        "kakehashi_bridge_replays_total",
        "kakehashi_output_unapplied_recalls",
        "kakehashi_output_behind_seconds",
        "kakehashi_picture_due_erasures",
        "kakehashi_taxii_answered_at_seconds",
    ],
)
def test_what_may_go_wrong_between_two_nations_wakes_somebody(series: str) -> None:
    assert series in {str(selector.name) for rule in RULES for selector in selectors(rule["expr"])}


def test_a_release_that_ended_while_its_bridge_was_away_alarms_no_one() -> None:
    """No one has let out what must stay: it was late, and the record that ends it is behind it."""
    guards = [each for rule in RULES for each in selectors(rule["expr"]) if each.name == spec.REFUSED_RECORDS.full_name]
    assert len(guards) == 2
    for guard in guards:
        assert ("reason", "release-expired") in {(each.name, each.value) for each in guard.matchers.matchers}


def test_no_two_alerts_share_a_name() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


def test_an_alert_states_shard_states_as_the_software_does() -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "KakehashiShardNotWorkedOn")
    assert "kakehashi_shard_state == 2" in rule["expr"]
    assert "2 running" in spec.SHARD_STATE.help


def test_the_dashboard_is_json_with_panels_that_do_not_overlap() -> None:
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text(encoding="utf-8"))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)
