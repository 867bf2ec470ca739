"""``demo-report.json``: the figures of each direction, for programs. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from demo.direction import Direction
from demo.kills import Outage


def report(directions: Sequence[Direction], outages: Sequence[Outage], took_s: float) -> str:
    """The report's text. ``lost``, ``duplicated`` and ``wrong`` are the audit's, not the exchange's own."""
    document: dict[str, Any] = {f"{each.home}->{each.partner}": _direction(each) for each in directions}
    document["killed"] = [
        {"what": outage.kill.words, "process": outage.process, "went_on_ms": outage.went_on_ms} for outage in outages
    ]
    document["seconds"] = round(took_s, 1)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _direction(direction: Direction) -> dict[str, Any]:
    figures, audit = direction.figures, direction.audit
    return {
        "observations_in": figures.observations_in,
        "valid": figures.valid,
        "quarantined": figures.quarantined,
        "distinct": figures.distinct,
        "released": figures.released,
        "held": figures.held,
        "withheld": figures.withheld,
        "ended": figures.ended,
        "recalled": figures.recalled,
        "replicated": figures.replicated,
        "received": figures.received,
        "lost": audit.lost,
        "duplicated": audit.duplicated,
        "wrong": audit.wrong,
        "latency_ms": {"p50": figures.p50_ms, "p99": figures.p99_ms},
        "top_reasons": {
            "quarantined": dict(figures.refusals),
            "held": dict(figures.hold_rules),
            "withheld": dict(figures.withhold_rules),
        },
    }
