"""Prints which processes obey what an officer has published."""

from typing import TYPE_CHECKING

import typer

from exchange.errors import Refused
from kakehashi.listing import write_line
from schemas.counting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.desk.obedience import Answer


def report_obedience(answers: "Sequence[Answer]", done: str, *, as_json: bool = False) -> None:
    """Print the result. Raises Refused, exit code 4, with the name of each process that does not obey."""
    wrong = [each for each in answers if each.wrong]
    for each in answers if as_json else ():
        facts = {name: each.reading[name] for name in ("role", "partner", "shard", "process")}
        write_line({**facts, "obeys": not each.wrong, "reason": each.wrong})
    for each in () if as_json else wrong:
        typer.echo(f"  {each.name} {each.wrong}", err=True)
    if wrong:
        raise Refused(
            f"{len(wrong)} of {counted(len(answers), 'shard')} do not obey; the lines above name their processes. Stop "
            "them, or correct them and run the command again"
        )
    by = f"{counted(len(answers), 'shard')} of workers and bridges obey" if answers else "no worker or bridge runs now"
    typer.echo(f"{done}: {by}", err=as_json)
