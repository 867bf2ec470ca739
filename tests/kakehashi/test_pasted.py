"""The line that is pasted first, in a shell that knows neither our environment nor our folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from kakehashi.pasted import first_line


@pytest.mark.parametrize("is_script", [True, False], ids=["with the script", "as a module"])
def test_the_first_line_makes_the_commands_behind_it_work_in_any_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_script: bool
) -> None:
    home = tmp_path / "it's a home"
    if not is_script:
        python = tmp_path / "python"  # beside it is no script
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
        python.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(python))
    pasted = f'{first_line(home)}\nkakehashi --version\necho "$KAKEHASHI_HOME"\n'
    fresh = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(["bash"], input=pasted, env=fresh, cwd="/", capture_output=True, text=True, check=True)
    version, shown = done.stdout.splitlines()
    assert version.startswith("kakehashi ")
    assert shown == str(home)
