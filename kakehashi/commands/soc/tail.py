"""``kakehashi tail``: a picture of indicators as a SOC sees it, for eyes or for a tool."""

import os
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.clock import now_ms
from exchange.errors import Exit
from kakehashi import filter_options as options
from kakehashi import terminal
from kakehashi.examples import examples
from kakehashi.listing import AsJson, lines_wanted
from kakehashi.terminal import printable, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

    from consumers.queries.disputes import Disputes
    from consumers.subscription.changes import Change
    from consumers.subscription.subscription import Gap, Quiet, SnapshotEnd
    from exchange.kafka.clients import Cluster
    from schemas.records import Receipt

    Events = Iterable[Change | Gap | SnapshotEnd | Quiet]

_EXAMPLES = examples(
    ("kakehashi tail --nation JPN --partner GBR", "what Japan has from the United Kingdom, then each change"),
    ("kakehashi tail --nation GBR", "the nation's own picture"),
    ("kakehashi tail --nation JPN --partner GBR --no-follow | jq .value", "as JSON lines, once"),
    ("kakehashi tail --nation JPN --partner GBR --limit 20", "the first twenty"),
    ("kakehashi tail --nation JPN --partner GBR --json --activity active", "for a tool that blocks: what PAP lets it"),
)
_STATES: Final = {
    "live": ("●", "green"),
    "limited": ("◌", "yellow"),
    "ended": ("○", "dim"),
    "expired": ("○", "dim"),
    "revoked": ("↺", "cyan"),
    "recalled": ("✖", "bold red"),
    "removed": ("⌫", "dim"),
    "unreadable": ("!", "bold yellow"),
}
_TLP_COLOURS: Final = {  # FIRST's own, TLP 2.0 table 2
    "TLP:RED": "#ff2b2b",
    "TLP:AMBER": "#ffc000",
    "TLP:AMBER+STRICT": "#ffc000",
    "TLP:GREEN": "#33ff00",
    "TLP:CLEAR": "#ffffff",
}
_HEADINGS: Final = (("", 12), ("TLP", 16), ("type", 12), ("conf", 4), ("last seen UTC", 16))
_GAP: Final = "  "
_VALUE_WIDTH: Final = 44  # at least, for a value: the last columns go before that, as on a terminal of 80 columns


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Looking")
    def tail(
        nation: Annotated[str, typer.Option(help="On whose cluster to look, for example JPN.")],
        partner: Annotated[str, typer.Option(help="Whose indicators; the nation's own if not given.")] = "",
        as_json: AsJson = False,
        follow: Annotated[bool, typer.Option(help="Stay, and show each change as it comes.")] = True,
        limit: Annotated[int, typer.Option(min=0, help="Stop after so many entries; 0 is all of them.")] = 0,
        text: options.Text = "",
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
        activity: options.Activity = "passive-local",
        unstated_pap: options.UnstatedPap = "",
    ) -> None:
        """Show indicators: the latest of each first, then every change as it comes. Nothing is shown twice.

        Only what was committed is shown. Readers leave no trace, and any number may read at once.

        An indicator whose PAP does not allow your activity is shown as limited, without its value. With a filter, only
        what it lets through is shown, and what leaves it later.
        """
        from consumers.picture.filters import Filter
        from consumers.picture.narrowed import narrowed
        from consumers.queries.disputes import Disputes, topics_of_disputes
        from consumers.subscription.changes import changes, picture
        from consumers.subscription.subscription import Subscription
        from consumers.subscription.topic_reader import TopicReader
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of

        settings = Settings.from_env(os.environ)
        source, use = picture(partner or None), options.use_of(activity, unstated_pap)
        filters = options.filter_of(
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
            text=text,
            states=state,
        )
        console = terminal.console()
        cluster = cluster_of(nation, settings, os.environ)
        disputed = topics_of_disputes(partner, settings.partners(nation))
        with TopicReader(cluster, source.topic) as reader, Disputes(cluster, disputed) as disputes:
            disputes.read()
            events = Subscription(reader, clock_ms=now_ms).events(follow=follow)
            found: Events = changes(events, source.schema, cluster.codec(), clock_ms=now_ms, use=use)
            if filters != Filter():
                found = narrowed(found, filters, nation)
            try:
                if lines_wanted(as_json):
                    _write_lines(found, source.topic, nation, limit, disputes)
                else:
                    starting = partial(_starting, cluster, settings.shards)
                    _show(found, console, limit, disputes, follow=follow, starting=starting)
            except KeyboardInterrupt:
                raise typer.Exit(Exit.INTERRUPTED) from None


def _write_lines(found: "Events", topic: str, nation: str, limit: int, disputes: "Disputes") -> None:
    """JSON lines, flushed whenever the stream pauses."""
    from consumers.queries.tail import as_json
    from consumers.subscription.changes import Change
    from consumers.subscription.subscription import Gap

    written = 0
    for event in found:
        if isinstance(event, Gap):
            typer.echo(_gap_line(event), err=True)
        if not isinstance(event, Change | Gap):
            sys.stdout.flush()
            disputes.read()
            continue
        about = disputes.of(event.key) if isinstance(event, Change) else []
        sys.stdout.buffer.write(as_json(event, topic, nation, about) + b"\n")
        written += isinstance(event, Change)
        if limit and written == limit:
            break
    sys.stdout.flush()


def _starting(cluster: "Cluster", shards: int) -> str:
    """Which workers do not run yet, if some do not: then a picture without indicators is no answer."""
    from consumers.queries.running import not_running

    missing = [str(shard) for _, _, shard in not_running(cluster, {("streams", "")}, shards)]
    if not missing:
        return ""
    nation = cluster.nation
    waits = f"`kakehashi wait --nation {nation}` waits for them"
    return f", and no worker of {nation} runs shard {', '.join(missing)}: {waits}"


def _show(
    found: "Events",
    console: "Console",
    limit: int,
    disputes: "Disputes | None" = None,
    *,
    follow: bool,
    starting: "Callable[[], str]" = lambda: "",
) -> None:
    """One line for each change, and for each new dispute. ``starting`` is asked if there is nothing."""
    from rich.text import Text

    from consumers.subscription.changes import Change
    from consumers.subscription.subscription import Gap, SnapshotEnd

    headings = [Text(heading, "bold") for heading, _ in _HEADINGS]
    console.print(*_lines(headings, Text("value · labels", "bold"), (), (), console), soft_wrap=True)
    counts: Counter[str] = Counter()
    written = 0
    for event in found:
        if isinstance(event, Change):
            about = () if disputes is None else disputes.of(event.key)
            for each_line in _change_lines(event, console):
                console.print(each_line, soft_wrap=True)
            for each in about:  # never cut, however narrow the terminal is
                console.print(Text(f"  {_dispute_note(each)}", "yellow"), soft_wrap=True)
            counts[event.state] += 1
            written += 1
            if written == limit:
                return
        elif isinstance(event, Gap):
            console.print(Text(_gap_line(event), "bold yellow"))
            counts.clear()
        elif isinstance(event, SnapshotEnd):
            listed = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
            after = "; each change follows, Ctrl-C ends" if follow else ""
            line = f"── {listed or f'nothing here yet{starting()}'}{after}"
            console.print(Text(line, "dim"), soft_wrap=not listed)
        elif disputes is not None:
            for dispute in disputes.read():
                console.print(Text(f"{_dispute_note(dispute)}  {dispute['indicator_id']}", "yellow"), soft_wrap=True)


def _gap_line(gap: "Gap") -> str:
    return f"kakehashi: changes may have been missed ({gap.reason}: {gap.detail}); the whole picture follows again"


def _dispute_note(dispute: "Receipt") -> str:
    return f"⚑ {dispute['nation']} disputes it: {dispute['reason']}"


def _change_lines(change: "Change", console: "Console") -> "list[Text]":
    from rich.text import Text

    sign, colour = _STATES[change.state]
    record: dict[str, Any] = change.record or {}
    shown: dict[str, Any] = record.get("content") or record
    tlp, *restrictions = _marking(shown)
    cells = [
        Text(f"{sign} {change.state}", colour),
        Text(tlp, _TLP_COLOURS.get(tlp, "")),
        Text(shown.get("type", "")),
        Text(_confidence(shown), justify="right"),
        Text(utc(shown.get("last_seen_ms", 0)), "dim"),
    ]
    if "value" not in shown:
        about = f"{change.key}  {record.get('reason') or change.detail}"
        return _lines(cells[:1], Text(printable(about), "dim"), (), (), console)
    gone = change.state not in ("live", "unreadable")
    value = Text(printable(shown["value"]), "dim strike" if gone else "bold")
    others = [*shown.get("labels", ()), shown.get("tearline", "").replace("\n", " ")]
    marking = restrictions if _fit(console) > 1 else [tlp, *restrictions]
    return _lines(cells, value, marking, others, console)


def _lines(
    cells: "list[Text]", value: "Text", marking: "Sequence[str]", others: "Sequence[str]", console: "Console"
) -> "list[Text]":
    """One line. Neither the value nor the marking is ever cut: columns that a narrow terminal has no room for are left
    out, a longer value continues on the next line, and a marking without room has a line of its own."""
    from rich.text import Text

    line = Text(no_wrap=True)
    for cell, (_, width) in zip(cells[: _fit(console)], _HEADINGS, strict=False):
        cell.truncate(width, overflow="ellipsis", pad=True)
        line.append_text(cell).append(_GAP)
    line.append_text(value)
    marks = Text(printable(", ".join(filter(None, marking))), "dim")
    is_below = bool(marks) and line.cell_len + len(_GAP) + marks.cell_len > console.width
    if marks and not is_below:
        line.append(_GAP).append_text(marks)
    words, left = printable(", ".join(filter(None, others))), console.width - line.cell_len
    if words and left > len(_GAP):
        notes = Text((", " if marks and not is_below else _GAP) + words, "dim")
        notes.truncate(left, overflow="ellipsis")
        line.append_text(notes)
    return [line, Text(_GAP).append_text(marks)] if is_below else [line]


def _fit(console: "Console") -> int:
    """How many columns a line has room for before its value; the first one always."""
    taken, count = 0, 0
    for _, width in _HEADINGS:
        taken += width + len(_GAP)
        if count and taken + _VALUE_WIDTH > console.width:
            break
        count += 1
    return count


def _marking(shown: dict[str, Any]) -> list[str]:
    """TLP, PAP and caveats; a national record has codes."""
    if "marking" not in shown:
        return [shown.get("tlp", ""), shown.get("pap", ""), *shown.get("caveats", ())]
    from consumers.queries.layout import plain

    marking = plain(shown["marking"])
    return [marking["tlp"] or "unmarked", marking["pap"], *marking["caveats"]]


def _confidence(shown: dict[str, Any]) -> str:
    confidence = shown.get("confidence")
    return "" if confidence is None else str(confidence) if confidence >= 0 else "–"
