"""Writes the examples that end every command's ``--help``."""


def examples(*lines: tuple[str, str]) -> str:
    """The epilogue of a command's help: each line a command, and what it does."""
    width = max(len(command) for command, _ in lines)
    shown = [f"  [cyan]{command:<{width}}[/cyan]  {what}" for command, what in lines]
    return "\n".join(["[bold]Examples[/bold]", *shown])
