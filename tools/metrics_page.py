"""Prints ``docs/metrics.md`` from the specification: ``python -m tools.metrics_page > docs/metrics.md``."""

import sys
from collections.abc import Iterator
from typing import Any

from exchange.metrics import spec
from exchange.metrics.kinds import Label, Metric

_HEAD = """\
# Metrics

<!-- Generated from exchange/metrics/spec/ by `make docs/metrics.md`; a test compares them. Do not edit. -->

Every role serves its metrics on `/metrics`, beside `/live` and `/ready` (`KAKEHASHI_METRICS_PORT`). Names begin with
`kakehashi_`; counters end in `_total` and start again at 0 with the process, so query their `rate`. Every label is
bounded: closed labels have the values given below; the others come from configuration, and values beyond their limit
are counted under `other`. A sensor or an indicator is never a label. Only the process that owns a shard shows the
shard's gauges.

The alerts of the Helm chart are in `helm/kakehashi/files/alerts.yaml`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_overview(), *_labels(), *_details()])


def _overview() -> Iterator[str]:
    yield "| metric | type | labels | shown by | meaning |"
    yield "|---|---|---|---|---|"
    for metric in spec.ALL:
        yield (
            f"| [`{metric.full_name}`](#{metric.full_name}) | {_kind(metric)} | {_names(metric)} "
            f"| {', '.join(metric.roles)} | {metric.help} |"
        )
    yield ""


def _labels() -> Iterator[str]:
    yield "## Labels from configuration\n"
    yield "| label | at most | meaning |"
    yield "|---|---|---|"
    for label in spec.LABELS:
        if not label.values:
            yield f"| `{label.name}` | {label.limit} | {label.help} |"
    yield ""


def _details() -> Iterator[str]:
    yield "## Metrics and actions\n"
    for metric in spec.ALL:
        yield f"### {metric.full_name}\n"
        yield f"{_kind(metric).capitalize()}, in {metric.unit}. {metric.help}\n"
        for label in metric.labels.each:
            yield f"- `{label.name}`: {_values(label)}"
        if metric.labels.each:
            yield ""
        yield f"**Action.** {metric.act}\n"


def _kind(metric: Metric[*tuple[Any, ...]]) -> str:
    return type(metric).__name__.lower()


def _names(metric: Metric[*tuple[Any, ...]]) -> str:
    return ", ".join(f"`{label.name}`" for label in metric.labels.each)


def _values(label: Label[Any]) -> str:
    if not label.values:
        return label.help
    return f"{label.help}: " + ", ".join(f"`{value}`" for value in label.values)


if __name__ == "__main__":
    sys.stdout.write(page())
