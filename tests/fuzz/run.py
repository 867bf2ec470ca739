"""Fuzzing for as long as one likes: ``python -m tests.fuzz.run --minutes 10 --seed 7``.

As many processes as there are processors, each with cases of its own. Target, seed and a case's number give its bytes:
``--only TARGET --case NUMBER`` with the same seed tries one again, and ``--keep FILE`` writes its bytes to a file.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.fuzz.hunt import HANG_S, MEMORY_BYTES, Found, Tally, hunt
from tests.fuzz.targets import Target, case, targets

WITHOUT_END: Final = 1 << 60
_SHOWN_FINDINGS: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to try")
    parser.add_argument("--cases", type=int, default=WITHOUT_END, help="how many cases at each target at most")
    parser.add_argument("--seed", type=int, default=1, help="chooses the cases")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="only targets with these words in their name")
    parser.add_argument("--case", type=int, help="only the case of this number")
    parser.add_argument("--keep", type=Path, help="with --case: write its bytes here, and try nothing")
    parser.add_argument("--report", type=Path, help="where to write the outcome as JSON")
    options = parser.parse_args(arguments)
    chosen = partial(named, options.only)
    if not chosen():
        parser.error(f"no target has {options.only!r} in its name; there are: {', '.join(t.name for t in targets())}")
    if options.keep:
        options.keep.write_bytes(case(chosen()[0], options.seed, options.case or 0))
        return 0
    began = time.monotonic()
    if options.case is None:
        parts = [range(first, options.cases, options.processes) for first in range(options.processes)]
    else:
        parts = [range(options.case, options.case + 1)]
    with ThreadPoolExecutor(len(parts)) as pool:
        one = partial(hunt, options.seed, ends=began + options.minutes * 60, of=chosen)
        found = together(list(pool.map(one, parts)))
    show(Console(), found, options.seed, time.monotonic() - began)
    if options.report:
        options.report.write_text(json.dumps(outcome(found, options.seed), indent=2) + "\n", encoding="utf-8")
    return 1 if found.findings else 0


def named(words: str) -> list[Target]:
    """The targets with these words in their name."""
    return [target for target in targets() if words in target.name]


def together(parts: Sequence[Found]) -> Found:
    """What several processes found, as one."""
    total = Found()
    for part in parts:
        total.findings += part.findings
        for name, tally in part.tallies.items():
            known = total.tallies.setdefault(name, Tally())
            known.cases += tally.cases
            known.fates += tally.fates
            known.slowest_s = max(known.slowest_s, tally.slowest_s)
            known.grown = max(known.grown, tally.grown)
    return total


def show(console: Console, found: Found, seed: int, seconds: float) -> None:
    """A table, and every finding with what shows it again."""
    table = Table(title=f"Fuzzing · seed {seed} · {seconds:.0f} s", title_justify="left")
    table.add_column("target")
    for heading in ("cases", "fates", "slowest", "most memory", "findings"):
        table.add_column(heading, justify="right")
    for name, tally in found.tallies.items():
        wrong = sum(finding.target == name for finding in found.findings)
        grown = f"{tally.grown / (1 << 20):.0f} MiB"
        fates = f"{sum(tally.fates.values()):,}"
        table.add_row(name, f"{tally.cases:,}", fates, f"{tally.slowest_s:.2f} s", grown, str(wrong))
    console.print(table)
    for finding in found.findings[:_SHOWN_FINDINGS]:
        console.print(f"FOUND at {finding.target}, case {finding.number}: {finding.wrong}", markup=False)
        again = f"python -m tests.fuzz.run --seed {seed} --only '{finding.target}' --case {finding.number}"
        console.print(f"  again: {again}", markup=False)
    cases = sum(tally.cases for tally in found.tallies.values())
    console.print(
        f"{cases:,} cases, {len(found.findings)} findings "
        f"(a crash, more than {HANG_S:g} s, more than {MEMORY_BYTES >> 20} MiB, or input without a fate)"
    )


def outcome(found: Found, seed: int) -> dict[str, object]:
    """The same for machines."""
    return {
        "seed": seed,
        "findings": [
            {"target": finding.target, "case": finding.number, "wrong": finding.wrong} for finding in found.findings
        ],
        "targets": {
            name: {
                "cases": tally.cases,
                "slowest_s": round(tally.slowest_s, 3),
                "memory_bytes": tally.grown,
                "fates": dict(tally.fates.most_common()),
            }
            for name, tally in found.tallies.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
