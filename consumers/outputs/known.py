"""Finds the outputs, and reads what a user wrote about a target."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from consumers import outputs as package
from consumers.outputs.protocol import Output, Target, Writer
from exchange.errors import ConfigurationError
from schemas.spelling import suggestion

HOME: Final = Path(".kakehashi")


@cache
def outputs() -> Mapping[str, Output]:
    """Every output by its name: each module of this package that declares an ``OUTPUT``."""
    found = (
        getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "OUTPUT", None)
        for module in pkgutil.iter_modules(package.__path__)
    )
    named = {output.name: output for output in found if isinstance(output, Output)}
    return dict(sorted(named.items()))


def understood(text: str, nation: str, home: Path = HOME) -> tuple[Output, Target]:
    """The output and the target of ``NAME:PLACE?option=value&…``. Raises ConfigurationError if either is invalid.

    ``home`` is ``KAKEHASHI_HOME``.
    """
    name, colon, rest = text.partition(":")
    output = outputs().get(name)
    if output is None or not colon:
        hint = suggestion(name, outputs())
        raise ConfigurationError(f"{text}: write NAME:TARGET, with one of the names {', '.join(outputs())}{hint}")
    place, _, query = rest.partition("?")
    if not place:
        raise ConfigurationError(f"{text}: the target is missing: write {name}:{output.place}")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - output.options.keys())
    if unknown:
        allowed = f"its options are {', '.join(sorted(output.options))}" if output.options else "it has no options"
        hint = suggestion(unknown[0], output.options)
        raise ConfigurationError(f"{text}: {name} has no option {', '.join(unknown)}: {allowed}{hint}")
    return output, Target(nation, place, options, home)


def opened(text: str, nation: str, home: Path = HOME) -> tuple[Output, Target, Writer]:
    """The same, opened. Raises ConfigurationError; writes nothing."""
    output, target = understood(text, nation, home)
    return output, target, output.open(target)
