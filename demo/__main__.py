"""``python -m demo``: options, console, signals and exit code."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from demo.closing import closing
from demo.image import save
from demo.keeping import how_to_look_around
from demo.live import showing
from demo.nations import demo_nations
from demo.plan import plan, read_manifest
from demo.report import report
from demo.run import Demo, Ending
from exchange.clock import now_ms
from exchange.errors import ExchangeError, Exit

FEEDS = Path(__file__).resolve().parents[1] / "tests" / "feeds"


def main() -> Exit:
    """Run the demo, and report its result."""
    options = _options()
    console = Console(highlight=False)
    lanes = plan(read_manifest(options.manifest.read_text("utf-8")), options.seconds)
    with demo_nations(options.home, os.environ) as nations:
        with showing(console) as show:
            ending = Demo(nations, lanes, options.manifest.parent, show).play()
        clean = _show(ending, console, options)
        if options.keep:
            nations.leave()
            console.print(how_to_look_around(nations), soft_wrap=True)
    if not options.keep:
        console.print(Text(" Everything that was started has been stopped.", "dim"))
    return Exit.OK if clean else Exit.STOPPED


def _show(ending: Ending, console: Console, options: argparse.Namespace) -> bool:
    last = closing(ending.directions, ending.outages, now_ms(), ending.took_s, console.width)
    console.print(last)
    if options.picture is not None:
        save(last, options.picture, "make demo", console.width)
    options.report.write_text(report(ending.directions, ending.outages, ending.took_s), encoding="utf-8")
    console.print(Text(f" The figures are in {options.report}.", "dim"))
    return all(direction.audit.clean for direction in ending.directions)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave both nations running, and print commands to explore them"
    )
    parser.add_argument("--home", type=Path, default=Path(".kakehashi/demo"), help="where all of it lives")
    parser.add_argument("--manifest", type=Path, default=FEEDS / "manifest.json", help="what to play")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long to publish, at least")
    parser.add_argument("--report", type=Path, default=Path("demo-report.json"), help="file of the figures")
    parser.add_argument("--picture", type=Path, help="save the last screen as an SVG file")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; nothing is left running.\n")
        sys.exit(Exit.INTERRUPTED)
    except ExchangeError as error:
        sys.stderr.write(f"demo: {error}\nNothing is left running.\n")
        sys.exit(error.exit_code)
