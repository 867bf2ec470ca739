"""Runs a command of Python with a clock that is ahead: ``python wrong_clock.py SECONDS PYTHON -m MODULE ARGUMENTS``."""

import runpy
import sys
import time
from typing import Final

_TRUE_NS: Final = time.time_ns


def main() -> None:
    """Set the clock, and become the command."""
    ahead_ns = int(sys.argv[1]) * 1_000_000_000
    time.time_ns = lambda: _TRUE_NS() + ahead_ns
    time.time = lambda: (_TRUE_NS() + ahead_ns) / 1_000_000_000
    module, arguments = sys.argv[4], sys.argv[5:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
