"""``python -m bench``: measure, check the outputs, write ``bench/results.json`` and ``docs/performance.md``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench import (
    batch_sizes,
    bridge,
    ceiling,
    decisions,
    hops,
    idle,
    intelmq,
    latency,
    outputs,
    page,
    picture,
    pipeline,
    plain,
    readers,
    recalls,
    results,
    rules,
    stages,
    state,
    taxii,
)
from bench.plan import DEFAULT_MINUTES, PARTS, Plan, plan_for
from bench.recorded import FETCHES, recorded
from bench.role import ROOT
from bench.run import Run
from bench.stand import HOME, Stand, stand
from bench.workload import Shape, Spread, generate
from exchange import clock
from exchange.errors import ExchangeError, NotFound

_RESULTS: Final = ROOT / "bench" / "results.json"
_FEEDS: Final = ROOT / "tests" / "feeds"
_AGO_MS: Final = 60_000  # the sensors' numbering began a minute ago


def main() -> int:
    """Run the parts that are asked for; 1 if a figure is void."""
    options = _options()
    plan = plan_for(options.minutes, observations=options.observations, rounds=options.rounds, seed=options.seed)
    plan = replace(plan, parts=tuple(options.only or PARTS), states=options.states or plan.states)
    plan = replace(plan, released=options.released or plan.released)
    sections: dict[str, Any] = {}
    void: list[str] = []
    if not options.page_only:
        with ExitStack() as running:
            bench = _Bench(plan, options.feeds, running)
            for part in plan.parts:
                _show(f"{part} …")
                began = time.monotonic()
                try:
                    data = bench.measure(part)
                except NotFound as error:
                    _show(f"{part}: left out: {error}")
                    continue
                _show(f"{part}: done in {time.monotonic() - began:.0f} s")
                sections[part] = results.section(f"python -m bench --only {part}", plan.seed, data)
                results.save(options.out, {part: sections[part]})
        void = list(_void(sections))
    page.write(results.load(options.out), ROOT / "docs")
    for line in void:
        _show(f"VOID: {line}")
    return 1 if void else 0


class _Bench:
    """The parts, over one pair of brokers that is started when the first part needs it."""

    def __init__(self, plan: Plan, feeds: Path, running: ExitStack) -> None:
        self._plan, self._feeds, self._running = plan, feeds, running
        self._stand: Stand | None = None
        self._all_hops_rate = 0.0

    def measure(self, part: str) -> object:
        """The data of one part."""
        parts: dict[str, Callable[[], object]] = {
            "throughput": self._throughput,
            "recorded": self._recorded,
            "stages": self._stages,
            "batches": self._batches,
            "idle": self._idle,
            "bridge": self._bridge,
            "hops": self._hops,
            "latency": self._latency,
            "recalls": self._recalls,
            "state": self._state,
            "decisions": self._decisions,
            "rules": self._rules,
            "picture": self._picture,
            "outputs": self._outputs,
            "intelmq": self._intelmq,
            "taxii": self._taxii,
            "readers": self._readers,
        }
        return parts[part]()

    def _brokers(self) -> Stand:
        if self._stand is None:
            self._stand = self._running.enter_context(stand())
        return self._stand

    def _throughput(self) -> object:
        rounds: list[list[Run]] = []
        for number in range(self._plan.rounds):
            runs: list[Run] = []
            rounds.append(runs)
            for shape, every_round in self._plan.pipeline_shapes():
                if every_round or number == 0:
                    self._one_work(shape, runs, with_ceiling=every_round)
        return {"runs": [run.record() for runs in rounds for run in runs], "ratios": results.ratios(rounds)}

    def _one_work(self, shape: Shape, runs: list[Run], *, with_ceiling: bool) -> None:
        """Plain agent, pipeline, ceiling, one after the other on the same brokers."""
        epoch_ms = _epoch_ms()
        small = generate(self._plan.plain_shape(shape), nation=HOME, epoch_ms=epoch_ms)
        self._note(plain.measure(self._brokers(), small, epoch_ms), runs)
        epoch_ms = _epoch_ms()
        work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
        ours = self._note(pipeline.measure(self._brokers(), work, epoch_ms), runs)
        if with_ceiling:
            epoch_ms = _epoch_ms()
            again = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            self._note(pipeline.measure(self._brokers(), again, epoch_ms, workers=2), runs)
            self._note(ceiling.measure(self._brokers(), work, epoch_ms, ceiling.ratios_of(ours)), runs)

    def _recorded(self) -> object:
        runs: list[Run] = []
        for fetches in (1, FETCHES):
            epoch_ms = _epoch_ms()
            at_most = self._plan.recorded if fetches == 1 else self._plan.recorded_again
            work = recorded(self._feeds, nation=HOME, epoch_ms=epoch_ms, at_most=at_most, fetches=fetches)
            rival = self._note(plain.measure(self._brokers(), work, epoch_ms), runs)
            ours = self._note(pipeline.measure(self._brokers(), work, epoch_ms), runs)
            if (one := rival.released.distinct) != (other := ours.released.distinct):
                runs[-1] = replace(ours, void=f"released {other} indicators, the plain agent {one}")
        return {"runs": [run.record() for run in runs], "ratios": results.ratios([runs])}

    def _note(self, run: Run, runs: list[Run]) -> Run:
        runs.append(run)
        _show(f"  {run.work:18} {run.what:18} {run.rate:10,.0f} observations/s {run.void}")
        return run

    def _stages(self) -> object:
        found = []
        for spread in Spread:
            epoch_ms, shape = _epoch_ms(), Shape(self._plan.stages, 10, spread, self._plan.seed)
            work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            found.append(stages.measure(work, epoch_ms + _AGO_MS))
        return found

    def _batches(self) -> object:
        return batch_sizes.measure(Shape(self._plan.stages, 10, Spread.ANY, self._plan.seed), _epoch_ms())

    def _idle(self) -> object:
        return idle.measure(self._brokers(), self._plan.idle_s)

    def _bridge(self) -> object:
        return bridge.measure(self._brokers(), self._plan.bridge, self._plan.seed, _epoch_ms(), self._plan.rounds)

    def _hops(self) -> object:
        shape = Shape(self._plan.hops, 10, Spread.ANY, self._plan.seed)
        found = hops.measure(self._brokers(), generate(shape, nation=HOME, epoch_ms=_epoch_ms()))
        self._all_hops_rate = float(found["rate"])
        return found

    def _latency(self) -> object:
        if not self._all_hops_rate:
            self._hops()
        plan = self._plan
        rate, seconds = self._all_hops_rate, plan.latency_s
        found = latency.measure(self._brokers(), rate, (0.0, *plan.loads), seconds, _epoch_ms())
        busy = [load for load in plan.loads if load >= 0.5]
        return found + latency.measure(self._brokers(), rate, busy, seconds, _epoch_ms(), home_workers=2)

    def _recalls(self) -> object:
        runs = []
        for shape in (
            Shape(self._plan.observations, 10, Spread.ANY, self._plan.seed),
            self._plan.pipeline_shapes()[2][0],
        ):
            epoch_ms = _epoch_ms()
            work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            runs.append(recalls.measure(self._brokers(), work, epoch_ms))
        return {"runs": runs}

    def _state(self) -> object:
        observations = max(20_000, self._plan.observations // 3)
        return [state.measure(self._brokers(), size, observations, _epoch_ms()) for size in self._plan.states]

    def _decisions(self) -> object:
        return decisions.measure(self._plan.decisions, _epoch_ms())

    def _rules(self) -> object:
        found = rules.measure(self._brokers(), self._plan.released, _epoch_ms(), _epoch_ms())
        return {"runs": [found]}

    def _picture(self) -> object:
        return picture.measure(self._plan.picture, self._plan.seed)

    def _outputs(self) -> object:
        plan = self._plan
        return outputs.measure(self._brokers(), plan.outputs, plan.held, plan.changes_per_s, plan.changes_s, plan.seed)

    def _taxii(self) -> object:
        return taxii.measure(self._plan.taxii, self._plan.medallion, self._plan.seed)

    def _readers(self) -> object:
        return readers.measure(self._plan.records, self._plan.readings)

    def _intelmq(self) -> object:
        """The rival first: if it cannot be installed, nothing is measured. Less of the work, as it takes longer."""
        runs: list[dict[str, Any]] = []
        for spread in Spread:
            epoch_ms, shape = _epoch_ms(), Shape(self._plan.intelmq, 10, spread, self._plan.seed)
            rival = intelmq.measure(generate(shape, nation=HOME, epoch_ms=epoch_ms), epoch_ms, HOME)
            whole = replace(shape, observations=self._plan.observations)
            epoch_ms = _epoch_ms()
            ours = pipeline.measure(self._brokers(), generate(whole, nation=HOME, epoch_ms=epoch_ms), epoch_ms)
            runs += [rival, intelmq.pipeline_of(ours)]
            for run in runs[-2:]:
                _show(f"  {run['work']:18} {run['what']:18} {run['rate']:10,.0f} observations/s {run['void']}")
        return {"runs": runs}


def _epoch_ms() -> int:
    return clock.now_ms() - _AGO_MS


def _void(sections: dict[str, Any]) -> Sequence[str]:
    return [
        f"{part}: {run.get('what', '')} {run.get('work', '')}: {run['void']}"
        for part in ("throughput", "recorded", "bridge", "recalls", "rules", "intelmq", "taxii", "readers")
        for runs in ("runs", "far", "fast_lane")
        for run in sections.get(part, {"data": {}})["data"].get(runs, [])
        if run["void"]
    ]


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Compares the pipeline with a plain Faust agent and a hand-written loop, on real Kafka.",
        epilog="examples: python -m bench --minutes 3 · python -m bench --only throughput --observations 1000000 · "
        "python -m bench --only state --states 10000000",
    )
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES, help="about how long it may take")
    parser.add_argument("--only", type=_parts, help=f"parts, with commas: {','.join(PARTS)}")
    parser.add_argument("--observations", type=int, help="of the pipeline's runs")
    parser.add_argument("--rounds", type=int, help="how often each pair is measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=_numbers, help="sizes of the state, with commas")
    parser.add_argument("--released", type=int, help="indicators that are decided again when rules change")
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
        _show(f"bench: {error}")
        sys.exit(error.exit_code)
