"""The filters that commands on indicators share: their options, and what they mean."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.clock import now_ms
from kakehashi.conventions import one_of
from kakehashi.times import moment

if TYPE_CHECKING:
    from consumers.picture.filters import Filter
    from consumers.subscription.changes import State, Use

_PANEL: Final = "Filters: all of them have to hold"
_TECHNIQUE: Final = re.compile(r"[Tt]\d{4}(\.\d{3})?")

Types = Annotated[
    list[str] | None,
    typer.Option("--type", rich_help_panel=_PANEL, help="Type, for example ipv4-addr; repeat it for several."),
]
TypeOfValue = Annotated[
    str, typer.Option("--type", help="The value's type, for example domain-name, if it can be of several.")
]
Value = Annotated[str, typer.Option(rich_help_panel=_PANEL, help="This value; with * at the end, its beginning.")]
Cidr = Annotated[
    str,
    typer.Option(rich_help_panel=_PANEL, help="An address or network: the networks that hold it, and what lies in it."),
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", rich_help_panel=_PANEL, help="A label; with * at the end, its beginning. Repeat it."),
]
Techniques = Annotated[
    list[str] | None,
    typer.Option("--technique", rich_help_panel=_PANEL, help="An ATT&CK technique with its sub-techniques: T1566."),
]
Confidence = Annotated[
    int | None, typer.Option(min=0, max=100, rich_help_panel=_PANEL, help="At least this confidence.")
]
TlpMax = Annotated[
    str, typer.Option(rich_help_panel=_PANEL, help="No stricter than this label, for example TLP:GREEN.")
]
Since = Annotated[
    str,
    typer.Option(rich_help_panel=_PANEL, help="Received since then: 2h, 3d, yesterday, 2026-11-29, 2026-11-29T18:00."),
]
SeenSince = Annotated[str, typer.Option(rich_help_panel=_PANEL, help="Last seen then or later.")]
SeenUntil = Annotated[str, typer.Option(rich_help_panel=_PANEL, help="First seen then or earlier.")]
Text = Annotated[str, typer.Option(rich_help_panel=_PANEL, help="Words in value, labels, tearline or descriptions.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", rich_help_panel=_PANEL, help="live (the default), ended, expired, revoked, or all."),
]
Activity = Annotated[
    str, typer.Option(help="What you do with them: passive-local, passive-remote (look-ups), active (blocks).")
]
UnstatedPap = Annotated[
    str, typer.Option(help="Read an unstated PAP as this, for example PAP:RED; else it limits nothing.")
]


def filter_of(
    *,
    partner: str = "",
    own: str = "",
    types: Sequence[str] | None = None,
    value: str = "",
    cidr: str = "",
    labels: Sequence[str] | None = None,
    techniques: Sequence[str] | None = None,
    confidence: int | None = None,
    tlp_max: str = "",
    since: str = "",
    seen_since: str = "",
    seen_until: str = "",
    text: str = "",
    states: Sequence[str] | None = None,
) -> "Filter":
    """The filter of these options; ``own`` is the nation if only its own indicators are wanted.

    Raises BadParameter, exit code 2, with the closest value that is meant.
    """
    from consumers.picture.filters import Filter

    at_ms = now_ms()
    exact, prefix = _value(value)
    return Filter(
        origins=frozenset(filter(None, (partner, own))),
        types=_types(types or ()),
        states=_states(states or ()),
        value=exact,
        prefix=prefix,
        cidr=_cidr(cidr),
        labels=tuple(labels or ()),
        techniques=_techniques(techniques or ()),
        confidence=confidence,
        ceiling=_tlp(tlp_max),
        since_ms=moment(since, "--since", at_ms),
        seen_since_ms=moment(seen_since, "--seen-since", at_ms),
        seen_until_ms=moment(seen_until, "--seen-until", at_ms),
        text=text,
    )


def use_of(activity: str, unstated_pap: str) -> "Use":
    """What the reader does with indicators. Raises BadParameter, exit code 2."""
    from consumers.subscription.changes import Use
    from schemas.markings import Activity, Pap

    activities = {each.label: each for each in Activity}
    paps = {each.label: each for each in Pap}
    one_of("--activity", activity, activities)
    if unstated_pap:
        one_of("--unstated-pap", unstated_pap, paps)
    return Use(activities[activity], paps[unstated_pap])


def known_type(name: str) -> str:
    """The type's label itself, which may be empty. Raises BadParameter, exit code 2."""
    from schemas.vocabulary import TYPE_BY_LABEL

    return one_of("--type", name, TYPE_BY_LABEL) if name else name


def _types(named: Sequence[str]) -> frozenset[str]:
    return frozenset(known_type(name) for name in named)


def _states(named: Sequence[str]) -> "frozenset[State]":
    from consumers.picture.filters import EVERY_STATE, LIVE
    from consumers.subscription.changes import State

    if not named:
        return LIVE
    if "all" in named:
        return EVERY_STATE
    known = [state.value for state in (State.LIVE, State.ENDED, State.EXPIRED, State.REVOKED)]
    for name in named:
        one_of("--state", name, [*known, "all"])
    return frozenset(State(name) for name in named)


def _value(text: str) -> tuple[str, str]:
    """The canonical value, or the beginning of one."""
    from consumers.queries.values import canonical_value

    return ("", text[:-1]) if text.endswith("*") else (canonical_value(text), "")


def _cidr(text: str) -> str:
    from consumers.picture.address import network_of

    if text and network_of(text) is None:
        raise typer.BadParameter(f"--cidr {text}: an address or a network, for example 198.51.100.0/24")
    return text


def _techniques(named: Sequence[str]) -> tuple[str, ...]:
    for name in named:
        if _TECHNIQUE.fullmatch(name) is None:
            raise typer.BadParameter(f"--technique {name}: an id of ATT&CK, for example T1566 or T1566.001")
    return tuple(named)


def _tlp(text: str) -> str:
    from schemas.markings import Caveat, SourceMarking, understand

    if not text:
        return ""
    found = understand(SourceMarking(tlp=text))
    if Caveat.UNRECOGNISED in found.caveats:
        raise typer.BadParameter(f"--tlp-max {text}: a TLP 2.0 label, as TLP:GREEN")
    return found.tlp.label
