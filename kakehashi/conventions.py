"""What all commands have in common, whatever they do; ``tests/kakehashi/test_conventions.py`` walks all of them.

``--nation`` is the nation on whose cluster a command works, ``--partner`` the other one. Both are checked before a
command runs. A flag shows no type. Names of options that were changed keep working until 1.0, and are not shown.
"""

import enum
import os
import re
import select
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Final

import typer
from typer._click.exceptions import NoSuchOption, UsageError
from typer.core import TyperCommand, TyperGroup

from exchange.errors import Exit
from schemas.spelling import any_of, near, suggestion


class LogLevel(enum.StrEnum):
    """How much a process logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_MOST: Final = 3  # commands that are suggested
_FORM: Final = re.compile(r"[A-Z]{3}")  # ISO 3166-1 alpha-3

_ARGUMENT: Final = ""
_BOTH_SIDES: Final = {"--from": "--nation", "--to": "--partner"}
ALIASES: Final = {
    "bridge": _BOTH_SIDES,
    "reconcile": _BOTH_SIDES,
    "tail": {"--from": "--partner"},
    "sighting report": {"--from": "--partner"},
    "dispute": {"--from": "--partner"},
    "output run": {"--from": "--partner"},
    "output check": {"--from": "--partner"},
    "released show": {"--to": "--partner"},
    "released list": {"--to": "--partner"},
    "border close": {_ARGUMENT: "--partner"},
    "border open": {_ARGUMENT: "--partner"},
    "border shadow": {_ARGUMENT: "--partner"},
}
"""The former names of options, by command: hidden, and accepted until 1.0."""

OF_A_FOLDER: Final = frozenset({"policy prove", "policy diff", "policy test"})
"""Commands whose nation is a folder's: it need not take part in the exchange."""


class Command(TyperCommand):
    """A command of ``kakehashi``. ``kakehashi.main`` makes every command one."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The parameters, without the type of a flag."""
        found = super().get_params(ctx)
        for each in found:
            if getattr(each, "is_flag", False) and each.metavar is None:
                each.metavar = ""
        return found

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the options. Raises BadParameter, exit code 2, for an invalid nation or partner."""
        path = path_of(ctx)
        try:
            left = super().parse_args(ctx, _current(args, ALIASES.get(path, {})))
        except NoSuchOption as error:
            raise _with_suggestion(error, self.get_params(ctx), ctx) from error
        if not ctx.resilient_parsing:
            _check_nations(ctx, path)
        return left

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command. A reader of its output that ends early, as ``head`` does, is a good end."""
        try:
            with _in_use(ctx):
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            if _is_read():
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rest is discarded silently
            raise typer.Exit(Exit.OK) from None
        return result


class Group(TyperGroup):
    """A group of commands, the whole command line included. ``kakehashi.main`` makes every group one."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the options before the command."""
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            raise _with_suggestion(error, self.get_params(ctx), ctx) from error

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that is meant. Raises UsageError, exit code 2, with what may be meant if there is none."""
        self.suggest_commands = False
        try:
            return super().resolve_command(ctx, args)
        except UsageError as error:
            name = args[0]
            elsewhere = [path for path in _paths(ctx.find_root().command) if path.split()[-1] == name]
            meant = near(name, [*self.commands, "--help", "--version"])
            error.message = f"No such command: {name}{any_of(elsewhere[:_MOST] or meant)}"
            raise


class DefaultGroup(Group):
    """A group whose command ``default`` may be left out: ``kakehashi conformance FILE`` checks the file."""

    default: ClassVar[str]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the options of the group, and the name of the command."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def group_of(app: typer.Typer, name: str) -> typer.Typer:
    """``kakehashi NAME`` itself, for its commands in other files: they come behind the file that makes the group."""
    found = next((each.typer_instance for each in app.registered_groups if each.name == name), None)
    if found is None:
        raise RuntimeError(f"kakehashi {name} is no group")
    return found


def _with_suggestion(error: NoSuchOption, params: Iterable[Any], ctx: typer.Context) -> NoSuchOption:
    names = sorted({opt for param in params for opt in param.opts if opt.startswith("--")})
    why = f"No such option: {error.option_name}{suggestion(error.option_name, names)}"
    return NoSuchOption(error.option_name, why, ctx=ctx)


def _paths(command: Any, *path: str) -> Iterator[str]:
    """Every command, as it is called."""
    if not isinstance(command, TyperGroup):
        yield " ".join(path)
        return
    for name, each in command.commands.items():
        yield from _paths(each, *path, name)


def path_of(ctx: typer.Context) -> str:
    """The words by which a command is called, without the program's."""
    words: list[str] = []
    at = ctx
    while at.parent is not None:
        words.insert(0, at.info_name or "")
        at = at.parent  # type: ignore[assignment]
    return " ".join(words)


def one_of(option: str, value: str, known: Iterable[str]) -> str:
    """The value itself. Raises BadParameter, exit code 2, with the closest known value and all others."""
    words = [word for word in known if word]
    if value not in words:
        raise typer.BadParameter(f"{option} {value}: one of {', '.join(words)}{suggestion(value, words)}")
    return value


def check_recipients(named: Iterable[str], nations: Sequence[str]) -> None:
    """Raise BadParameter, exit code 2, for a recipient that takes no part in the exchange."""
    for name in named:
        if name.strip().upper() not in nations:
            remedy = f"its nations are {', '.join(nations)} (KAKEHASHI_NATIONS){suggestion(name, nations)}"
            raise typer.BadParameter(f"--releasable-to {name}: no party of the exchange; {remedy}")


def _in_use(ctx: typer.Context) -> AbstractContextManager[None]:
    """Whoever deletes the home's files sees this command, if it works with them or with the clusters."""
    from kakehashi.in_use import KEEP_FILES, USE_CLUSTERS, using

    path = path_of(ctx)
    if ctx.params.get("dry_run") or path not in KEEP_FILES | USE_CLUSTERS:
        return nullcontext()
    from localkafka.settings import home_folder

    home = home_folder(os.environ)
    if path not in KEEP_FILES and not home.is_dir():
        return nullcontext()
    named = {name: str(value) for name in ("nation", "partner", "sensor", "profile") if (value := ctx.params.get(name))}
    words = [f"--{name} {value}" if name != "profile" else value for name, value in named.items()]
    return using(home, " ".join((path, *words)), [named[name] for name in ("nation", "partner") if name in named])


def _is_read() -> bool:
    """Whether our output still has a reader: the broken pipe may be another one."""
    watch = select.poll()
    watch.register(sys.stdout.fileno(), 0)  # errors and hang-ups are always reported
    return not watch.poll(0)


def _current(args: list[str], aliases: dict[str, str]) -> list[str]:
    """The arguments with former names of options replaced."""
    if _ARGUMENT in aliases:
        args = _named(args, aliases[_ARGUMENT])
    end = args.index("--") if "--" in args else len(args)
    names = (arg.partition("=") for arg in args[:end])
    return [aliases.get(name, name) + equals + value for name, equals, value in names] + args[end:]


def _named(args: list[str], option: str) -> list[str]:
    """The arguments of a command whose options all have values, with the option that was an argument named."""
    for at, arg in enumerate(args):
        before = args[at - 1] if at else ""
        if not arg.startswith("-") and (not before.startswith("-") or "=" in before):
            return [*args[:at], option, *args[at:]]
    return args


def _check_nations(ctx: typer.Context, path: str) -> None:
    from exchange.settings import Settings

    nation, partner = ctx.params.get("nation") or "", ctx.params.get("partner") or ""
    for name, value in (("--nation", nation), ("--partner", partner)):
        if value and not _FORM.fullmatch(value):
            example = ", for example GBR" if not _FORM.fullmatch(value.upper()) else f": write {value.upper()}"
            raise _bad(ctx, name, f"`{value}` is not an ISO 3166-1 alpha-3 code{example}")
    if not nation or path in OF_A_FOLDER:
        return
    nations = Settings.from_env(os.environ).nations
    for name, value in (("--nation", nation), ("--partner", partner)):
        if value and value not in nations:
            remedy = f"set KAKEHASHI_NATIONS or correct the option{suggestion(value, nations)}"
            raise _bad(ctx, name, f"unknown nation `{value}`: {remedy}")
    if partner == nation:
        others = ", ".join(other for other in nations if other != nation)
        raise _bad(ctx, "--partner", f"{nation} is no partner of itself: its partners are {others}")


def _bad(ctx: typer.Context, option: str, why: str) -> typer.BadParameter:
    return typer.BadParameter(why, ctx=ctx, param_hint=option)
