"""Cedar's symbolic analyser: proves over all requests at once, by an SMT solver.

It is the command ``cedar symcc`` of the Cedar command line, of the version that the engine embeds, and cvc5. Its exit
status does not state the answer; its output does, and anything but a clear yes or no is an error.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationError
from streams.rules.policy_set import PolicySet
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.proof.prover import Bodies, ProofError, Prover, cedar_json
from streams.rules.proof.space import PRINCIPAL, Request, Space, Value, space_of

CEDAR_VERSION: Final = "4.12.0"
_TIMEOUT_S: Final = 120
_YES: Final = ": VERIFIED"
_NO: Final = ": DOES NOT HOLD"


def find_cedar(environment: Mapping[str, str]) -> Path | None:
    """The analyser: ``KAKEHASHI_CEDAR``, then where ``make prove`` builds it, then ``cedar`` on the path.

    It must be of the engine's own version, so that the proofs are about the engine that decides.
    """
    cache = Path(environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/")) / ".cache")
    built = cache / "kakehashi" / "analyser" / f"cedar-{CEDAR_VERSION}" / "bin" / "cedar"
    on_path = shutil.which("cedar", path=environment.get("PATH"))
    for candidate in (environment.get("KAKEHASHI_CEDAR"), built, on_path):
        if candidate and _is_the_analyser(Path(candidate)):
            return Path(candidate)
    return None


def _is_the_analyser(path: Path) -> bool:
    if not os.access(path, os.X_OK):
        return False
    version_line = _run([str(path), "--version"]).stdout
    return version_line.strip().endswith(f" {CEDAR_VERSION}") and "symcc" in _run([str(path), "help"]).stdout


def find_solver(environment: Mapping[str, str]) -> Path | None:
    """The solver's executable: ``CVC5``, then ``cvc5`` on the path. None: the Python package is used instead."""
    named = environment.get("CVC5") or shutil.which("cvc5", path=environment.get("PATH"))
    return Path(named) if named else None


@contextmanager
def best_prover(policy_set: PolicySet, environment: Mapping[str, str], *, require_proof: bool) -> Iterator[Prover]:
    """The analyser if it is installed; otherwise the exhaustive check.

    Raises ConfigurationError if a proof is required and the analyser is missing.
    """
    cedar = find_cedar(environment)
    if cedar is not None:
        with SymbolicProver(policy_set.schema_text, cedar, find_solver(environment)) as prover:
            yield prover
    elif require_proof:
        raise ConfigurationError("Cedar's analyser is missing, so nothing can be proved: `make prove` builds it")
    else:
        yield ExhaustiveProver(policy_set.schema_text, policy_set.nations)


class SymbolicProver:
    """Answers by proof. A context: its files live as long as it does."""

    is_proof = True

    def __init__(self, schema_text: str, cedar: Path, solver: Path | None) -> None:
        """``cedar`` is the analyser; without a ``solver`` the cvc5 package is used.

        Raises ``ProofError`` if neither is there.
        """
        self._space: Space = space_of(schema_text)
        self._cedar = cedar
        self._folder = tempfile.TemporaryDirectory(prefix="kakehashi-proof-")
        self._schema = self._write("schema.cedarschema", schema_text)
        self._solver = solver or self._package_as_solver()
        words = _run([str(solver), "--version"]).stdout.split("\n", 1)[0] if solver else f"cvc5 {version('cvc5')}"
        self._solver_name = words.removeprefix("This is ").split(" [", 1)[0]

    def __enter__(self) -> "SymbolicProver":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def name(self) -> str:
        """What answers, with its versions."""
        return f"cedar symcc {CEDAR_VERSION} with {self._solver_name}"

    def implies(self, one: Bodies, other: Bodies) -> Request | None:
        """As ``Prover.implies``."""
        return self._ask("implies", policies1=one, policies2=other)

    def disjoint(self, one: Bodies, other: Bodies) -> Request | None:
        """As ``Prover.disjoint``."""
        return self._ask("disjoint", policies1=one, policies2=other)

    def always_denies(self, bodies: Bodies) -> Request | None:
        """As ``Prover.always_denies``."""
        return self._ask("always-denies", policies=bodies)

    def never_errors(self, body: str) -> Request | None:
        """As ``Prover.never_errors``."""
        return self._ask("never-errors", policies=[body])

    def _ask(self, question: str, **sets: Bodies) -> Request | None:
        arguments = [str(self._cedar), "symcc", "--cvc5-path", str(self._solver), "--schema", str(self._schema)]
        arguments += ["--principal-type", "Nation", "--action", 'Action::"release"', "--resource-type", "Indicator"]
        arguments.append(question)
        for name, bodies in sets.items():
            format_name = "policy-format" if name == "policies" else f"{name}-format"
            arguments += [f"--{name}", str(self._write(f"{name}.json", cedar_json(bodies))), f"--{format_name}", "json"]
        ran = _run(arguments)
        answers = [line for line in ran.stdout.splitlines() if line.endswith((_YES, _NO))]
        if ran.returncode != 0 or len(answers) != 1:
            raise ProofError(f"cedar symcc {question} gave no answer: {(ran.stderr or ran.stdout).strip()}")
        return None if answers[0].endswith(_YES) else self._counterexample(ran.stdout)

    def _counterexample(self, output: str) -> Request:
        """Read the request from the analyser's output: the principal's line, and the indicator's attributes."""
        lines = [line.strip() for line in output.splitlines()]
        try:
            principal = next(line for line in lines if line.startswith(f"{PRINCIPAL}: "))
            start = next(
                index for index, line in enumerate(lines) if line.startswith("Indicator::") and line[-1] == "{"
            )
            end = lines.index("},", start)
            found = dict(line.rstrip(",").split(": ", 1) for line in lines[start + 1 : end])
            context = next((line for line in lines if line.startswith("context: {")), "context: {}")
            found |= dict(part.split(": ", 1) for part in context[len("context: {") : -1].split(", ") if part)
            values: dict[str, Value] = {axis: attribute.values()[0] for axis, attribute in self._space.axes.items()}
            values |= {name: self._value(text) for name, text in found.items()}
            values |= {name: None for name, axis in self._space.axes.items() if axis.optional and name not in found}
            del values[PRINCIPAL]
            return Request(_member(principal.removeprefix(f"{PRINCIPAL}: ").split(", action: ", 1)[0]), values)
        except (StopIteration, ValueError, IndexError) as error:
            raise ProofError(f"cedar symcc gave a counterexample that cannot be read: {output}") from error

    def _value(self, text: str) -> Value:
        if text in ("true", "false"):
            return text == "true"
        if text.startswith("["):
            return tuple(sorted(_member(part) for part in text.strip("[]").split(", ") if part))
        return _member(text)

    def _write(self, name: str, text: str) -> Path:
        path = Path(self._folder.name) / name
        path.write_text(text, encoding="utf-8")
        return path

    def _package_as_solver(self) -> Path:
        try:
            version("cvc5")
        except PackageNotFoundError as error:
            raise ProofError(
                "no solver: install cvc5 (Debian, Ubuntu: apt-get install cvc5; or pip install cvc5)"
            ) from error
        root = Path(__file__).resolve().parents[3]
        script = f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m streams.rules.proof.solver "$@"\n'
        path = self._write("cvc5", script)
        path.chmod(0o700)
        return path


def _member(text: str) -> str:
    """The id of ``Type::"id"``."""
    return str(json.loads(text.split("::", 1)[1]))


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(arguments, capture_output=True, encoding="utf-8", timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProofError(f"{arguments[0]} did not finish: {error}") from error
