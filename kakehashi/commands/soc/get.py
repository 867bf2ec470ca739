"""``kakehashi get``: one indicator with everything that its nation may know."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kakehashi.commands.soc.search import STYLES, Local
from kakehashi.decided import decided, headline
from kakehashi.examples import examples
from kakehashi.filter_options import TypeOfValue, known_type
from kakehashi.listing import TextAsJson, write_line
from kakehashi.receipt_words import deed
from kakehashi.terminal import printable, utc, wrapped

if TYPE_CHECKING:
    from consumers.picture.entry import Ended, Entry
    from consumers.picture.picture import Picture
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings

_EXAMPLES = examples(
    ("kakehashi get --nation JPN 198.51.100.7", "what Japan knows of it, from whom, and what became of it"),
    ("kakehashi get --nation JPN 'hxxp://bad[.]example/a'", "defanged is understood"),
    ("kakehashi get --nation JPN --local --json 198.51.100.7", "from the copy on this machine, for a script"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Looking")
    def get(
        indicator: Annotated[str, typer.Argument(help="An indicator's id or value; defanged is understood.")],
        nation: Annotated[str, typer.Option(help="Whose picture, for example JPN.")],
        type_: TypeOfValue = "",
        local: Local = False,
        as_json: TextAsJson = False,
    ) -> None:
        """Show one indicator: from whom the nation has it, its markings, sources, enrichment and earlier versions, why
        it was released and to whom, and each receipt and dispute.

        With --local it shows what the copy on this machine has: not decisions, releases and receipts.
        """
        from consumers.queries.named import ids_of, named
        from exchange.errors import NotFound
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from kakehashi.picture_of import picture_of

        settings, ids = Settings.from_env(os.environ), ids_of(indicator, known_type(type_))
        with picture_of(nation, settings, os.environ, update=not local) as picture:
            known = [_known(picture, entry) for name in ids for entry in picture.get(name)]
        crossing = [] if local else list(_crossing(cluster_of(nation, settings, os.environ), settings, ids))
        if not (known or crossing):
            raise NotFound(
                f"{nation} sees no {printable(named(indicator, type_))}, and has seen none: `kakehashi search WORDS "
                f"--nation {nation}` finds parts, and an invalid value that was reported is in quarantine "
                f"(`kakehashi quarantine list --nation {nation}`)"
            )
        for place, row in enumerate(known):
            if place and not as_json:
                typer.echo()
            _print(row, as_json=as_json)
        if crossing and not as_json:
            typer.echo()
        for row, lines in crossing:
            if as_json:
                write_line(row)
            else:
                typer.echo("\n".join(lines))


def _known(picture: "Picture", entry: "Entry | Ended") -> dict[str, Any]:
    """What one origin publishes about it, with earlier versions."""
    import msgspec

    from consumers.picture.as_record import record_of

    history = [msgspec.to_builtins(each) for each in picture.history(entry.id, entry.origin)]
    found = record_of(entry) | {"history": history}
    return found | {"sources": picture.sources(entry.id)} if entry.origin == picture.nation else found


_Part = Iterator[tuple[dict[str, Any], list[str]]]


def _crossing(cluster: "Cluster", settings: "Settings", ids: list[str]) -> _Part:
    """What crossed the border, each as a row and as lines. A line reports what this user may not read."""
    from exchange.errors import ExchangeError

    for what, part in (("decisions", _decisions), ("releases", _releases), ("receipts", _receipts)):
        try:
            yield from part(cluster, settings, ids)
        except ExchangeError as error:
            typer.echo(f"kakehashi: {what} cannot be read here: {error}", err=True)


def _decisions(cluster: "Cluster", settings: "Settings", ids: list[str]) -> _Part:
    for decision, sentences in decided(cluster, settings, ids):
        yield {"decision": decision, "sentences": sentences}, [headline(decision), *map(wrapped, sentences)]


def _releases(cluster: "Cluster", settings: "Settings", ids: list[str]) -> _Part:
    from consumers.queries.released import released_to
    from schemas.identity import key_of_id, shard_of_key

    shards = {shard_of_key(key_of_id(name), settings.shards) for name in ids}
    for partner, status in released_to(cluster, settings.partners(cluster.nation), shards, frozenset(ids)):
        said = [f"  {''.join(deed(each))} {utc(each['at_ms'])} UTC" for each in status.receipts]
        line = f"RELEASED to {partner}  {utc(status.released_ms)} UTC, {status.released['kind']}: {status.answer}"
        row = {"released": status.released, "released_ms": status.released_ms, "partner": partner}
        yield row | {"answer": status.answer, "receipts": status.receipts}, [line, *said]


def _receipts(cluster: "Cluster", settings: "Settings", ids: list[str]) -> _Part:
    from consumers.queries.receipts import receipts_for

    for origin in settings.partners(cluster.nation):
        for receipt in receipts_for(cluster, origin, ids, settings.shards):
            what, why = deed(receipt)
            line = f"{what.upper()} to {origin}  {utc(receipt['at_ms'])} UTC, version {receipt['version']}{why}"
            yield {"receipt": receipt, "to": origin}, [line]


def _print(row: dict[str, Any], *, as_json: bool) -> None:
    """One origin's view, as a line of JSON or in lines for a person."""
    if as_json:
        write_line(row)
        return
    colour = STYLES.get(row["state"], "dim").removeprefix("bold ")
    shown = typer.style(row["state"], dim=True) if colour == "dim" else typer.style(row["state"], fg=colour, bold=True)
    typer.echo(f"{typer.style(printable(row.get('value') or row['id']), bold=True)}  {row.get('type', '')}".rstrip())
    reason = f" ({printable(row['reason'])})" if row["reason"] else ""
    typer.echo(f"  {shown}{reason} from {row['origin']}, received {utc(row['received_ms'])} UTC")
    for name, text in _facts(row):
        if text:
            typer.echo(wrapped(text, f"  {name:<14}  "))


def _facts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", row["id"]
    yield "version", str(row["version"])
    if "value" in row:
        yield from _content(row)
    for source in row.get("sources", ()):
        marks = ", ".join(filter(None, [_marking(source["marking"]), *source["labels"]]))
        yield f"  {source['sensor']}", f"{_seen(source)}; {marks}; {source['description']}".rstrip("; ")
        for name, text in source["context"].items():
            yield "", f"{name}: {text}"
    for each in row["history"]:
        facts = [each["state"], each["reason"], each["tlp"] or "", _confidence(each["confidence"])]
        yield "earlier", f"{utc(each['received_ms'])} UTC, {', '.join(filter(None, facts))}, version {each['version']}"


def _content(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    recipients = row["marking"]["releasable_to"]
    yield "marking", _marking(row["marking"])
    yield "releasable to", "any nation that the label allows" if recipients is None else ", ".join(recipients)
    yield "confidence", _confidence(row["confidence"])
    yield "labels", ", ".join(row["labels"])
    yield "ATT&CK", ", ".join(row["techniques"])
    yield "seen", _seen(row)
    yield "valid until", _until(row["valid_until_ms"])
    yield "release until", _until(row.get("release_expires_ms", 0))
    yield "domain", row["registered_domain"]
    yield "network", ", ".join(filter(None, [f"AS{row['asn']}" if row["asn"] else "", row["country"]]))
    yield "special use", row.get("special_use", "")
    yield "warninglists", ", ".join(row.get("warninglists", ()))
    yield "tearline", row.get("tearline", "").replace("\n", " ")
    if "source_count" in row:
        yield "sources", str(row["source_count"])


def _marking(marking: dict[str, Any]) -> str:
    from schemas.markings import Pap, Tlp

    tlp, pap = marking["tlp"], marking["pap"]
    labels = [Tlp(tlp).label if isinstance(tlp, int) else tlp, Pap(pap).label if isinstance(pap, int) else pap]
    return " ".join([labels[0] or "unmarked", *filter(None, [labels[1], *marking["caveats"]])])


def _seen(row: dict[str, Any]) -> str:
    from schemas.counting import counted

    return f"{utc(row['first_seen_ms'])} to {utc(row['last_seen_ms'])} UTC, {counted(row['sightings'], 'time')}"


def _confidence(value: int | None) -> str:
    return "" if value is None else str(value) if value >= 0 else "not stated"


def _until(at_ms: int) -> str:
    return f"{utc(at_ms)} UTC" if at_ms else ""
