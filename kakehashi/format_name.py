"""The options ``--format`` and ``--include``. Their values are the readers', imported if the command runs."""

import typer

from kakehashi.conventions import one_of
from schemas.spelling import suggestion


def known_format(name: str) -> str:
    """The name itself. Raises ``typer.BadParameter`` if no reader has it."""
    return one_of("--format", name, format_names())


def format_names() -> list[str]:
    """All values that ``--format`` takes."""
    from producers.readers.formats import AUTO, readers

    return [AUTO, *readers()]


def rules_on_request() -> list[str]:
    """All values that ``--include`` takes."""
    from producers.readers.formats import on_request

    return list(on_request())


def known_rules(names: list[str] | None) -> list[str]:
    """The rules themselves, which may be separated by commas. Raises ``typer.BadParameter`` for an unknown one."""
    known = rules_on_request()
    found = [name for text in names or () for name in text.replace(",", " ").split()]
    for name in found:
        if name not in known:
            raise typer.BadParameter(f"{name!r}: one of {', '.join(known)}{suggestion(name, known)}")
    return found


def list_formats(wanted: bool) -> None:
    """Print each format, the pieces that are read of it and those that are left out, and exit."""
    if not wanted:
        return
    from producers.readers.formats import readers

    for reader in readers().values():
        typer.echo(f"{reader.name}\n  reads {reader.reads}")
        for rule, pieces in reader.leaves_out.items():
            typer.echo(f"  leaves out {pieces} ({rule})")
        for rule, pieces in reader.on_request.items():
            typer.echo(f"  takes of these with --include {rule}: {pieces}")
    raise typer.Exit
