"""The options of ``kakehashi produce`` as a sensor's profile, and its mistakes in the words of the options."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Final

import typer

from producers.inputs import name_in_utf8
from producers.profile.model import InputEntry, Profile
from producers.profile.rules import Problem, problems, problems_of_reading
from schemas.spelling import suggestion

_OPTIONS: Final = {
    **{name: f"--{name}" for name in ("nation", "sensor", "sector", "confidence", "tlp", "pap", "format", "encoding")},
    **{"releasable_to": "--releasable-to", "caveats": "--caveat", "types": "--type", "time_zone": "--time-zone"},
    **{"home_networks": "--home-net", "include": "--include", "key": "--sensor-key", "mapping": "--map"},
    **{"feed": "--feed", "snapshot": "--snapshot", "follow": "--follow", "reviewed": "--reviewed"},
    **{"credentials": "--credentials", "authorities": "--authorities"},
}
_AT: Final = "at"
_SWITCHES: Final = frozenset({"snapshot", "follow"})


def inputs_of(files: Sequence[str], settings: InputEntry) -> tuple[InputEntry, ...]:
    """The inputs that are named on the command line: all are read alike.

    Raises ``typer.BadParameter`` for a switch that needs them.
    """
    import msgspec

    if not files and settings.follow:
        raise typer.BadParameter("--follow needs files, folders or patterns: a pipe is followed without it")
    if not files and settings.snapshot:
        raise typer.BadParameter("--snapshot needs files: whether standard input was whole cannot be known")
    return tuple(msgspec.structs.replace(settings, at=name) for name in files)


def checked(profile: Profile, nations: tuple[str, ...], settings: InputEntry) -> Profile:
    """The profile itself. Raises ``typer.BadParameter``, exit code 2, with every mistake.

    ``settings`` are those of all inputs, also if there is none.
    """
    of_all = () if profile.inputs else problems_of_reading((), settings)
    found = list(dict.fromkeys(_lines(chain(problems(profile, nations), of_all))))
    if found:
        raise typer.BadParameter("; ".join(found))
    return profile


def mapping_of(texts: Sequence[str]) -> dict[str, str]:
    """The fields of columns, from ``COLUMN=FIELD``. Raises ``typer.BadParameter``."""
    found: dict[str, str] = {}
    for text in texts:
        column, equals, field = text.rpartition("=")
        if not equals or not column.strip() or column in found:
            raise typer.BadParameter(f"--map {text}: write COLUMN=FIELD, once for each column")
        found[column.strip()] = field.strip()
    return found


def _lines(found: Iterable[Problem]) -> Iterator[str]:
    for name, each in groupby(
        found, lambda problem: next(p for p in reversed(problem.path) if p in _OPTIONS or p == _AT)
    ):
        if name == _AT:
            many = list(each)
            why = ", ".join(dict.fromkeys(problem.why for problem in many))
            yield f"{why}: {', '.join(name_in_utf8(problem.value) for problem in many)}"
            continue
        for problem in each:
            option = _OPTIONS[str(name)]
            value = "" if name in _SWITCHES else f" {problem.value}:"
            yield f"{option}{value} {problem.why}{suggestion(problem.value, problem.known)}"
