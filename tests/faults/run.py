"""Faults for as long as one likes: ``python -m tests.faults.run --minutes 10 --seed 7``.

Steady traffic in both directions, officers of both nations who recall, revoke and lift, one fault after the other, and
after every few of them the exchange comes to rest and is compared with the model and with what the officers stated:
lost 0, duplicated 0, wrong 0, or the run ends with exit code 1 and states what it found. It does so, too, if a process
has grown beyond doubt in a run of more than ten minutes.
At each rest a topic, or a part of one, is lost: that is declared, and repaired, and what comes after must be right.
The seed chooses kinds, victims and moments; what the machine makes of the moments is its own. ``--apart 20`` makes a
soak of it: much work in between, on both sides, and faults now and then.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from rich.box import HEAVY_HEAD, Box
from rich.console import Console
from rich.table import Table

from exchange.clock import now_ms
from tests.faults.agreement import agree
from tests.faults.feeder import Feeder
from tests.faults.gaps import GAPS
from tests.faults.hostile_kinds import HOSTILE_KINDS
from tests.faults.kinds import KINDS, Hit, World
from tests.faults.link_kinds import LINK_KINDS
from tests.faults.losses import LAST, LOSSES
from tests.faults.memory import Memory
from tests.faults.officers import Officers
from tests.faults.supervisor import Supervisor
from tests.integration.nations import NATIONS, Nations, two_nations
from tests.polling import eventually

GOES_ON_S: Final = 180.0
SETTLED_S: Final = 300.0
APART_S: Final = 1.7
BETWEEN_AUDITS: Final = 6
AGREE_S: Final = 60.0
RECONCILE_S: Final = 30  # by itself, under all of it
LONG_S: Final = 600.0  # from here on growth is judged
ALL_KINDS: Final = {**KINDS, **LINK_KINDS, **HOSTILE_KINDS}
ALL_LOSSES: Final = {**LOSSES, **GAPS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults go on")
    parser.add_argument("--seed", type=int, default=1, help="chooses kinds, victims and moments")
    parser.add_argument("--apart", type=float, default=APART_S, help="about so many seconds between two faults")
    parser.add_argument(
        "--only", default="", help="only the kinds with one of these words, set apart by commas, in their name"
    )
    parser.add_argument("--report", type=Path, help="where to write the outcome as JSON")
    parser.add_argument("--folder", type=Path, help="where logs and data go, and stay")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(options.seed, options.only, options.apart)
        settings = {"KAKEHASHI_RECONCILE_S": str(RECONCILE_S)}
        with two_nations(options.folder or Path(scratch), more=settings, linked=True) as nations:
            is_clean = run.through(nations, options.minutes * 60)
    run.show(Console())
    if options.report:
        options.report.write_text(json.dumps(run.outcome(), indent=2) + "\n", encoding="utf-8")
    return 0 if is_clean else 1


def log(words: str) -> None:
    """A line on the terminal, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


class Run:
    """One seeded run, and what came of it."""

    def __init__(self, seed: int, only: str = "", apart_s: float = APART_S) -> None:
        self._random = Random(seed)
        self._seed, self._apart_s = seed, apart_s
        wanted = {name for name in self.names() if any(word.strip() in name for word in only.split(","))}
        self._kinds = {name: kind for name, kind in ALL_KINDS.items() if name in wanted}
        self._losses = {name: loss for name, loss in ALL_LOSSES.items() if name in wanted}
        self._last = {name: loss for name, loss in LAST.items() if name in wanted}
        if not wanted:
            raise SystemExit(f"no kind of fault has {only!r} in its name; there are: {', '.join(self.names())}")
        self._survived: Counter[str] = Counter()
        self._blows: Counter[str] = Counter()
        self._declared: list[str] = []
        self._slowest: dict[str, float] = {}
        self._audits = 0
        self._ends: dict[str, int] = {}
        self._findings: list[str] = []
        self._reports = 0
        self._sent: Counter[str] = Counter()
        self._memory = Memory()

    @staticmethod
    def names() -> list[str]:
        """Every kind, in the order of the report."""
        return [*ALL_KINDS, *ALL_LOSSES, *LAST]

    def through(self, nations: Nations, seconds: float) -> bool:
        """Faults for so long; whether every audit was clean."""
        for nation in NATIONS:
            nations.add_worker(nation, 1)
            nations.add_worker(nation, 2)
            nations.add_bridge(nation)
        nations.start()
        supervisor = Supervisor(nations)
        supervisor.start()
        world, ends, losses = World(nations, supervisor), time.monotonic() + seconds, self._in_turn()
        officers = Officers(nations, self._seed)
        try:
            while time.monotonic() < ends:
                self._round(world, officers)
                if self._losses:
                    self._lose(world, officers, next(losses))
                    self._round(world, officers, 1)
            if self._last:
                self._lose(world, officers, self._random.choice(list(self._last)))
                for home in NATIONS:
                    self._is_kept_back(world, home)
        except AssertionError as error:
            self._findings.append(str(error))
        supervisor.stop()
        self._sent = officers.sent_commands
        self._findings += self._memory.findings if seconds > LONG_S else []
        self._ends = {f"{name} {code}": count for (name, code), count in sorted(supervisor.ends.items())}
        return not self._findings

    def _round(self, world: World, officers: Officers, faults: int = BETWEEN_AUDITS) -> None:
        """Some faults under traffic and officers' words, then rest and an audit."""
        with self._at_work(world, officers) as feeder:
            self._await_flow(feeder, now_ms())
            for _ in range(faults if self._kinds else 0):
                time.sleep(self._random.uniform(0.3, 1.7) * self._apart_s)
                self._inflict(world, feeder)
        audits = world.nations.settled(SETTLED_S)
        for home in NATIONS:
            officers.check(home)
            eventually(partial(agree, world.nations, home), AGREE_S, f"both sides agree on what {home} has released")
        self._memory.look(world.nations.all_roles)
        self._audits += 1
        self._reports = sum(sum(audit.counts.reports.values()) for audit in audits.values())
        log(f"audit {self._audits}: " + "; ".join(str(audit) for audit in audits.values()))

    def _inflict(self, world: World, feeder: Feeder) -> None:
        names = list(self._kinds)
        name = self._random.choices(names, [self._kinds[name][1] for name in names])[0]
        began_ms = now_ms()
        hit = self._kinds[name][0](world, self._random)
        self._note(name, hit, self._await_flow(feeder, began_ms))

    def _in_turn(self) -> Iterator[str]:
        """The losses, each once before any comes again: a run has few of them."""
        while self._losses:
            yield from self._random.sample(list(self._losses), len(self._losses))

    def _is_kept_back(self, world: World, home: str) -> None:
        """Whether what officers stated has outlived everything; fails with what has not."""
        direction = world.nations.direction(home)
        try:
            eventually(lambda: not direction.undone(), SETTLED_S, f"{home}'s vetoes stand")
        except AssertionError as error:
            raise AssertionError("\n".join((str(error), *direction.undone()))) from error

    def _lose(self, world: World, officers: Officers, name: str) -> None:
        """One declared loss at rest; whether all flows again is seen with traffic and words of its own."""
        began_ms = now_ms()
        hit, lost = (self._losses | self._last)[name](world, self._random)
        self._declared += lost
        with self._at_work(world, officers) as feeder:
            self._note(name, hit, self._await_flow(feeder, began_ms))

    @contextmanager
    def _at_work(self, world: World, officers: Officers) -> Iterator[Feeder]:
        """Sensors and officers of both nations, until the block ends."""
        feeder = Feeder(world.nations, NATIONS, seed=self._random.randrange(1 << 30))
        feeder.start()
        officers.start()
        try:
            yield feeder
        finally:
            feeder.stop()
            officers.stop()

    def _note(self, name: str, hit: Hit, went_on_s: float) -> None:
        self._survived[name] += 1
        self._blows[name] += hit.blows
        self._slowest[name] = max(self._slowest.get(name, 0.0), went_on_s)
        times = f", {hit.blows} times" if hit.blows > 1 else ""
        done = sum(self._survived.values())
        log(f"{done:4d} {name}: {hit.victim}{times}; all flows again {went_on_s:.1f} s after it began")

    def _await_flow(self, feeder: Feeder, since_ms: int) -> float:
        return max(feeder.goes_on(home, since_ms, GOES_ON_S) for home in NATIONS)

    def outcome(self) -> dict[str, object]:
        """What came of it, for machines."""
        return {
            "seed": self._seed,
            "faults": dict(self._survived),
            "blows": dict(self._blows),
            "slowest_s": {name: round(seconds, 1) for name, seconds in self._slowest.items()},
            "audits": self._audits,
            "reports": self._reports,
            "officers": dict(self._sent),
            "memory_mib": {name: _in_short(looks) for name, looks in self._memory.longest.items()},
            "ends": self._ends,
            "declared_lost": self._declared,
            "findings": self._findings,
        }

    def show(self, console: Console) -> None:
        """What came of it, for people."""
        box = HEAVY_HEAD if console.is_terminal else None
        table = Table(title=f"Faults survived · seed {self._seed}", title_justify="left", box=box)
        table.add_column("kind")
        for heading in ("survived", "blows", "slowest, s"):
            table.add_column(heading, justify="right")
        for name in self.names():
            if name in self._survived:
                row = str(self._survived[name]), str(self._blows[name]), f"{self._slowest[name]:.1f}"
                table.add_row(name, *row)
        total = str(sum(self._survived.values())), str(sum(self._blows.values())), ""
        table.add_section()
        table.add_row("all", *total, style="bold")
        console.print(table)
        console.print(self._memory_table(box))
        words = ", ".join(f"{kind} {count}" for kind, count in sorted(self._sent.items()))
        console.print(f"officers of both nations: {words or 'silent'}", highlight=False)
        for name, count in self._ends.items():
            console.print(f"ended and started again: {name} ({count} times)", highlight=False, soft_wrap=True)
        for loss in self._declared:
            console.print(f"declared as lost: {loss}", highlight=False, soft_wrap=True)
        for finding in self._findings:
            console.print(finding, style="red", highlight=False, markup=False, soft_wrap=True)
        if not self._findings:
            held = f"after {self._audits} audits of {self._reports} reports"
            console.print(f"lost 0, duplicated 0, wrong 0 {held}", style="green", highlight=False)

    def _memory_table(self, box: Box | None) -> Table:
        table = Table(title="Memory at rest, MiB", title_justify="left", box=box)
        table.add_column("role, in its longest life")
        for heading in ("audits", "first", "last", "most"):
            table.add_column(heading, justify="right")
        for name, looks in self._memory.longest.items():
            table.add_row(name, *(str(value) for value in _in_short(looks).values()))
        return table


def _in_short(looks: Sequence[int]) -> dict[str, int]:
    return {"audits": len(looks), "first": looks[0], "last": looks[-1], "most": max(looks)}


if __name__ == "__main__":
    sys.exit(main())
