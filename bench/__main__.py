"""``python -m bench``: measure, check the outputs, write ``bench/results.json`` and ``docs/performance.md``."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench import page, results
from bench.measured import measured
from bench.parts import Parts
from bench.plan import APART, DEFAULT_MINUTES, PARTS, plan_for
from bench.role import ROOT
from bench.show import show
from exchange.errors import ExchangeError

_RESULTS: Final = ROOT / "bench" / "results.json"
_FEEDS: Final = ROOT / "tests" / "feeds"
_CHECKED: Final = ("runs", "far", "fast_lane")


def main() -> int:
    """Run the parts that are asked for; 1 if a figure is void, or a part was not measured."""
    options = _options()
    plan = plan_for(options.minutes, observations=options.observations, rounds=options.rounds, seed=options.seed)
    plan = replace(plan, parts=tuple(options.only or plan.parts), states=options.states or plan.states)
    plan = replace(plan, released=options.released or plan.released, new=options.new or plan.new)
    plan = replace(plan, outputs=options.written or plan.outputs)
    total_s = max(options.minutes, DEFAULT_MINUTES) * 60 if options.only else options.minutes * 60
    void: list[str] = []
    if not options.page_only:
        with closing(Parts(plan, options.feeds)) as parts:
            for part, section in measured(plan, parts, total_s):
                void += _void(part, section)
                if "data" in section:
                    results.save(options.out, {part: section})
    page.write(results.load(options.out), ROOT / "docs")
    for line in void:
        show(f"VOID: {line}")
    return 1 if void else 0


def _void(part: str, section: Mapping[str, Any]) -> Iterator[str]:
    if "void" in section:
        yield f"{part}: {section['void']}"
        return
    data = section["data"]
    for runs in _CHECKED if isinstance(data, Mapping) else ():
        for run in data.get(runs, []):
            if run.get("void"):
                yield f"{part}: {run.get('what', '')} {run.get('work', '')}: {run['void']}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Compares the pipeline with a plain Faust agent and a hand-written loop, on real Kafka.",
        epilog="examples: python -m bench --minutes 15 · python -m bench --only throughput --observations 1000000 · "
        "python -m bench --only throughput --new 1000000 · python -m bench --only state --states 10000000 · "
        "python -m bench --only outputs --written 1000000",
    )
    apart = f"; {', '.join(APART)} only if it is named"
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES, help="how long all of it may take, at most")
    parser.add_argument("--only", type=_parts, help=f"parts, with commas: {','.join(PARTS)}{apart}")
    parser.add_argument("--observations", type=int, help="of the pipeline's runs")
    parser.add_argument("--new", type=int, help="observations of the pipeline's run at 1:1: as many indicators")
    parser.add_argument("--rounds", type=int, help="how often each pair is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=_numbers, help="sizes of the state, with commas")
    parser.add_argument("--released", type=int, help="indicators that are decided again when rules change")
    parser.add_argument("--written", type=int, help="indicators that each output is written with")
    parser.add_argument("--feeds", type=Path, default=_FEEDS, help="folder of recorded feeds")
    parser.add_argument("--out", type=Path, default=_RESULTS, help="file of the results")
    parser.add_argument("--page-only", action="store_true", help="only write docs/performance.md again")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    found = text.split(",")
    unknown = set(found) - set(PARTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return found


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ExchangeError as error:
        show(f"bench: {error}")
        sys.exit(error.exit_code)
