"""Tests with the program that reads an output's target; skipped on a machine that does not have it."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"


def run_tool(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """One call; its exit code is the caller's to judge."""
    found = shutil.which(name) or shutil.which(name, path=_PATH)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
