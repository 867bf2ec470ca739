"""``kakehashi search``: finds indicators in what the nation sees."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kakehashi import filter_options as options
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, Row, show
from kakehashi.terminal import utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.picture.filters import Filter
    from consumers.picture.picture import Picture

_EXAMPLES = examples(
    ("kakehashi search --nation JPN login", "a word of a value, label, tearline or description"),
    ("kakehashi search --nation JPN --cidr 198.51.100.7", "which networks hold it, and the address itself"),
    ("kakehashi search --nation JPN --technique T1566 --since yesterday", "what came since, by what it does"),
    ("kakehashi search --nation JPN --value 'login.*' --limit 0 | jq -r .value", "all of them, as JSON lines"),
)
STYLES: Final = {
    "live": "green", "limited": "yellow", "ended": "dim", "expired": "dim", "revoked": "cyan", "recalled": "bold red",
}  # fmt: skip


def _state(row: Row) -> str:
    """With a dispute that stands: whoever acts on it has to know."""
    is_disputed = any(each["kind"] == "disputed" for each in row.get("answers", ()))
    return f"{row['state']}, disputed" if is_disputed else str(row["state"])


_COLUMNS: Final = (
    Column("type", lambda row: row["type"]),
    Column("from", lambda row: row["origin"]),
    Column("TLP", lambda row: row["marking"]["tlp"] or "unmarked", main=True),
    Column("conf", lambda row: "–" if row["confidence"] < 0 else str(row["confidence"]), right=True),
    Column("state", _state, lambda row: STYLES.get(row["state"], ""), main=True),
    Column("received, UTC", lambda row: utc(row["received_ms"])),
    Column("labels", lambda row: ", ".join(row["labels"])),
    Column("value", lambda row: row["value"], lambda row: "bold" if row["state"] == "live" else "dim", main=True),
)
Local = Annotated[bool, typer.Option("--local", help="Answer from the copy on this machine; read no topic.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Looking")
    def search(
        nation: Annotated[str, typer.Option(help="Whose picture, for example JPN.")],
        words: Annotated[str, typer.Argument(help="Words to find; all indicators if not given.")] = "",
        partner: Annotated[str, typer.Option(help="Only this partner's indicators.")] = "",
        own: Annotated[bool, typer.Option("--own", help="Only the nation's own indicators.")] = False,
        type_: options.Types = None,
        value: options.Value = "",
        cidr: options.Cidr = "",
        label: options.Labels = None,
        technique: options.Techniques = None,
        confidence: options.Confidence = None,
        tlp_max: options.TlpMax = "",
        since: options.Since = "",
        seen_since: options.SeenSince = "",
        seen_until: options.SeenUntil = "",
        state: options.States = None,
        limit: Annotated[int, typer.Option(min=0, help="At most so many, the latest first; 0 is all.")] = 100,
        local: Local = False,
        as_json: AsJson = False,
    ) -> None:
        """Find indicators in what the nation sees: its own, and those of its partners. The latest received comes first.

        The picture is a copy on this machine, which is brought up to date first.
        """
        from exchange.settings import Settings
        from kakehashi.picture_of import note_of_ended, picture_of

        filters = options.filter_of(
            partner=partner,
            own=nation if own else "",
            types=type_,
            value=value,
            cidr=cidr,
            labels=label,
            techniques=technique,
            confidence=confidence,
            tlp_max=tlp_max,
            since=since,
            seen_since=seen_since,
            seen_until=seen_until,
            text=words,
            states=state,
        )
        with picture_of(nation, Settings.from_env(os.environ), os.environ, update=not local) as picture:
            note_of_ended(picture, filters)
            found = _Rows(picture, filters, limit)
            show(found, _COLUMNS, as_json=as_json, empty=f"{nation} sees no such indicator.")
        if limit and found.count == limit:
            typer.echo(f"The first {limit:,}: --limit 0 shows all.", err=True)


class _Rows:
    """What is found, as rows; ``count`` is how many there were so far."""

    def __init__(self, picture: "Picture", filters: "Filter", limit: int) -> None:
        self._found, self.count = picture.search(filters, limit), 0

    def __iter__(self) -> "Iterator[Row]":
        from consumers.picture.as_record import record_of

        for entry in self._found:
            self.count += 1
            yield record_of(entry)
