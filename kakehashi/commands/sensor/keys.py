"""``kakehashi sensor``: the key by which a sensor signs its reports."""

from pathlib import Path
from typing import Annotated

import typer

from kakehashi.examples import examples

_KEYGEN_EXAMPLES = examples(
    ("kakehashi sensor keygen --sensor edge-1 --out edge-1.key", "a key, and the entry for the nation's roster"),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sensor = typer.Typer(help="The key by which a sensor signs.", no_args_is_help=True)
    app.add_typer(sensor, name="sensor", rich_help_panel="Roles")

    @sensor.callback()
    def _group() -> None:
        """The key by which a sensor signs."""

    @sensor.command(epilog=_KEYGEN_EXAMPLES)
    def keygen(
        sensor: Annotated[str, typer.Option(help="The sensor's name, unique in its nation.")],
        out: Annotated[Path, typer.Option(help="The new file for the private key; it stays with the sensor.")],
    ) -> None:
        """Make a key, and print the entry for the roster. The private key is in the file alone.

        Give the producer the key first (`--sensor-key`), then enter it in the roster: from then on every report
        under this name must be signed by it.
        """
        from datetime import UTC, datetime

        from exchange.authority.private_key import make_key
        from exchange.authority.sensor_keys import sensor_entry
        from schemas.signing import public_of

        private = make_key(out)
        typer.echo(sensor_entry(sensor, public_of(private), datetime.now(UTC).date()), nl=False)
        typer.echo(f"The private key is in {out}: keep it. The entry above goes into the nation's roster.", err=True)
