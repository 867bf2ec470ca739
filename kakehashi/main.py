"""The command line's front door: gathers the commands, and turns their ends into messages and exit codes.

A command lives in ``kakehashi/commands/<role>/<name>.py`` and adds itself by ``register(app)``. It imports its role
(Faust, Polars, Cedar) inside its body, never at its top, so that help and completion stay instant.
"""

import importlib
import inspect
import pkgutil
import re
import sys
import traceback
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from exchange.errors import ExchangeError, Exit
from kakehashi import commands
from kakehashi.conventions import Command, Group
from kakehashi.examples import examples

_EXITS = """Exit codes: 0 done · 1 unavailable, try again · 2 usage · 3 configuration · 4 refused or not found · \
5 stopped to keep a promise · 6 fenced by another owner · 70 a defect of ours"""


_NUMBERED: Final = re.compile(r"\[Errno \d+\] ([^:'\"]+)(?:: '[^']*')?")
"""An error of the operating system as Python prints it; our message has named the file already."""


@dataclass
class Invocation:
    """The options before the command."""

    debug: bool = False


def main() -> None:
    """Run the command that the arguments name. Ends the process with one of ``exchange.errors.Exit``."""
    invocation = Invocation()
    try:
        command_line(invocation)()
    except ExchangeError as error:
        _tell(error, invocation, "kakehashi: " + _NUMBERED.sub(r"\1", str(error)))
        sys.exit(error.exit_code)
    except Exception as error:  # the outermost frame: an exception that gets here is a defect
        _tell(error, invocation, f"kakehashi: a defect of ours: {type(error).__name__}: {error}")
        if not invocation.debug:
            typer.echo("Please report it with what `kakehashi --debug …` prints.", err=True)
        sys.exit(Exit.DEFECT)


def command_line(invocation: Invocation) -> typer.Typer:
    """The whole command line, with every command of every role."""
    app = typer.Typer(
        name="kakehashi",
        cls=Group,
        help="Exchange cyber-threat indicators between two nations over Apache Kafka.",
        epilog=examples(
            ("kakehashi doctor", "what this machine lacks, and how to get it"),
            ("kakehashi up", "two local Kafka clusters, one for each nation"),
            ("kakehashi COMMAND --help", "a command's options, with examples"),
        )
        + f"\n\n[dim]{_EXITS}[/dim]",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
        _version: Annotated[
            bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
        ] = False,
    ) -> None:
        invocation.debug = debug

    for name in sorted(_command_modules(), key=lambda name: name.rpartition(".")[2]):
        importlib.import_module(name).register(app)
    _hold_to_conventions(app)
    return app


def _hold_to_conventions(app: typer.Typer) -> None:
    """Make every command and group one of ours, however deep it is."""
    for command in app.registered_commands:
        command.cls = Command
        command.help = command.help or _paragraphs(command.callback.__doc__ if command.callback else None)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            if not isinstance(group.typer_instance.info.cls, type):  # it has none of its own
                group.typer_instance.info.cls = Group
            _hold_to_conventions(group.typer_instance)


def _paragraphs(text: str | None) -> str | None:
    """A docstring whose paragraphs are one line each: the terminal decides where they are cut."""
    if text is None:
        return None
    return "\n\n".join(" ".join(each.split()) for each in inspect.cleandoc(text).split("\n\n"))


def _command_modules() -> list[str]:
    """The module of every command: one folder a role, one file a command."""
    found = pkgutil.walk_packages(commands.__path__, f"{commands.__name__}.")
    return [module.name for module in found if not module.ispkg]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # it costs every start 30 ms

        typer.echo(f"kakehashi {version('kakehashi')}")
        raise typer.Exit


def _tell(error: Exception, invocation: Invocation, line: str) -> None:
    if invocation.debug:
        traceback.print_exception(error, file=sys.stderr)
    typer.echo(line, err=True)
