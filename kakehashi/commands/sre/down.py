"""``kakehashi down``: stops the clusters of ``kakehashi up``, and names the roles that still run on them."""

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.errors import Refused
from kakehashi.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exchange.settings import Settings
    from kakehashi.in_use import User

_EXAMPLES = examples(
    ("kakehashi down", "stop them; `kakehashi up` continues where they were"),
    ("kakehashi down --wipe", "and forget everything in them; it asks before it ends what still runs"),
    ("kakehashi down --wipe --yes", "without asking"),
)

_KEPT: Final = ("roles", "spool", "picture", "outputs")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def down(
        wipe: Annotated[bool, typer.Option("--wipe", help="Delete their data and forget their ports too.")] = False,
        nation: Annotated[str, typer.Option(help="Only this nation's cluster.")] = "",
        yes: Annotated[bool, typer.Option("--yes", help="With --wipe: end what still runs, without asking.")] = False,
    ) -> None:
        """Stop the local Kafka clusters, and the roles that `make demo KEEP=1` left running on them.

        Their data stays unless it is wiped. Roles that run in other terminals are named; they wait for the clusters.
        Nothing is wiped under them: they are ended first, if you agree. In a script, without --yes, the exit code is 4.
        """
        from exchange.settings import Settings
        from kakehashi import roles
        from kakehashi.in_use import users
        from localkafka import persistent
        from localkafka.settings import home_folder

        settings, home = Settings.from_env(os.environ), home_folder(os.environ)
        ours = set() if nation else {role.pid for role in roles.known(home)}
        with users(home, nation) as found:
            others = [user for user in found if user.process.pid not in ours]
            if wipe:
                _end(others, ask=not yes)
            for role in () if nation else roles.stop(home):
                typer.echo(f"{role.name} stopped (process {role.pid})")
            for cluster in persistent.down(home, (nation,) if nation else settings.nations, wipe=wipe):
                typer.echo(f"{cluster.nation} stopped ({cluster.bootstrap})")
            if wipe:
                for path in _of_nation(settings, nation) if nation else _of_all(settings):
                    _delete(path)
        for user in () if wipe else others:
            typer.echo(f"still running, without its cluster: {user}")
        if not nation:
            typer.echo(f"No local cluster runs{', and nothing of them is left' if wipe else ''}.")


def _end(found: "list[User]", *, ask: bool) -> None:
    """End what uses the home. Raises Refused if no one agrees to it."""
    from kakehashi.in_use import end

    if not found:
        return
    for user in found:
        typer.echo(f"still running: {user}", err=True)
    if ask and (sys.stdin is None or not sys.stdin.isatty()):
        raise Refused("nothing was stopped or deleted: end what still runs, or add --yes, which ends it in good order")
    if ask and not typer.confirm("End it, and delete its data?", err=True):
        raise Refused("nothing was stopped or deleted")
    end(found)
    for user in found:
        typer.echo(f"ended: {user}")


def _of_all(settings: "Settings") -> "Iterator[Path]":
    """Caches, logs, spools, pictures and positions of the wiped clusters: reports sent to them are gone."""
    yield settings.state
    yield from (settings.home / name for name in _KEPT)


def _of_nation(settings: "Settings", nation: str) -> "Iterator[Path]":
    """The same, of one nation."""
    yield settings.state / nation
    yield from (found for name in _KEPT for found in (settings.home / name).glob(f"{nation}*"))


def _delete(path: "Path") -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
