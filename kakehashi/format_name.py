"""The option ``--format``. Its values come from the readers, which are imported only if the command runs."""

import typer


def known_format(name: str) -> str:
    """The name itself. Raises ``typer.BadParameter`` if no reader has it."""
    if name not in format_names():
        raise typer.BadParameter(f"{name!r} is not a format: {', '.join(format_names())}")
    return name


def format_names() -> list[str]:
    """All values that ``--format`` takes."""
    from producers.readers.formats import AUTO, readers

    return [AUTO, *readers()]


def list_formats(wanted: bool) -> None:
    """Print each format, the pieces that are read of it and those that are left out, and exit."""
    if not wanted:
        return
    from producers.readers.formats import readers

    for reader in readers().values():
        typer.echo(f"{reader.name}\n  reads {reader.reads}")
        for rule, pieces in reader.leaves_out.items():
            typer.echo(f"  leaves out {pieces} ({rule})")
    raise typer.Exit
