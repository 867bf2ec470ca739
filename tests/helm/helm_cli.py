"""Finds Helm, or builds it once with Go, and lints the chart: what ``make helm`` runs and the tests render with.

Helm is a Go program. Where it is not on the PATH, ``go install`` builds the pinned version into
``$XDG_CACHE_HOME/kakehashi``, which takes a few minutes the first time.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from exchange.errors import ConfigurationError, ExchangeError

VERSION = "v3.22.0"
MODULE = f"helm.sh/helm/v3/cmd/helm@{VERSION}"
KUBERNETES = "1.34.0"
CHART = Path(__file__).parents[2] / "helm" / "kakehashi"
EXAMPLES = sorted((CHART / "ci").glob("*.yaml"))

_BUILD_TIMEOUT_S = 1200
_RUN_TIMEOUT_S = 60


def helm(environ: Mapping[str, str]) -> Path:
    """Helm from the PATH, else from the cache, else built. Safe from many processes at once.

    Raises ConfigurationError if there is neither Helm nor Go, or if Go cannot build it.
    """
    found = shutil.which("helm", path=environ.get("PATH"))
    if found is not None:
        return Path(found)
    cached = _cache(environ) / "helm"
    if not cached.exists():
        go = shutil.which("go", path=environ.get("PATH"))
        if go is None:
            raise ConfigurationError(
                "Helm is missing, and so is Go, which could build it. Install Helm 3 (helm.sh/docs/intro/install), or "
                "Go 1.21 or later, which then fetches what it needs by itself."
            )
        _build(go, cached, environ)
    return cached


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One call of Helm; its exit code is the caller's to judge."""
    return subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, timeout=_RUN_TIMEOUT_S, check=False
    )


def lint(program: Path, example: Path) -> subprocess.CompletedProcess[str]:
    """Lint the chart with an example's values; a warning is a failure."""
    return run(program, "lint", str(CHART), "--strict", "--kube-version", KUBERNETES, "-f", str(example))


def template(program: Path, example: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Render the chart with an example's values, as release ``sharing``."""
    where = ["-n", "kakehashi", "--kube-version", KUBERNETES]
    return run(program, "template", "sharing", str(CHART), "-f", str(example), *where, *options)


def _cache(environ: Mapping[str, str]) -> Path:
    root = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache")
    return root / "kakehashi" / f"helm-{VERSION}"


def _build(go: str, target: Path, environ: Mapping[str, str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return
        sys.stderr.write(f"Building Helm {VERSION} with Go, once: a few minutes.\n")
        try:
            built = subprocess.run(
                [go, "install", "-trimpath", "-ldflags=-s -w", MODULE],
                env={**environ, "GOBIN": scratch}, cwd=scratch,
                capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ConfigurationError(f"Go did not build Helm in {_BUILD_TIMEOUT_S} s") from error
        if built.returncode != 0:
            raise ConfigurationError(
                f"Go could not build Helm {VERSION}. Install Helm 3 (helm.sh/docs/intro/install), or see why:\n"
                f"{built.stderr[-2000:]}"
            )
        (Path(scratch) / "helm").rename(target)


def main() -> int:
    """Lint and render every example; the exit code says whether all went well."""
    try:
        program = helm(os.environ)
    except ExchangeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    failed = 0
    for example in EXAMPLES:
        for done in (lint(program, example), template(program, example)):
            if done.returncode != 0:
                failed = 1
                sys.stderr.write(f"{example.name}:\n{done.stdout}{done.stderr}\n")
                break
        else:
            sys.stdout.write(f"{example.name}: lints and renders\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
