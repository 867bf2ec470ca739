"""All attacks on two real clusters: ``python -m tests.attack.run [--only WORD]``. Exit code 1 on any surprise."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.table import Table

from tests.attack import insiders, kept_back, partners, sensors
from tests.attack.attack import Attack, Result
from tests.attack.field import Field
from tests.integration.nations import NATIONS, two_nations

# The insiders are last: one of them spoils the audit.
ATTACKS: Final = (*sensors.ATTACKS, *partners.ATTACKS, *kept_back.ATTACKS, *insiders.ATTACKS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them one after the other, and show what came of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="only the attacks with one of these words, set apart by commas")
    parser.add_argument("--folder", type=Path, help="where logs and data go, and stay")
    options = parser.parse_args(arguments)
    words = [word.strip() for word in options.only.split(",")]
    chosen = [each for each in ATTACKS if any(word in f"{each.who} {each.what}" for word in words)]
    if not chosen:
        raise SystemExit(f"no attack has {options.only!r} in its name")
    with tempfile.TemporaryDirectory() as scratch:
        results = attacked(chosen, options.folder or Path(scratch))
    show(results, Console())
    return 0 if all(each.ok for each in results) else 1


def attacked(attacks: Sequence[Attack], folder: Path) -> list[Result]:
    """What came of each, on two nations of its own."""
    results = []
    with two_nations(folder) as nations:
        for nation in NATIONS:
            nations.add_worker(nation)
            nations.add_bridge(nation)
        nations.start()
        field = Field(nations, folder)
        for attack in attacks:
            began = time.monotonic()
            try:
                got = attack.run(field)
            except Exception as error:  # whatever it is, it is a surprise, and the others go on
                got = f"{type(error).__name__}: {error}"
            results.append(Result(attack, got, time.monotonic() - began))
            came = "" if results[-1].ok else f": {got}"
            sys.stdout.write(f"{'ok ' if results[-1].ok else 'BAD'} {attack.who}: {attack.what}{came}\n")
            sys.stdout.flush()
        field.close()
    return results


def show(results: Sequence[Result], console: Console) -> None:
    """A table of all."""
    table = Table(title="Attacks", title_justify="left", box=HEAVY_HEAD if console.is_terminal else None)
    for heading in ("who", "attack", "expected", "got"):
        table.add_column(heading, overflow="fold")
    table.add_column("ok")
    table.add_column("s", justify="right")
    for each in results:
        got = "as expected" if each.ok else each.got
        attack = each.attack
        table.add_row(attack.who, attack.what, attack.expected, got, "yes" if each.ok else "NO", f"{each.seconds:.0f}")
    console.print(table)
    bad = sum(not each.ok for each in results)
    seconds = sum(each.seconds for each in results)
    console.print(f"{len(results)} attacks in {seconds:.0f} s, {bad or 'none'} with a surprise", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
