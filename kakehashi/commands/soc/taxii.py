"""``kakehashi taxii``: serves the picture to tools that speak TAXII 2.1."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kakehashi.conventions import LogLevel
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumers.taxii.collections import Collection
    from exchange.settings import Settings

_SERVE: Final = examples(
    (
        "kakehashi taxii serve --nation JPN --clients clients.toml",
        "on this machine alone, without TLS, for a proxy that has it",
    ),
    (
        "kakehashi taxii serve --nation JPN --clients clients.toml --address 0.0.0.0 --certificate a.pem --key k.pem",
        "for the network, by TLS",
    ),
)
_TOKEN: Final = examples(("kakehashi taxii token", "a new token for a client, and its digest for the clients file"))
_CLIENTS: Final = examples(
    ("kakehashi taxii clients --nation JPN --clients clients.toml", "who may read what; exit code 3 if it is wrong")
)
_COLUMNS: Final = (
    Column("client", lambda row: row["client"], main=True),
    Column("ceiling", lambda row: row["ceiling"], main=True),
    Column("PAP activity", lambda row: row["activity"]),
    Column("tokens", lambda row: str(row["tokens"]), right=True),
    Column("certificates", lambda row: str(row["certificates"]), right=True),
    Column("a minute", lambda row: str(row["requests_a_minute"]), right=True),
    Column("collections", lambda row: ", ".join(row["collections"])),
)
Nation = Annotated[str, typer.Option(help="Whose picture, for example JPN.")]
ClientsFile = Annotated[Path, typer.Option("--clients", metavar="FILE", help="Who may read: [[client]] entries, TOML.")]
Certificate = Annotated[Path | None, typer.Option(metavar="FILE", help="The server's certificate and chain, PEM.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    taxii = typer.Typer(help="Serve the picture by TAXII 2.1.", no_args_is_help=True)
    taxii.command(epilog=_SERVE)(serve)
    taxii.command(epilog=_TOKEN)(token)
    taxii.command(epilog=_CLIENTS)(clients)
    app.add_typer(taxii, name="taxii", rich_help_panel="Roles")


def serve(
    nation: Nation,
    clients: ClientsFile,
    address: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Its port; 0 is any free one, which is logged.")] = 6443,
    certificate: Certificate = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Authorities of client certificates, PEM.")
    ] = None,
    loglevel: Annotated[LogLevel, typer.Option(case_sensitive=False, help="How much to log.")] = LogLevel.INFO,
) -> None:
    """Answer TAXII clients from what the nation sees, as STIX 2.1, and keep it current.

    There is a collection for each origin and marking ceiling. The clients file is read again when it changes: a
    client that is taken out is refused at once. Without TLS only this machine is served.
    """
    from consumers.picture.tables import path_of
    from consumers.taxii.clients import Clients
    from consumers.taxii.listening import ListenAddress
    from consumers.taxii.serve import serve as run
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from kakehashi.picture_of import origins_of

    settings = Settings.from_env(os.environ)
    collections = _collections(nation, settings)
    known = Clients(clients, collections)
    place = ListenAddress(address, port, certificate, key, client_ca)
    cluster = cluster_of(nation, settings, os.environ)
    origins = origins_of(cluster, settings)
    run(cluster, settings, path_of(settings.home, nation), origins, collections, known, place, loglevel.value)


def token() -> None:
    """Make a token for a client. The clients file has its digest: the token itself is shown once, and kept nowhere."""
    from consumers.taxii.clients import new_token

    made, digest = new_token()
    typer.echo(f"token, for the client alone:  {made}")
    typer.echo(f'for the clients file:         tokens = ["{digest}"]')


def clients(nation: Nation, clients: ClientsFile, as_json: AsJson = False) -> None:
    """Check a clients file, and list who may read what."""
    from consumers.taxii.clients import read_clients
    from exchange.settings import Settings

    rows = [
        {
            "client": each.name,
            "ceiling": each.ceiling.label,
            "activity": each.use.activity.label,
            "unstated_pap": each.use.unstated.label,
            "tokens": len(each.digests),
            "certificates": len(each.certificates),
            "requests_a_minute": each.requests_a_minute,
            "collections": [collection.alias for collection in each.collections],
        }
        for each in read_clients(clients, _collections(nation, Settings.from_env(os.environ)))
    ]
    show(rows, _COLUMNS, as_json=as_json, empty="No client may read.")


def _collections(nation: str, settings: "Settings") -> "Mapping[str, Collection]":
    from consumers.taxii.collections import collections_of

    return collections_of(nation, (nation, *settings.partners(nation)))
