"""Runs the real command line, as a person does, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


def kakehashi(*arguments: str, within: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What `kakehashi ARGUMENTS` said and ended with, run in the folder ``within``."""
    return subprocess.run(
        [sys.executable, "-m", "kakehashi", *arguments],
        cwd=within,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "100"} | environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
