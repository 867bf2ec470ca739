"""The parts of a run, each by its name, over one pair of brokers that is started when the first one needs it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import (
    agent,
    batch_sizes,
    bridge,
    ceiling,
    decisions,
    hops,
    idle,
    intelmq,
    latency,
    long_run,
    outputs,
    picture,
    pipeline,
    readers,
    recalls,
    results,
    rules,
    sensors,
    stages,
    state,
    sustained,
    taxii,
)
from bench.plain import PLAIN
from bench.plan import Plan
from bench.quix import QUIX
from bench.recorded import FETCHES, recorded
from bench.run import Run
from bench.show import show
from bench.stand import HOME, Stand, stand
from bench.workload import Shape, Spread, generate
from exchange import clock

_AGO_MS: Final = 60_000  # the sensors' numbering began a minute ago
_SKEWED: Final = 1  # per cent


class Parts:
    """``close`` ends the brokers; the next part that needs some starts new ones."""

    def __init__(self, plan: Plan, feeds: Path) -> None:
        self._plan, self._feeds, self._running = plan, feeds, ExitStack()
        self._stand: Stand | None = None
        self._all_hops_rate = self._sustained_rate = 0.0

    def close(self) -> None:
        """End the brokers."""
        self._stand = None
        self._running.close()

    def measure(self, part: str) -> object:
        """The data of one part."""
        parts: dict[str, Callable[[], object]] = {
            "throughput": self._throughput,
            "recorded": self._recorded,
            "stages": self._stages,
            "batches": self._batches,
            "sensors": self._sensors,
            "skew": self._skew,
            "quix": self._quix,
            "long": self._long,
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
                    self._one_work(shape, runs, with_two_workers=every_round)
        return {"runs": [run.record() for runs in rounds for run in runs], "ratios": results.ratios(rounds)}

    def _one_work(self, shape: Shape, runs: list[Run], *, with_two_workers: bool) -> None:
        """Plain agent, pipeline, ceiling, one after the other on the same brokers."""
        epoch_ms = _epoch_ms()
        small = generate(self._plan.plain_shape(shape), nation=HOME, epoch_ms=epoch_ms)
        self._note(agent.measure(PLAIN, self._brokers(), small, epoch_ms), runs)
        epoch_ms = _epoch_ms()
        work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
        ours = self._note(pipeline.measure(self._brokers(), work, epoch_ms), runs)
        if with_two_workers:
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
            rival = self._note(agent.measure(PLAIN, self._brokers(), work, epoch_ms), runs)
            ours = self._note(pipeline.measure(self._brokers(), work, epoch_ms), runs)
            if (one := rival.released.distinct) != (other := ours.released.distinct):
                runs[-1] = replace(ours, void=f"released {other} indicators, the plain agent {one}")
        return {"runs": [run.record() for run in runs], "ratios": results.ratios([runs])}

    def _note(self, run: Run, runs: list[Run]) -> Run:
        runs.append(run)
        show(f"  {run.work:18} {run.what:18} {run.rate:10,.0f} observations/s {run.void}")
        return run

    def _stages(self) -> object:
        found = []
        for spread in Spread:
            epoch_ms, shape = _epoch_ms(), Shape(self._plan.stages, 10, spread, self._plan.seed)
            work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            found.append(stages.measure(work, epoch_ms + _AGO_MS))
        return found

    def _batches(self) -> object:
        return batch_sizes.measure(Shape(self._plan.batches, 10, Spread.ANY, self._plan.seed), _epoch_ms())

    def _idle(self) -> object:
        return idle.measure(self._brokers(), self._plan.idle_s)

    def _bridge(self) -> object:
        plan = self._plan
        return bridge.measure(self._brokers(), plan.bridge, plan.seed, _epoch_ms(), plan.bridge_rounds)

    def _hops(self) -> object:
        shape = Shape(self._plan.hops, 10, Spread.ANY, self._plan.seed)
        found = hops.measure(self._brokers(), generate(shape, nation=HOME, epoch_ms=_epoch_ms()))
        self._all_hops_rate = float(found["rate"])
        return found

    def _latency(self) -> object:
        """At parts of the rate that is sustained, which is found first."""
        found, plan = self._sustained(), self._plan
        seconds = plan.latency_s
        runs = latency.measure(self._brokers(), self._sustained_rate, (0.0, *plan.loads), seconds, _epoch_ms())
        busy = [load for load in plan.loads if 0.5 <= load <= 0.8]
        runs += latency.measure(self._brokers(), self._sustained_rate, busy, seconds, _epoch_ms(), home_workers=2)
        return {"sustained": found, "runs": runs}

    def _sustained(self) -> dict[str, Any]:
        if not self._all_hops_rate:
            self._hops()
        plan, full_rate = self._plan, self._all_hops_rate
        found = sustained.measure(self._brokers(), full_rate, plan.probe_s, plan.held_minutes, _epoch_ms())
        self._sustained_rate = float(found["rate"])
        return found

    def _long(self) -> object:
        if not self._sustained_rate:
            self._sustained()
        return long_run.measure(self._brokers(), self._sustained_rate, self._plan.long_s, _epoch_ms())

    def _sensors(self) -> object:
        return sensors.measure(self._plan.sensors, self._plan.seed, _epoch_ms())

    def _skew(self) -> object:
        """The same work without and with one indicator that is everywhere."""
        runs: list[Run] = []
        for skewed in (0, _SKEWED):
            epoch_ms = _epoch_ms()
            shape = Shape(self._plan.observations // 2, 10, Spread.ANY, self._plan.seed, skewed)
            work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            self._note(pipeline.measure(self._brokers(), work, epoch_ms), runs)
        return {"runs": [run.record() for run in runs]}

    def _quix(self) -> object:
        """The rival first: if it cannot be installed, nothing is measured."""
        runs: list[Run] = []
        rival = partial(agent.measure, QUIX)
        for measure, size in ((rival, self._plan.quix), (pipeline.measure, self._plan.observations)):
            epoch_ms, shape = _epoch_ms(), Shape(size, 10, Spread.ANY, self._plan.seed)
            self._note(measure(self._brokers(), generate(shape, nation=HOME, epoch_ms=epoch_ms), epoch_ms), runs)
        return {"runs": [run.record() for run in runs]}

    def _recalls(self) -> object:
        runs = []
        for shape in (
            Shape(self._plan.observations // 2, 10, Spread.ANY, self._plan.seed),
            Shape(self._plan.new // 2, 1, Spread.ANY, self._plan.seed),
        ):
            epoch_ms = _epoch_ms()
            work = generate(shape, nation=HOME, epoch_ms=epoch_ms)
            runs.append(recalls.measure(self._brokers(), work, epoch_ms))
        return {"runs": runs}

    def _state(self) -> object:
        observations = max(20_000, self._plan.observations // 4)
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
                show(f"  {run['work']:18} {run['what']:18} {run['rate']:10,.0f} observations/s {run['void']}")
        return {"runs": runs}


def _epoch_ms() -> int:
    return clock.now_ms() - _AGO_MS
