"""Filters as questions to the database, which may find too much: ``Filter.matches`` decides."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from consumers.picture.address import holding, network_of, places_in
from consumers.picture.filters import Filter, allowed_under
from consumers.picture.words import match_of, words
from consumers.subscription.changes import State
from schemas.identity import indicator_key
from schemas.markings import Tlp
from schemas.vocabulary import TYPE_BY_LABEL

Where = tuple[str, list[object]]
_Ask = Callable[..., None]
_TLPS: Final = {tlp.label: tlp.value for tlp in Tlp}
_BEHIND: Final = "\U0010ffff"


def where_of(filters: Filter, origins: Mapping[int, str], now_ms: int, *, with_words: bool = True) -> Where:
    """A condition on ``entry`` that holds for all that the filter lets through, and perhaps for more.

    Without words it selects nothing by text, labels and techniques.
    """
    parts: list[str] = []
    values: list[object] = []

    def ask(condition: str, *given: object) -> None:
        parts.append(condition)
        values.extend(given)

    _ask_states(filters, now_ms, ask)
    if filters.origins:
        numbers = [number for number, name in origins.items() if name in filters.origins]
        ask(f"origin IN ({marks(numbers)})", *numbers)
    if filters.types:
        kinds = [TYPE_BY_LABEL[label].value for label in filters.types if label in TYPE_BY_LABEL]
        ask(f"type IN ({marks(kinds)})", *kinds)
    if filters.value:
        ask("value = ?", filters.value)
    if filters.prefix:
        ask("value >= ? AND value < ?", filters.prefix, filters.prefix + _BEHIND)
    if filters.confidence is not None:
        ask("confidence >= ?", filters.confidence)
    if filters.ceiling:
        codes = [_TLPS[label] for label in allowed_under(filters.ceiling)]
        ask(f"tlp IN ({marks(codes)})", *codes)
    if filters.since_ms:
        ask("received_ms >= ?", filters.since_ms)
    if filters.seen_since_ms:
        ask("last_seen_ms >= ?", filters.seen_since_ms)
    if filters.seen_until_ms:
        ask("first_seen_ms <= ?", filters.seen_until_ms)
    if filters.cidr:
        _ask_cidr(filters.cidr, ask)
    match = words_asked(filters)
    if match and with_words:
        ask("n IN (SELECT rowid FROM words WHERE words MATCH ?)", match)
    return " AND ".join(parts) or "TRUE", values


def _ask_states(filters: Filter, now_ms: int, ask: _Ask) -> None:
    """What is live but has ended is asked for as ended."""
    named = sorted(filters.states)
    if State.ENDED in filters.states and State.LIVE not in filters.states:
        ask(f"(state IN ({marks(named)}) OR state = 'live' AND ends_ms <= ?)", *named, now_ms)
    else:
        ask(f"state IN ({marks(named)})", *named)


def _ask_cidr(cidr: str, ask: _Ask) -> None:
    network = network_of(cidr)
    if network is None:
        ask("FALSE")
        return
    keys = [indicator_key(kind, value) for kind, value in holding(network)]
    ask(f"(address BETWEEN ? AND ? OR key IN ({marks(keys)}))", *places_in(network), *keys)


def words_asked(filters: Filter) -> str:
    """The words of text, labels and techniques as a question to FTS5; empty if there are none."""
    asked = [match_of(filters.text)] if filters.text else []
    asked += [match_of(" ".join(words(label.removesuffix("*")))) for label in filters.labels]
    asked += [match_of(technique.replace(".", " ")) for technique in filters.techniques]
    return " AND ".join(f"({each})" for each in asked if each)


def marks(values: Sequence[object]) -> str:
    """As many question marks."""
    return ", ".join("?" * len(values))
