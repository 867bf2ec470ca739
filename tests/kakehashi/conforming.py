"""Runs `kakehashi conformance` in this process, over a feed that meets what a file can show."""

import json
from functools import cache
from typing import Any

import typer
from typer.testing import CliRunner, Result

from exchange.errors import ExchangeError
from kakehashi.main import Invocation, command_line

HEAD = "type,value,tlp,pap,releasable_to,first_seen,last_seen,valid_until,confidence,labels\n"
SEEN = "2026-11-01T01:00:00Z,2026-11-01T09:00:00Z,2999-01-01T00:00:00Z,80"
LINE = f"domain,bad.kakenet-mal.org,TLP:AMBER,PAP:GREEN,JPN,{SEEN},c2\n"
GOOD = HEAD + LINE + f"sha256,{'9f' * 32},TLP:GREEN,PAP:GREEN,,{SEEN},lockbit\n"
ENERGY = ("--profile", "energy", "--incident", "ransomware")


@cache
def application() -> typer.Typer:
    """The whole command line, made once."""
    return command_line(Invocation())


def run(*arguments: object, **environ: str) -> Result:
    """The command, as `main` ends it."""
    env = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "300", "KAKEHASHI_NATIONS": "GBR,JPN"} | environ
    return CliRunner(env=env).invoke(application(), ["conformance", *map(str, arguments)])


def code(result: Result) -> int:
    error = result.exception
    return int(error.exit_code) if isinstance(error, ExchangeError) else result.exit_code


def report_of(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found["report"]  # type: ignore[no-any-return]


def found(report: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["result"] for each in report["results"]}
