"""``kakehashi officer``: keys of officers, and who is on the roster."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from kakehashi.conventions import one_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing

_KEYGEN_EXAMPLES = examples(
    ("kakehashi officer keygen --person a.watanabe --role review --out a.watanabe.key", "an officer who reviews"),
    (
        "kakehashi officer keygen --person b.jones --role review --role recall --sensor edge-1 --out b.jones.key",
        "who also recalls, and runs a sensor: what it reports, another must approve",
    ),
)
_LIST_EXAMPLES = examples(("kakehashi officer list --nation GBR", "who may decide what"))
_COLUMNS: Final = (
    Column("person", lambda row: row["person"], main=True),
    Column("roles", lambda row: ", ".join(row["roles"]), main=True),
    Column("runs the sensors", lambda row: ", ".join(row["sensors"]) or "–"),
    Column("key", lambda row: row["key_id"]),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    officer = typer.Typer(help="Keys of officers, and who is on the roster.", no_args_is_help=True)
    app.add_typer(officer, name="officer", rich_help_panel="Decisions")

    @officer.command(epilog=_KEYGEN_EXAMPLES)
    def keygen(
        person: Annotated[str, typer.Option(help="Who: one name for one human, however many keys.")],
        out: Annotated[Path, typer.Option(help="The new file for the private key; it stays with the officer.")],
        roles: Annotated[
            list[str], typer.Option("--role", help="review, recall, reissue, policy, border, audit or redrive.")
        ],
        name: Annotated[str, typer.Option(help="The name as people know it; the person's if not given.")] = "",
        sensors: Annotated[list[str] | None, typer.Option("--sensor", help="A sensor that this person runs.")] = None,
    ) -> None:
        """Make a key, and print the entry for the roster. The private key is in the file alone."""
        from exchange.authority.private_key import make_key
        from exchange.authority.roster import Officer, Role, entry_text
        from schemas.signing import public_of

        for role in roles:
            one_of("--role", role, Role)
        private = make_key(out)
        chosen = frozenset(Role(role) for role in roles)
        made = Officer(person, name or person, public_of(private), chosen, frozenset(sensors or ()))
        typer.echo(entry_text(made), nl=False)
        typer.echo(f"The private key is in {out}: keep it. The entry above goes into the nation's roster.", err=True)

    @officer.command("list", epilog=_LIST_EXAMPLES)
    def list_(
        nation: Annotated[str, typer.Option(help="Whose roster, for example GBR.")], as_json: AsJson = False
    ) -> None:
        """Show who is on the roster: person, key, roles, sensors."""
        from exchange.authority.roster import load_roster
        from exchange.settings import Settings

        settings = Settings.from_env(os.environ)
        roster = load_roster(nation, settings.officers)
        rows = [
            {
                "nation": nation,
                "person": each.person,
                "key_id": each.key_id,
                "roles": sorted(each.roles),
                "sensors": sorted(each.sensors),
            }
            for each in roster.officers.values()
        ]
        empty = f"{settings.officers / f'{nation}.toml'} is empty: no one may decide anything."
        listing(rows, _COLUMNS, as_json=as_json, empty=empty)
