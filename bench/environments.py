"""Programs of others that the bench runs, each installed once in an environment of its own, at pinned versions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from exchange.errors import NotFound
from localkafka.jars import cache_folder

_INSTALL_S: Final = 300.0


def installed(name: str, version: str, pins: Path, *options: str) -> Path:
    """The environment, made if it is not there yet, from pinned requirements with hashes and further options of pip.

    Raises NotFound if it cannot be.
    """
    folder = cache_folder(os.environ).with_name(f"{name.lower()}-{version}")
    if not folder.is_dir():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            _make(making, f"{name} {version}", pins, options)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return folder


def _make(folder: Path, what: str, pins: Path, options: tuple[str, ...]) -> None:
    python = str(folder / "bin" / "python")
    install = ["--python", python, "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for command in (
        ["venv", "--without-pip", str(folder)],
        ["pip", *install, *options, "--requirement", str(pins)],
    ):
        try:
            done = subprocess.run(
                [sys.executable, "-m", *command], capture_output=True, text=True, timeout=_INSTALL_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotFound(f"{what} cannot be installed: not done after {_INSTALL_S:g} s") from error
        if done.returncode != 0:
            why = (done.stderr or done.stdout).strip().splitlines()
            raise NotFound(f"{what} cannot be installed: {why[-1] if why else done.returncode}")
